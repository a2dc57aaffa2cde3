/**
 * State of the net channel of the Safe Hardware Interface (Fraser et al. 2004, M7): what transmission and reception share. The driver
 * domain is domain 1, guests follow; what the driver domain's processor and its network card reach is one row a frame.
 *
 * With an IOMMU (gate `DMA remapping`) the card reaches what the VMM entered for its domain, and nothing else; without, every machine
 * frame. Entries stand for the domain's one I/O address space; caches may be stale until they are invalidated.
 */
import { type Domains, RUNNING } from '../../domains.js';
import { type Frames, frame, TYPE_VMM } from '../../frames.js';
import { dmaRemapping, drainOnWait, iotlbInvalidation } from '../../iommu/index.js';
import { type Footprint, gate, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';
import { charge, INVALIDATION, MAPPING, TLB_FLUSH, UNMAPPING } from '../../ledger.js';

/** The domain that drives the network card. */
export const DRIVER = 1;
/** Agent of what it does itself. */
export const DRIVER_THREAD = 'driver domain';
/** Frame 0 belongs to the VMM. */
export const VMM_FRAME = 0;

/** Guests: domains from 2 on. */
export const guest = sort('guest');
export const guestDomain = (g: number): number => g + 2;

export const CLOSED = 0;
export const CONNECTED = 1;

export const HONEST = 0;
export const MALFORMED = 1;
export const CHANGING = 2;

export const netTables = {
  /** How the driver domain reaches a frame: its page tables, its TLB; the card's I/O address space, the IOTLB. */
  reach: table([frame], {
    entry: oneOf('no', 'yes'),
    tlb: oneOf('no', 'yes'),
    io: oneOf('no', 'yes'),
    iotlb: oneOf('no', 'yes'),
  }),
  /** The card: a DMA in flight, and what it is about. */
  nic: table([], {
    dma: ref(frame),
    write: oneOf('no', 'yes'),
    guest: ref(guest),
    /** The request that it is part of, for transmission. */
    slot: u8(),
  }),
  /** A guest's connection. */
  link: table([guest], {
    state: oneOf('closed', 'connected'),
    /** What the guest leaves in the ring is anything, or anything else at every look. */
    hostile: oneOf('no', 'malformed', 'changing'),
    /** A hostile driver domain has had the ring: what the guest finds in it can be anything. */
    tainted: oneOf('no', 'yes'),
    /** Kept for properties: the guest acted on a response that answers nothing. */
    confused: oneOf('no', 'yes'),
  }),
  driver: table([], { hung: oneOf('no', 'yes') }),
};

export type Net = Frames & Domains & State<typeof netTables>;

/** Foreign frames are mapped by their owner's consent only (2004: by the channel that they were named in). */
export const foreignCheck = gate('foreign mapping check');
/** The driver domain's processor forgets a translation before others may rely on it. */
export const flushBeforeResponse = gate('TLB flush before the response');
/** Sizes and page boundaries of a descriptor. */
export const sizeTest = gate('packet size test');
/** The filtered header is the transmitted one. */
export const headerCopy = gate('header copy');
/** A response names a request that is outstanding. */
export const netIdTest = gate('net response id test');

/** Whether the driver domain runs and its driver answers. */
export function serves(m: Net): boolean {
  return m.domain.life[DRIVER] === RUNNING && m.driver.hung[0] === 0;
}

/** Whether the guest runs; guests do not crash in these machines. */
export function guestRuns(m: Net, g: number): boolean {
  return m.domain.life[guestDomain(g)] === RUNNING;
}

/** Enters a frame into the I/O address space of the card. Nothing happens on hardware without an IOMMU. */
export function ioMap(m: Net, f: number): void {
  if (!m.on(dmaRemapping) || m.reach.io[f] === 1) return;
  m.reach.io[f] = 1;
  charge(m, MAPPING);
}

/** Takes a frame out of it, and waits for the invalidation: no DMA of its own is in flight any more when it returns. */
export function ioUnmap(m: Net, f: number): void {
  if (!m.on(dmaRemapping) || m.reach.io[f] === 0) return;
  m.reach.io[f] = 0;
  charge(m, UNMAPPING);
  if (!m.on(iotlbInvalidation)) return;
  m.reach.iotlb[f] = 0;
  charge(m, INVALIDATION);
  if (m.on(drainOnWait) && m.nic.dma[0] === f) stopCard(m);
}

/** Flushes the driver domain's TLB. */
export function flushTlb(m: Net): void {
  m.reach.tlb.fill(0);
  charge(m, TLB_FLUSH);
}

/** The card forgets its DMA: completed, drained or reset. */
export function stopCard(m: Net): void {
  m.nic.dma[0] = NONE;
  m.nic.write[0] = 0;
  m.nic.guest[0] = NONE;
  m.nic.slot[0] = 0;
}

/** Whether the IOMMU lets the card have the frame; without one it always does. */
export function cardReaches(m: Net, f: number): boolean {
  return !m.on(dmaRemapping) || m.reach.io[f] === 1 || m.reach.iotlb[f] === 1;
}

/** Starts a DMA that the IOMMU has let pass; its translation is cached. */
export function startDma(m: Net, f: number, write: number, g: number, slot: number): void {
  m.nic.dma[0] = f;
  m.nic.write[0] = write;
  m.nic.guest[0] = g;
  m.nic.slot[0] = slot;
  if (m.on(dmaRemapping)) m.reach.iotlb[f] = 1;
}

/** Whether the driver domain or its card can still get at the frame by what was ever entered for them. */
export function stillReached(m: Net, f: number): boolean {
  return (
    m.reach.entry[f] === 1 ||
    m.reach.tlb[f] === 1 ||
    m.reach.io[f] === 1 ||
    m.reach.iotlb[f] === 1 ||
    m.nic.dma[0] === f
  );
}

/** Names what ioUnmap and flushTlb may write. */
export function touchReach(m: Net, may: Footprint): void {
  for (let f = 0; f < m.reach.rows; f++) may.write(m.reach, f);
  may.write(m.nic);
}

/** Gives frame f to domain d at power-on. */
export function own(m: Net, f: number, d: number): void {
  m.frame.owner[f] = d;
  m.frame.allocated[f] = 1;
  m.frame.refs[f] = 1;
}

/** Nothing mapped, nothing in flight, everybody connected; frame 0 is the VMM's. */
export function connectedNet(m: Net): void {
  m.frame.type[VMM_FRAME] = TYPE_VMM;
  m.frame.types[VMM_FRAME] = 1;
  m.frame.refs[VMM_FRAME] = 1;
  stopCard(m);
  m.link.state.fill(CONNECTED);
}

/** Lines of the memory map. */
export function netMap(m: Net): string[] {
  const lines: string[] = [];
  for (let f = 0; f < m.reach.rows; f++) {
    const ways = [
      m.reach.entry[f] === 1 ? 'mapped' : '',
      m.reach.tlb[f] === 1 ? 'in the TLB' : '',
      m.reach.io[f] === 1 ? 'in the I/O table' : '',
      m.reach.iotlb[f] === 1 ? 'in the IOTLB' : '',
      m.nic.dma[0] === f ? 'DMA in flight' : '',
    ].filter((way) => way !== '');
    if (ways.length > 0) lines.push(`frame ${f} by the driver domain: ${ways.join(', ')}`);
  }
  return lines;
}
