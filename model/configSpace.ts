/**
 * PCI configuration space of devices that domains hold, register by register: base address registers with their sizing protocol, the
 * command register, the expansion-ROM base and the MSI address. Source: PCI Local Bus 3.0, 6.2.2 (command), 6.2.5.1 (sizing), 6.2.5.2
 * (expansion ROM), 6.8.1 (MSI); Xen `drivers/xen/xen-pciback/conf_space_header.c` in Linux (bar_write, bar_read) for the filter.
 *
 * A domain reads and writes a copy of the base address: the filter answers all ones with the size mask, the original with the original,
 * and refuses any other value. The real registers are the VMM's. Beside the copy stands who is sizing, which the filter does not look at.
 *
 * Must keep: I1 windows lie apart and where firmware placed them, I5 and I15 a read tells the address, or to who is sizing the size; I7 the
 * size covers the window and nothing else, I8 an MSI goes to the interrupt window, I9 the next holder finds nothing of the last one's.
 */
import { configFilter, configOwnership } from './ioSpace.js';
import {
  blockedBy,
  i32,
  type Machine,
  type MachineDef,
  module,
  NONE,
  OK,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from './kernel/index.js';

/** Drivers, each in a domain of its own. */
export const holder = sort('holder');
export const configDevice = sort('configured device', { members: ['00:03.0', '00:04.0'] });
export const baseValue = sort('base value', {
  members: ['all ones', 'the original', "the neighbour's address", 'the original, one page up'],
});
/** Command register: what a driver may set. */
export const commandBits = sort('command', { members: ['nothing', 'memory', 'bus master', 'memory and bus master'] });
export const MEMORY_SPACE = 2;
export const BUS_MASTER = 4;
const COMMANDS = [0, MEMORY_SPACE, BUS_MASTER, MEMORY_SPACE | BUS_MASTER] as const;
/** Registers that a driver has no business with. */
export const foreignRegister = sort('register', { members: ['expansion ROM base', 'MSI address', 'base address'] });

/** Windows of 2 KiB, both in one page; the lowest bits of a base address say memory, 32 bits, not prefetchable: all zero. */
export const WINDOW = 0x800;
const FIRST_WINDOW = 0xf0000000 | 0;
export const homeBase = (device: number): number => (FIRST_WINDOW + device * WINDOW) | 0;
/** 6.2.5.1: writable bits read as ones, the others as zeros. */
export const SIZE_MASK = -WINDOW;
export const MSI_WINDOW = 0xfee00000 | 0;
const GUEST_PAGE = 0x00040000;

export const configTables = {
  config: table([configDevice], {
    holder: ref(holder),
    /** The real registers. */
    bar: i32(),
    rom: i32(),
    msi: i32(),
    command: u8(),
    /** What the holder sees of the base address. */
    copy: i32(),
    /** Who has written all ones, and nothing else since. */
    sizing: ref(holder),
  }),
};
export type Config = Machine & State<typeof configTables>;
const operation = operationOn<Config>();

export const CONFIG_ERRORS = { '-EPERM': -1, '-EBUSY': -16, '-EINVAL': -22 } as const;
const EPERM = -1;
const EBUSY = -16;
const EINVAL = -22;
const OWNERSHIP = blockedBy(configOwnership);
const FILTERED = blockedBy(configFilter);

/** Whether the driver's accesses to the device are let through. */
const mayAccess = (m: Config, op: { agent: number; device: number }): boolean =>
  m.config.holder[op.device] === op.agent || !m.on(configOwnership);

export const assignConfig = operation('config.assign', {
  agent: 'control',
  says: 'gives {device} to {to}',
  source: 'xen/drivers/passthrough/pci.c, assign_device',
  input: { device: configDevice, to: holder },
  touches: (m, op, may) => may.write(m.config, op.device),
  errors: CONFIG_ERRORS,
  steps: {
    'nobody has it': (m, op) => (m.config.holder[op.device] === NONE ? OK : EBUSY),
    assign: (m, op) => {
      m.config.holder[op.device] = op.to;
    },
  },
});

export const revokeConfig = operation('config.revoke', {
  agent: 'control',
  says: 'takes {device} back',
  source: 'drivers/xen/xen-pciback/conf_space.c, xen_pcibk_config_reset_dev',
  input: { device: configDevice },
  where: { device: (m, op) => m.config.holder[op.device] !== NONE },
  touches: (m, op, may) => may.write(m.config, op.device),
  steps: {
    'clear the command register': (m, op) => {
      m.config.command[op.device] = 0;
    },
    'reset the copy': (m, op) => {
      m.config.copy[op.device] = m.config.bar[op.device];
      m.config.sizing[op.device] = NONE;
    },
    remove: (m, op) => {
      m.config.holder[op.device] = NONE;
    },
  },
});

export const writeBase = operation('config.writeBase', {
  agent: holder,
  says: 'writes {value} to the base address of {device}',
  source: 'PCI Local Bus 3.0, 6.2.5.1; xen-pciback bar_write',
  input: { device: configDevice, value: baseValue },
  touches: (m, op, may) => may.write(m.config, op.device),
  errors: CONFIG_ERRORS,
  steps: {
    'check the holder': (m, op) => (mayAccess(m, op) ? OK : OWNERSHIP),
    filter: (m, op) => {
      switch (op.value) {
        case 0:
          m.config.copy[op.device] = SIZE_MASK;
          m.config.sizing[op.device] = op.agent;
          return OK;
        case 1:
          m.config.copy[op.device] = homeBase(op.device);
          m.config.sizing[op.device] = NONE;
          return OK;
        default:
          return EINVAL;
      }
    },
  },
});

/** The value comes back in `told`. */
export const readBase = operation('config.readBase', {
  agent: holder,
  says: 'reads the base address of {device}',
  source: 'PCI Local Bus 3.0, 6.2.5.1; xen-pciback bar_read',
  input: { device: configDevice },
  locals: ['told'],
  touches: (m, op, may) => may.read(m.config, op.device),
  errors: CONFIG_ERRORS,
  steps: {
    'check the holder': (m, op) => (mayAccess(m, op) ? OK : OWNERSHIP),
    'read the copy': (m, op) => {
      op.told = m.config.copy[op.device];
    },
  },
});

export const writeCommand = operation('config.writeCommand', {
  agent: holder,
  says: 'enables {what} of {device}',
  source: 'PCI Local Bus 3.0, 6.2.2; xen-pciback command_write',
  input: { device: configDevice, what: commandBits },
  touches: (m, op, may) => may.write(m.config, op.device),
  errors: CONFIG_ERRORS,
  steps: {
    'check the holder': (m, op) => (m.config.holder[op.device] === op.agent ? OK : EPERM),
    write: (m, op) => {
      m.config.command[op.device] = COMMANDS[op.what];
    },
  },
});

/** F13: a driver writes a real register of its own device: the base over the neighbour's, the ROM likewise, the MSI into a guest's page. */
export const rewriteConfig = operation('config.rewrite', {
  agent: holder,
  says: 'writes the real {register} of {device}',
  fault: 'F13',
  input: { device: configDevice, register: foreignRegister },
  where: { device: (m, op) => m.config.holder[op.device] === op.agent },
  touches: (m, op, may) => may.write(m.config, op.device),
  steps: {
    write: (m, op) => {
      if (m.on(configFilter)) return FILTERED;
      if (op.register === 0) m.config.rom[op.device] = homeBase(1 - op.device) | 1;
      else if (op.register === 1) m.config.msi[op.device] = GUEST_PAGE;
      else m.config.bar[op.device] = homeBase(1 - op.device);
      return OK;
    },
  },
});

/** Scope: `holder`. */
export const configMachine: MachineDef = {
  name: 'configuration space',
  modules: [
    module<Config, typeof configTables>('configuration space', {
      tables: configTables,
      operations: [assignConfig, revokeConfig, writeBase, readBase, writeCommand, rewriteConfig],
      initial: (m) => {
        m.config.holder.fill(NONE);
        m.config.sizing.fill(NONE);
        m.config.msi.fill(MSI_WINDOW);
        for (let d = 0; d < m.config.rows; d++) {
          m.config.bar[d] = homeBase(d);
          m.config.copy[d] = homeBase(d);
        }
      },
    }),
  ],
};
