/**
 * State of the time-multiplexed IO-MMU (LeVasseur et al. 2004, V5 and V6): one translation table is active at a time, and each DD/OS has
 * its turn. A DD/OS is a space; space s is domain s + 1, domain 0 is the hypervisor with its resource monitor, the last domain a client.
 *
 * With an IO-MMU a bus address is a guest-physical one, offset 0: an entry of a space's table is here one bit for each frame. Every entry
 * allows reading and writing (GART entries know no other right), so one kind of DMA says it all.
 * Hardware: the graphics aperture of the AMD K8 northbridge, with its translation cache (GART TLB).
 */
import { type Frames, frame, TYPE_VMM } from '../../frames.js';
import { device, dmaSlot } from '../../iommu/index.js';
import { failure, gate, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';
import { charging, INVALIDATION, MAPPING, UNMAPPING } from '../../ledger.js';

/** Spaces: one for each DD/OS. */
export const space = sort('space');

/** Frame 0 is the hypervisor's. */
export const VMM_FRAME = 0;
/** The DD/OS that the client is attached to. */
export const SERVER = 0;

export const domainOfSpace = (s: number): number => s + 1;

/** Whether a client's frame is in the space of a DD/OS. What a DD/OS had of its own when it died is no longer in its space either. */
export const NEVER_LENT = 0;
export const LENT = 1;
export const NO_LONGER_LENT = 2;

/** Nothing of it is left, or it is not there yet. */
export const ABSENT = 0;
export const RUNNING = 1;
/** It does nothing any more, and has not been stopped. */
export const HUNG = 2;
/** It is stopped: crashed, or stopped by the monitor. */
export const STOPPED = 3;
/** It is stopped, and its devices are off the bus. */
export const REVOKED = 4;

export const muxTables = {
  northbridge: table([], {
    /** Whose table is active. */
    current: ref(space),
    /** The table is being switched: no device is to have the bus. */
    switching: oneOf('no', 'yes'),
    /** Ticks that the current space has left. */
    left: u8(),
    /** First frame that the table does not cover. */
    aperture: u8(),
  }),
  space: table([space], {
    /** Ticks in a turn; a space with none never has one. */
    slice: u8(),
    /** Ticks that it is to have whenever it runs. */
    share: u8(),
    life: oneOf('absent', 'running', 'hung', 'stopped', 'off the bus'),
    /** Counts its instances. */
    generation: u8(),
    /** How often it may still be booted again, in this scope. */
    spare: u8(),
  }),
  /** Bus masters. */
  master: table([device], {
    /** DD/OS that drives the device. */
    home: ref(space),
    /** Space whose table the device is registered for, or NONE. */
    table: ref(space),
    bus: oneOf('off', 'on'),
    /** What the DD/OS asked for last; it is granted in its slice. */
    wanted: oneOf('off', 'on'),
    /** The device does not complete what it has begun. */
    stuck: oneOf('no', 'yes'),
    /** Kept for properties: somebody else's DD/OS wrote its registers; it sent an interrupt that is not its own. */
    tampered: oneOf('no', 'yes'),
    forged: oneOf('no', 'yes'),
  }),
  /** A space's table, and the monitor's record of client memory that is mapped into the space. */
  io: table([space, frame], { entry: oneOf('invalid', 'valid'), lent: oneOf('never', 'lent', 'no longer') }),
  /** Translation cache: the space whose table the entry was read from. */
  gart: table([frame], { from: ref(space) }),
  /** DMA that has passed translation and is still to have its effect. */
  flight: table([dmaSlot], {
    device: ref(device),
    frame: ref(frame),
    /** The instance of the device's DD/OS that started it. */
    of: u8(),
  }),
};

export type Mux = Frames & State<typeof muxTables>;

/** DMA addresses are translated by the active table. */
export const ioMmu = gate('time-multiplexed IO-MMU');
/** A DD/OS's processor reaches what its page tables map. */
export const pageTables = gate('MMU of the virtual machine');
/** The table is switched only when no DMA of the outgoing space is in flight. */
export const drainBeforeSwitch = gate('drain before the switch');
/** The wait for DMA ends: a device that does not complete is reset. */
export const drainTimeout = gate('time-out of the drain');
/** Bus mastering that is asked for outside the slice is granted in the slice. */
export const deferredEnable = gate('deferred bus-master enable');
/** Devices leave the bus at the end of their slice. */
export const masterSwitching = gate('bus-master switching');
/** The translation cache is invalidated when the table changes or an entry goes. */
export const gartInvalidation = gate('GART invalidation');
/** An unmapped page leaves the IO-MMU's table too. */
export const unmapHook = gate('unmap hook');
/** What was unmapped is given back only when no DMA to it is in flight. */
export const drainBeforeUnpin = gate('drain before unpinning');
/** Pages that devices may be using are neither moved nor taken back. */
export const pins = gate('pinned pages stay');
/** Client pages are mapped for the DD/OS that serves the client, inside the client's bounds. */
export const clientPageCheck = gate('client page check');
/** Configuration cycles are filtered: the northbridge is nobody's, a device its DD/OS's. */
export const configurationFilter = gate('configuration filter');
/** Devices are registered by the monitor only. */
export const attachPrivilege = gate('attach privilege');

/** A page is kept free for each DD/OS that is to be booted again. */
export const rebootReserve = gate('memory kept for the reboot');

/** Charged wherever an entry is written; the fast path passes neither. */
export const mapEntry = charging(failure('map into a space'), MAPPING);
export const unmapEntry = charging(failure('unmap from a space'), UNMAPPING);
export const invalidateGart = charging(failure('invalidate GART'), INVALIDATION);

/** The client's domain. */
export const clientDomain = (m: Mux): number => m.domain.rows - 1;

/** Whether a DD/OS may have the frame: it is its own, or it is its client's and lent. */
export function mayReach(m: Mux, s: number, f: number): boolean {
  const owner = m.frame.owner[f];
  return owner === domainOfSpace(s) || (owner === clientDomain(m) && m.io.lent[m.io.at(s, f)] === LENT);
}

/** Whether hardware lets a request to the frame pass, now. */
export function passes(m: Mux, f: number): boolean {
  if (!m.on(ioMmu) || f >= m.northbridge.aperture[0]) return true;
  const cur = m.northbridge.current[0];
  return m.gart.from[f] !== NONE || (cur !== NONE && m.io.entry[m.io.at(cur, f)] === 1);
}

/** Lowest free slot for a request, or -1. */
export function freeFlight(m: Mux): number {
  for (let i = 0; i < m.flight.rows; i++) if (m.flight.device[i] === NONE) return i;
  return -1;
}

/** Whether a device of the space has a request in flight. */
export function spaceInFlight(m: Mux, s: number): boolean {
  for (let i = 0; i < m.flight.rows; i++) {
    if (m.flight.device[i] !== NONE && m.master.home[m.flight.device[i]] === s) return true;
  }
  return false;
}

/** A device is reset: what it has in flight is gone, and it answers again. It stays off the bus until its DD/OS asks. */
export function resetDevice(m: Mux, v: number): void {
  m.master.stuck[v] = 0;
  m.master.bus[v] = 0;
  for (let i = 0; i < m.flight.rows; i++) if (m.flight.device[i] === v) endFlight(m, i);
}

/** The slot is free again. */
export function endFlight(m: Mux, i: number): void {
  m.flight.device[i] = NONE;
  m.flight.frame[i] = NONE;
  m.flight.of[i] = 0;
}

/** Invalidates the translation cache, all of it: a GART knows nothing finer. */
export function flushGart(m: Mux): void {
  if (!m.on(gartInvalidation)) return;
  m.fails(invalidateGart);
  m.gart.from.fill(NONE);
}

function own(m: Mux, f: number, d: number): void {
  m.frame.owner[f] = d;
  m.frame.allocated[f] = 1;
  m.frame.refs[f] = 1;
}

/**
 * Frame 0 is the hypervisor's, then one frame for each DD/OS, the rest belongs to the client. Device v is driven by DD/OS v; both have
 * asked for the bus, and the first has it. Slices: the first DD/OS has one; whether the second has one is a choice.
 */
export function startMux(m: Mux, secondSlice: number): void {
  m.frame.type[VMM_FRAME] = TYPE_VMM;
  m.frame.types[VMM_FRAME] = 1;
  m.frame.refs[VMM_FRAME] = 1;
  m.io.lent.fill(NEVER_LENT);
  for (let f = 1; f < m.frame.rows; f++) {
    const s = f - 1;
    own(m, f, s < m.space.rows ? domainOfSpace(s) : clientDomain(m));
    if (s < m.space.rows) m.io.entry[m.io.at(s, f)] = 1;
  }
  for (let v = 0; v < m.master.rows; v++) {
    m.master.home[v] = v % m.space.rows;
    m.master.table[v] = m.master.home[v];
    m.master.wanted[v] = 1;
    m.master.bus[v] = m.master.home[v] === 0 ? 1 : 0;
  }
  m.gart.from.fill(NONE);
  m.flight.device.fill(NONE);
  m.flight.frame.fill(NONE);
  m.space.slice.fill(1);
  if (m.space.rows > 1) m.space.slice[1] = secondSlice;
  m.space.share.set(m.space.slice);
  m.space.life.fill(RUNNING);
  m.northbridge.current[0] = 0;
  m.northbridge.left[0] = m.space.slice[0];
  m.northbridge.aperture[0] = m.frame.rows;
}
