/**
 * Devices given to domains and taken back, and the module that holds all of I/O space (state and accesses: ioSpace.ts).
 * Source: Fraser et al., "Safe Hardware Access with the Xen VMM" (OASIS 2004), M1; Xen `xen/drivers/passthrough/pci.c`.
 */
import { CONTROL, domain, RUNNING } from './domains.js';
import {
  completeDma,
  device,
  exclusiveAssignment,
  holdsDevice,
  homeWindow,
  IO_ERRORS,
  type IoSpace,
  ioTables,
  issueDma,
  mapRegisters,
  noDevices,
  setBusMaster,
  usePorts,
  useRegisters,
  writeBar,
} from './ioSpace.js';
import { module, NONE, operationOn } from './kernel/index.js';

const operation = operationOn<IoSpace>();
const ESRCH = -3;
const EBUSY = -16;

/** XEN_DOMCTL_assign_device with the permissions that go with it. Sets start empty: default deny. */
export const grantDevice = operation('io.grant', {
  agent: 'control',
  says: 'gives {device} to {target}',
  source: 'M1 GrantDev; xen/drivers/passthrough/pci.c, assign_device',
  input: { target: domain, device },
  where: { target: (_m, op) => op.target !== CONTROL },
  errors: IO_ERRORS,
  touches: (m, op, may) => {
    may.write(m.device, op.device);
    may.write(m.access, op.target);
    may.read(m.domain, op.target);
  },
  steps: {
    'check domain': (m, op) => (m.domain.life[op.target] === RUNNING ? 0 : ESRCH),
    'nobody has it': (m, op) => {
      const others = m.device.holders[op.device] & ~(1 << op.target);
      if (others !== 0 && m.on(exclusiveAssignment)) return EBUSY;
      return holdsDevice(m, op.target, op.device) ? EBUSY : 0;
    },
    assign: (m, op) => {
      m.device.holders[op.device] |= 1 << op.target;
    },
    'allow ports': (m, op) => {
      m.access.ports[op.target] |= 1 << op.device;
    },
    'route interrupt': (m, op) => {
      m.device.irq[op.device] = op.target;
    },
  },
});

/**
 * Takes a device back, from a living domain or a dying one. The order is that of M1 RevokeDev, with one addition: a driver that is still
 * running can start the device again until its ports and mappings are gone, so the wait for DMA in flight comes after them.
 */
export const revokeDevice = operation('io.revoke', {
  agent: 'control',
  says: 'takes {device} back from {target}',
  source: 'M1 RevokeDev; xen/drivers/passthrough/pci.c, deassign_device; PCI Express 6.6.2 (function-level reset)',
  input: { target: domain, device },
  where: { device: (m, op) => holdsDevice(m, op.target, op.device) },
  touches: (m, op, may) => {
    may.write(m.device, op.device);
    may.write(m.access, op.target);
  },
  steps: {
    quiesce: (m, op) => {
      m.device.revoking[op.device] = 1;
      m.device.program[op.device] = NONE;
    },
    'mask irq': (m, op) => {
      if (m.device.irq[op.device] === op.target) m.device.irq[op.device] = NONE;
    },
    'unmap MMIO': (m, op) => {
      m.access.pages[op.target] &= ~(1 << (homeWindow(m, op.device) >> 1));
    },
    'drop ports': (m, op) => {
      m.access.ports[op.target] &= ~(1 << op.device);
    },
    'clear bus-master': (m, op) => {
      m.device.busMaster[op.device] = 0;
    },
    'wait and reset': (m, op) => {
      m.device.dma[op.device] = NONE;
      m.device.program[op.device] = NONE;
      m.device.bar[op.device] = 0;
    },
    remove: (m, op) => {
      m.device.holders[op.device] &= ~(1 << op.target);
      m.device.revoking[op.device] = 0;
    },
  },
});

/** Device access of all domains. Scope: `domain`, `generation`, `device`, `register page` (as many), `window` (twice as many). */
export const ioSpace = module<IoSpace, typeof ioTables>('I/O space', {
  tables: ioTables,
  operations: [
    grantDevice,
    revokeDevice,
    mapRegisters,
    usePorts,
    useRegisters,
    setBusMaster,
    writeBar,
    issueDma,
    completeDma,
  ],
  initial: noDevices,
  holds: (m, d) => {
    if (m.access.ports[d] !== 0 || m.access.pages[d] !== 0) return true;
    for (let dev = 0; dev < m.device.rows; dev++) if (holdsDevice(m, d, dev)) return true;
    return false;
  },
  map: (m) =>
    [...m.device.holders].map((holders, dev) => {
      const who = [...m.access.ports].flatMap((_, d) => ((holders >> d) & 1 ? [`domain ${d}`] : [])).join(' and ');
      const dma = m.device.dma[dev] === NONE ? '' : `, DMA in flight for domain ${m.device.dma[dev]}`;
      return `device ${dev}: ${who || 'nobody'}, bus-master ${m.device.busMaster[dev] ? 'on' : 'off'}${dma}`;
    }),
});
