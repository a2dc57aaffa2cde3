/**
 * The ledger: what an operation costs, as counts. An operation charges the transition it runs in (`charge(m, COPY)`); the machine clears
 * the counts when the next transition begins. They belong to the transition and not to the state, so a charge adds no state to explore,
 * and step relations bound them (properties/fastpath.ts). Under `split` a transition is one step: a bound of zero means the same.
 *
 * One count outlives a transition, and is state: whether a notification is owed. `wakes` has one bit for each line (a ring and its
 * direction): set when the line becomes non-empty, taken by the notification. A second notification for the same transition finds it
 * taken, and that stays noted.
 *
 * Sources: the "fast path" of each architecture: Fraser et al. 2004 (no control message, no allocation, no copy, one event a batch),
 * Microdrivers (no XPC), Leslie and Heiser 2003 (pinned buffers), LeVasseur 2004 (one wake-up a burst, no IOMMU work).
 */
import {
  type AnyOperation,
  type AnyStep,
  type FailureSite,
  type Footprint,
  type Machine,
  module,
  oneOf,
  type State,
  sort,
  table,
} from './kernel/index.js';

/** What can be charged, in the order of the machine's counters. */
export const CHARGES = [
  'allocation',
  'mapping',
  'unmapping',
  'invalidation',
  'copy',
  'control message',
  'domain crossing',
  'lock',
  'notification',
  'hypercall',
  'XPC',
  'page flip',
  'grant mapping',
  'grant unmapping',
  'TLB flush',
] as const;
export type ChargeName = (typeof CHARGES)[number];

export const ALLOCATION = 0;
export const MAPPING = 1;
export const UNMAPPING = 2;
export const INVALIDATION = 3;
export const COPY = 4;
export const CONTROL_MESSAGE = 5;
export const CROSSING = 6;
export const LOCK = 7;
export const NOTIFICATION = 8;
/** A call into the VMM or kernel. It crosses twice: see `hypercall`. */
export const HYPERCALL = 9;
/** A call between the halves of a driver. */
export const XPC = 10;
/** A page changes its owner instead of being copied. */
export const PAGE_FLIP = 11;
/** A page of a peer comes into a page table, and goes out of it. What goes into an IOMMU is a mapping. */
export const GRANT_MAPPING = 12;
export const GRANT_UNMAPPING = 13;
export const TLB_FLUSH = 14;

/** Charges the running transition with one of the kind. */
export function charge(m: Machine, kind: number): void {
  m.charge(kind);
}

/** A call of a domain into the VMM, and its return: two crossings. A multicall is one, whatever it carries. */
export function hypercall(m: Machine): void {
  m.charge(HYPERCALL);
  m.charge(CROSSING);
  m.charge(CROSSING);
}

/** A call from one half of a driver to the other, and its return. */
export function crossCall(m: Machine): void {
  m.charge(XPC);
  m.charge(CROSSING);
  m.charge(CROSSING);
}

/**
 * Makes every passing of a failure site a charge, whether it then fails or not: whoever can fail to allocate has tried to allocate.
 * Specifications name such a site wherever they allocate, map, unmap or invalidate, so most charges need no further line.
 */
export function charging(site: FailureSite, kind: number): FailureSite {
  site.charges = kind;
  return site;
}

/** How many of the kind the last transition charged. */
export function charged(m: Machine, kind: number): number {
  return m.charges[kind];
}

/** The last transition's charges in words: `1 allocation, 2 copies`. */
export function chargesInWords(m: Machine): string {
  const parts: string[] = [];
  CHARGES.forEach((name, kind) => {
    const n = m.charges[kind];
    if (n > 0) parts.push(`${n} ${n === 1 ? name : pluralOf(name)}`);
  });
  return parts.length > 0 ? parts.join(', ') : 'nothing';
}

function pluralOf(name: ChargeName): string {
  if (name.endsWith('sh')) return `${name}es`;
  return name.endsWith('y') ? `${name.slice(0, -1)}ies` : `${name}s`;
}

/** A line along which one side wakes the other: a ring and its direction. */
export const line = sort('line');

export const wakeTables = {
  wakes: table([line], {
    /** The line became non-empty, and nobody was told yet. */
    owed: oneOf('no', 'yes'),
    /** A notification was sent that no empty-to-non-empty transition stands for. */
    surplus: oneOf('no', 'yes'),
  }),
};

export type Wakes = Machine & State<typeof wakeTables>;

/** The line has become non-empty. Two such transitions before a notification owe one notification. */
export function becameNonEmpty(m: Wakes, l: number): void {
  m.wakes.owed[l] = 1;
}

/** A notification is sent along the line: charges it, and settles what was owed. */
export function notified(m: Wakes, l: number): void {
  m.charge(NOTIFICATION);
  if (m.wakes.owed[l] === 0) m.wakes.surplus[l] = 1;
  m.wakes.owed[l] = 0;
}

/** For machines that account for notifications. Its scope sizes `line`. */
export const wakes = module<Wakes, typeof wakeTables>('wakes', { tables: wakeTables, operations: [] });

/**
 * A bookkeeper: looks at the state before and after a step, and charges what it sees. What it charges cannot be forgotten by the author
 * of a step, nor by a mutant. It keeps what it notes in typed arrays made once: steps do not nest.
 */
export interface Bookkeeper<M> {
  readonly before: (m: M) => void;
  readonly after: (m: M) => void;
  /** Rows that it writes itself. */
  readonly touches?: (m: M, may: Footprint) => void;
}

/** The step with the bookkeeper around it. Its text stays that of the step: hashes of the specification are taken of it. */
export function booked<M, C>(by: Bookkeeper<M>, step: (m: M, op: C) => ReturnType<AnyStep>): typeof step {
  const watched = (m: M, op: C): ReturnType<AnyStep> => {
    by.before(m);
    const answer = step(m, op);
    by.after(m);
    return answer;
  };
  return Object.defineProperty(watched, 'toString', { value: () => String(step) });
}

/** The operation with the bookkeeper at every step; everything else, its name included, stays as it is. */
export function bookedOperation<O extends AnyOperation, M>(op: O, by: Bookkeeper<M>): O {
  const steps = Object.entries(op.steps).map(([name, step]) => [name, booked(by as Bookkeeper<never>, step)]);
  const { touches } = op;
  const mayTouch: AnyOperation['touches'] = (m, call, may) => {
    touches?.(m, call, may);
    by.touches?.(m, may);
  };
  return { ...op, steps: Object.fromEntries(steps), ...(touches ? { touches: mayTouch } : {}) };
}
