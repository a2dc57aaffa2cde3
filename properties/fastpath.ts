/**
 * The fast path in the model: the operations of the data path (submit, complete, notify, translate) allocate nothing, map nothing and
 * send no control message; and a line that becomes non-empty is notified at most once. Counts come from the ledger (model/ledger.ts).
 */
import { type AnyOperation, type DataPathRole, type Machine, OUTCOMES } from '../model/kernel/index.js';
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

/** Which operations play which role. */
export type DataPath = Readonly<Partial<Record<DataPathRole, readonly AnyOperation[]>>>;

/** Most that one operation may charge, by kind; kinds that are not named are free. */
export type Limits = Readonly<Partial<Record<ChargeName, number>>>;

/** What holds of every architecture: no allocation, no mapping, no control message. */
export const FRUGAL: Limits = {
  [CHARGES[ALLOCATION]]: 0,
  [CHARGES[MAPPING]]: 0,
  [CHARGES[CONTROL_MESSAGE]]: 0,
};

/**
 * The step relation that bounds what the data path charges.
 * @param path the operations, by role; each role that is named must run, or the property is vacuous
 * @param more limits beyond FRUGAL: `{ copy: 0, invalidation: 1 }`. Under `split`, a limit above zero is for each step.
 * @param elsewhere kinds that operations off the path must be seen to charge: otherwise the ledger might just be blind to them
 */
export function frugalDataPath(
  path: DataPath,
  more: Limits = {},
  elsewhere: readonly ChargeName[] = [],
): Relation<Machine> {
  const limits: Limits = { ...FRUGAL, ...more };
  const kinds: number[] = [];
  const most: number[] = [];
  CHARGES.forEach((name, kind) => {
    const limit = limits[name];
    if (limit === undefined) return;
    kinds.push(kind);
    most.push(limit);
  });
  const onPath = new Set<AnyOperation>(Object.values(path).flat());
  const bounds = Object.entries(limits).map(([name, limit]) =>
    limit === 0 ? `no ${name}` : `at most ${limit} ${name}`,
  );
  return relation<Machine>('FP1', 'frugal', {
    states: `an operation of the data path makes ${bounds.join(', ')}`,
    holds: (_before, m) => {
      if (m.charged === 0 || !onPath.has(m.current.op)) return true;
      for (let i = 0; i < kinds.length; i++) if (charged(m, kinds[i]) > most[i]) return false;
      return true;
    },
    explain: (_before, m) => `${m.current.op.name} is on the data path and charges ${chargesInWords(m)}`,
    witnesses: Object.fromEntries([
      ...Object.entries(path).map(([role, operations]) => [
        `${role} has run`,
        (m: Machine) => anyHasRun(m, operations),
      ]),
      ...elsewhere.map((name) => {
        const kind = CHARGES.indexOf(name);
        return [`${name} off the data path`, (m: Machine) => charged(m, kind) > 0 && !onPath.has(m.current.op)];
      }),
    ]),
  });
}

/** Whether one of the operations has succeeded on this machine, at any time. */
function anyHasRun(m: Machine, operations: readonly AnyOperation[]): boolean {
  for (let i = 0; i < m.operations.length; i++) {
    if (m.outcomes[i * OUTCOMES] > 0 && operations.includes(m.operations[i].op)) return true;
  }
  return false;
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
