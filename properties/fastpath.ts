/**
 * The fast path in the model: the operations of the data path (submit, complete, notify, translate) allocate nothing, map nothing and
 * send no control message; and a line that becomes non-empty is notified at most once. Counts come from the ledger (model/ledger.ts);
 * which operations are the data path, they say themselves (`path`).
 */
import { type DataPathRole, type Machine, OUTCOMES } from '../model/kernel/index.js';
import {
  ALLOCATION,
  CHARGES,
  type ChargeName,
  CONTROL_MESSAGE,
  charged,
  chargesInWords,
  MAPPING,
  NOTIFICATION,
  type Wakes,
} from '../model/ledger.js';
import { type Invariant, invariant, type Relation, relation } from './property.js';

/** Most that one operation may charge, by kind; kinds that are not named are free. */
export type Limits = Readonly<Partial<Record<ChargeName, number>>>;

/** What holds of every architecture: no allocation, no mapping, no control message. */
export const FRUGAL: Limits = {
  [CHARGES[ALLOCATION]]: 0,
  [CHARGES[MAPPING]]: 0,
  [CHARGES[CONTROL_MESSAGE]]: 0,
};

/** What one architecture adds: nothing is mapped away, flushed or copied either. */
export const STANDING: Limits = { unmapping: 0, invalidation: 0, copy: 0 };

export interface DataPath {
  /** Parts that the machine's data path has; an operation of each must run, or the property is vacuous. */
  readonly roles: readonly DataPathRole[];
  /** Limits beyond FRUGAL. Under `split`, a limit above zero is for each step. */
  readonly limits?: Limits;
  /** What single operations may do beyond that, by name: `{ 'net.filter': { copy: 1 } }`. */
  readonly allow?: Readonly<Record<string, Limits>>;
  /** Kinds that operations off the path must be seen to charge: otherwise the ledger might just be blind to them. */
  readonly elsewhere?: readonly ChargeName[];
}

/** No limit. */
const FREE = 0x7fff_ffff;

/** The step relation that bounds what the data path charges. */
export function frugalDataPath(path: DataPath): Relation<Machine> {
  const general: Limits = { ...FRUGAL, ...path.limits };
  const most = limitsByKind(general);
  const allowed = new Map(
    Object.entries(path.allow ?? {}).map(([name, more]) => [name, limitsByKind({ ...general, ...more })]),
  );
  return relation<Machine>('FP1', 'frugal', {
    states: statement(general, path.allow ?? {}),
    holds: (_before, m) => {
      if (m.charged === 0) return true;
      const { op } = m.current;
      if (op.path === undefined || !path.roles.includes(op.path)) return true;
      const limits = allowed.get(op.name) ?? most;
      for (let kind = 0; kind < limits.length; kind++) if (charged(m, kind) > limits[kind]) return false;
      return true;
    },
    explain: (_before, m) => `${m.current.op.name} is on the data path and charges ${chargesInWords(m)}`,
    witnesses: Object.fromEntries([
      ...path.roles.map((role) => [`${role} has run`, (m: Machine) => anyHasRun(m, role)]),
      ...(path.elsewhere ?? []).map((name) => {
        const kind = CHARGES.indexOf(name);
        return [`${name} off the data path`, (m: Machine) => charged(m, kind) > 0 && m.current.op.path === undefined];
      }),
    ]),
  });
}

function limitsByKind(limits: Limits): Int32Array {
  return Int32Array.from(CHARGES, (name) => limits[name] ?? FREE);
}

function statement(general: Limits, allow: Readonly<Record<string, Limits>>): string {
  const words = (limits: Limits): string =>
    Object.entries(limits)
      .map(([name, limit]) => (limit === 0 ? `no ${name}` : `at most ${limit} ${name}`))
      .join(', ');
  const exceptions = Object.entries(allow).map(([name, more]) => `; ${name}: ${words(more)}`);
  return `an operation of the data path makes ${words(general)}${exceptions.join('')}`;
}

/** Whether an operation with this part has succeeded on this machine, at any time. */
function anyHasRun(m: Machine, role: DataPathRole): boolean {
  for (let i = 0; i < m.operations.length; i++) {
    if (m.outcomes[i * OUTCOMES] > 0 && m.operations[i].op.path === role) return true;
  }
  return false;
}

/** One direction of a ring or channel: who puts things there and may wake the reader. */
export interface WakingLine<M> {
  /** Names of the operations that notify along it. */
  readonly by: readonly string[];
  /** Whether something lay there, unread, before the transition; the call that ran is `m.current.call`. */
  readonly waits: (before: M, m: M) => boolean;
  /** How its notifications are charged, where the reader is woken by a call and by nothing else (default: notification). */
  readonly charge?: number;
}

/**
 * The step relation that bounds notifications: only who finds the line empty notifies, and once. So there is at most one for each time that
 * the line becomes non-empty, and no state is needed to know it. For operations that run as one; others need `notifiedOnce`.
 */
export function wokenOnce<M extends Machine>(lines: readonly WakingLine<M>[]): Relation<M> {
  const lineOf = new Map(lines.flatMap((l) => l.by.map((name) => [name, l] as const)));
  const sends = (m: M): number => {
    const line = lineOf.get(m.current.op.name);
    return line === undefined ? 0 : charged(m, line.charge ?? NOTIFICATION);
  };
  return relation<M>('FP2', 'woken once', {
    states:
      'whoever makes a line non-empty notifies its reader at most once, and nobody notifies along a line where something waits',
    holds: (before, m) => {
      if (m.charged === 0) return true;
      const n = sends(m);
      return n === 0 || (n === 1 && lineOf.get(m.current.op.name)?.waits(before, m) === false);
    },
    explain: (_before, m) =>
      sends(m) > 1
        ? `${m.current.op.name} notifies ${sends(m)} times`
        : `${m.current.op.name} notifies although something waits already`,
    witnesses: Object.fromEntries(
      lines.map((l) => [`${l.by[0]} notifies`, (m: M) => lineOf.get(m.current.op.name) === l && sends(m) > 0]),
    ),
  });
}

/** At most one notification for each time a line becomes non-empty. For machines with the module `wakes`. */
export const notifiedOnce: Invariant<Wakes> = invariant<Wakes>('FP2', 'once', {
  states: 'at most one notification is sent for each time a line becomes non-empty',
  holds: (m) => {
    for (let l = 0; l < m.wakes.rows; l++) if (m.wakes.surplus[l] === 1) return false;
    return true;
  },
  explain: (m) => `line ${m.wakes.surplus.indexOf(1)} was notified although nothing had become non-empty since`,
  witnesses: {
    'a notification is sent': (m) => charged(m, NOTIFICATION) > 0,
  },
});
