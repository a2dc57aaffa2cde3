/**
 * I/O space: which domain reaches which device by I/O ports, by memory-mapped registers and by configuration space. Devices are given
 * and taken back in ioAssignment.ts. Base address registers (BARs) decode windows of half a page: two devices may have theirs in one page.
 * Source: Fraser et al., "Safe Hardware Access with the Xen VMM" (OASIS 2004); Xen `xen/common/domctl.c` and `xen/arch/x86/domctl.c`
 * (XEN_DOMCTL_assign_device, ioport_permission, iomem_permission), `xen/drivers/passthrough/pci.c`; PCI Local Bus 3.0, 6.2.5.1 (sizing).
 *
 * Must keep: I1 only holders reach a device, I4 when revocation returns nothing of it is left, I8 a device does what its holder told it,
 * I13 a device that nobody holds is shut, and its windows never move, I14 one holder a device. DMA is issued and completes in two steps;
 * where it goes is the IOMMU's business.
 */
import { type Domains, domain, runs } from './domains.js';
import { flag, gate, NONE, oneOf, operationOn, ref, type State, setOf, sort, table, u8 } from './kernel/index.js';

export const device = sort('device');
/** Pages of memory-mapped registers; as many as devices. */
export const registerPage = sort('register page');
/** Windows of half a page, which BARs decode; window w lies in page w >> 1. */
export const barWindow = sort('window');
/** What can be written into a BAR. */
export const barValue = sort('value', { members: ['all ones', 'the original', 'another address'] });
export const ALL_ONES = 0;
export const ORIGINAL = 1;

export const ioTables = {
  device: table([device], {
    holders: setOf(domain),
    /** Window that the device really decodes; NONE: none. */
    window: ref(barWindow),
    /** Command register, bus-master bit. */
    busMaster: oneOf('off', 'on'),
    /** What the domain sees in its copy of the BAR: the filter never writes the real one. */
    bar: oneOf('original', 'size mask'),
    /** Who told the device what to do, or NONE: it is stopped. */
    program: ref(domain),
    /** For whom a DMA is in flight, or NONE. */
    dma: ref(domain),
    /** To whom its interrupt goes, or NONE: masked. */
    irq: ref(domain),
    /** Revocation has begun. */
    revoking: oneOf('no', 'yes'),
  }),
  access: table([domain], {
    /** I/O bitmap: the port ranges of these devices. */
    ports: setOf(device),
    /** Pages of registers that its page tables map. */
    pages: setOf(registerPage),
  }),
  /** Whether devices 0 and 1 have their windows in one page. */
  firmware: table([], { sharedPage: u8({ names: ['no', 'yes'] }) }),
};

export type IoSpace = Domains & State<typeof ioTables>;
const operation = operationOn<IoSpace>();

/** Errors of the calls here (xen/include/public/errno.h). */
export const IO_ERRORS = { '-EPERM': -1, '-ESRCH': -3, '-EBUSY': -16, '-EINVAL': -22 } as const;
const EPERM = -1;
const EINVAL = -22;

/** A device is assigned to one domain at a time. */
export const exclusiveAssignment = gate('exclusive assignment');
/** A domain's I/O bitmap. */
export const portBitmap = gate('I/O-port bitmap');
/** Page tables keep register pages from those who did not map them. */
export const registerMmu = gate('MMU on register pages');
/** A domain's accesses to configuration space reach only its own devices. */
export const configOwnership = gate('configuration ownership');
/** Writes to base address registers stay in the domain's copy. */
export const configFilter = gate('configuration filter');
/** From the beginning of a revocation on, the holder's calls about the device are refused. */
export const revocationBarrier = gate('revocation barrier');

/** The window that firmware gave the device. */
export function homeWindow(m: IoSpace, d: number): number {
  return m.firmware.sharedPage[0] === 1 ? d : 2 * d;
}

export function holdsDevice(m: IoSpace, who: number, dev: number): boolean {
  return ((m.device.holders[dev] >> who) & 1) !== 0;
}

/** Whether the holder's calls about the device are let through. */
export function mayConfigure(m: IoSpace, who: number, dev: number): boolean {
  return holdsDevice(m, who, dev) && (m.device.revoking[dev] === 0 || !m.on(revocationBarrier));
}

/** Whether the domain's page tables map the window that the device decodes. */
export function reachesRegisters(m: IoSpace, who: number, dev: number): boolean {
  const w = m.device.window[dev];
  return w !== NONE && ((m.access.pages[who] >> (w >> 1)) & 1) !== 0;
}

/** A page-table update that maps a page of registers: checked here, and never later. */
export const mapRegisters = operation('io.map', {
  agent: domain,
  says: 'maps {page}',
  source: 'M1 MapMMIO; xen/arch/x86/mm.c, get_page_from_l1e (iomem_access_permitted)',
  input: { page: registerPage },
  where: { agent: (m, op) => runs(m, op.agent), page: (m, op) => ((m.access.pages[op.agent] >> op.page) & 1) === 0 },
  errors: IO_ERRORS,
  atomic: true,
  touches: (m, op, may) => {
    may.readAll(m.device);
    may.write(m.access, op.agent);
  },
  steps: {
    'every window in it is ours': (m, op) => {
      let ours = 0;
      for (let dev = 0; dev < m.device.rows; dev++) {
        if (homeWindow(m, dev) >> 1 !== op.page) continue;
        if (!mayConfigure(m, op.agent, dev)) return EPERM;
        ours++;
      }
      return ours > 0 ? 0 : EPERM;
    },
    map: (m, op) => {
      m.access.pages[op.agent] |= 1 << op.page;
    },
  },
});

/** IN and OUT on a port that the bitmap allows: the driver tells its device what to do. */
export const usePorts = operation('io.port', {
  agent: domain,
  says: 'programs {device} by its ports',
  source: 'M1 Port; Intel SDM 1, 19.5.2 (I/O permission bitmap)',
  input: { device },
  where: {
    agent: (m, op) => runs(m, op.agent),
    device: (m, op) => ((m.access.ports[op.agent] >> op.device) & 1) !== 0,
  },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    write: (m, op) => {
      m.device.program[op.device] = op.agent;
    },
  },
});

/** A store to a mapped page of registers. */
export const useRegisters = operation('io.mmio', {
  agent: domain,
  says: 'programs {device} by its registers',
  source: 'M1 MapMMIO',
  input: { device },
  where: { agent: (m, op) => runs(m, op.agent), device: (m, op) => reachesRegisters(m, op.agent, op.device) },
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    store: (m, op) => {
      m.device.program[op.device] = op.agent;
    },
  },
});

/** Configuration write to the command register. */
export const setBusMaster = operation('io.setBusMaster', {
  agent: domain,
  says: 'sets bus-master of {device} to {on}',
  source: 'M1 CfgWrite; PCI Local Bus 3.0, 6.2.2 (command register)',
  input: { device, on: flag },
  where: { agent: (m, op) => runs(m, op.agent), on: (m, op) => m.device.busMaster[op.device] !== op.on },
  errors: IO_ERRORS,
  atomic: true,
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    'check owner': (m, op) => (mayConfigure(m, op.agent, op.device) ? 0 : EPERM),
    write: (m, op) => {
      m.device.busMaster[op.device] = op.on;
    },
  },
});

/**
 * Configuration write to a base address register: idle, all ones, read the size, original back. Anything else is refused: a driver
 * cannot move a window.
 */
export const writeBar = operation('io.writeBar', {
  agent: domain,
  says: 'writes {value} to the base address of {device}',
  source: 'M1 CfgWrite (BAR sub-machine); PCI Local Bus 3.0, 6.2.5.1',
  input: { device, value: barValue },
  where: { agent: (m, op) => runs(m, op.agent) },
  errors: IO_ERRORS,
  atomic: true,
  touches: (m, op, may) => may.write(m.device, op.device),
  steps: {
    'check owner': (m, op) => (mayConfigure(m, op.agent, op.device) ? 0 : EPERM),
    write: (m, op) => {
      if (op.value === ALL_ONES) m.device.bar[op.device] = 1;
      else if (op.value === ORIGINAL) m.device.bar[op.device] = 0;
      else return EINVAL;
      return 0;
    },
  },
});

/** The device starts what it was told, when it may master the bus. */
export const issueDma = operation('io.dmaIssue', {
  agent: device,
  path: 'translate',
  says: 'issues a DMA',
  where: {
    agent: (m, op) =>
      m.device.busMaster[op.agent] === 1 && m.device.program[op.agent] !== NONE && m.device.dma[op.agent] === NONE,
  },
  atomic: true,
  touches: (m, op, may) => may.write(m.device, op.agent),
  steps: {
    issue: (m, op) => {
      m.device.dma[op.agent] = m.device.program[op.agent];
    },
  },
});

/** ...and completes it some time later. */
export const completeDma = operation('io.dmaComplete', {
  agent: device,
  path: 'complete',
  says: 'completes its DMA',
  where: { agent: (m, op) => m.device.dma[op.agent] !== NONE },
  atomic: true,
  touches: (m, op, may) => may.write(m.device, op.agent),
  steps: {
    complete: (m, op) => {
      m.device.dma[op.agent] = NONE;
    },
  },
});

/** Nobody has anything; windows as firmware placed them, in one page or in two. */
export function noDevices(m: IoSpace): void {
  m.firmware.sharedPage[0] = m.choose(flag, 'devices 0 and 1 share a page of registers');
  m.device.program.fill(NONE);
  m.device.dma.fill(NONE);
  m.device.irq.fill(NONE);
  for (let dev = 0; dev < m.device.rows; dev++) m.device.window[dev] = homeWindow(m, dev);
}
