/** What fault recording must keep: software can learn of every fault, and of none that did not happen. */
import {
  type FaultMachine,
  faultHappens,
  handleOverflow,
  handleRecord,
  pendingSources,
  sourceId,
} from '../model/vtd/faultMachine.js';
import { FRI, FSTS, OVERFLOW, PENDING } from '../model/vtd/faultRecords.js';
import { invariant, relation } from './property.js';

const fsts = (m: FaultMachine): number => m.faultStatus.value[FSTS];

/** No fault goes by without a record of its source or the overflow bit. */
export const faultsTold = invariant<FaultMachine>('I10', 'told', {
  states: 'every fault that software has not heard of has a pending record of its source, or the overflow bit is set',
  holds: (m) => {
    const silent = m.untold.sources[0] & ~pendingSources(m);
    return silent === 0 || ((fsts(m) & OVERFLOW) !== 0 && (silent & ~m.untold.overflowed[0]) === 0);
  },
  witnesses: {
    'all records are pending': (m) => m.faultRecord.pending.every((p) => p !== 0),
    overflow: (m) => (fsts(m) & OVERFLOW) !== 0,
    'overflow and no record': (m) => (fsts(m) & OVERFLOW) !== 0 && (fsts(m) & PENDING) === 0,
  },
});

/** PPF and FRI say what the records say. */
export const statusAgrees = invariant<FaultMachine>('vtd-status', 'pending', {
  states: 'PPF is set exactly while a record is pending, and FRI names a pending one',
  holds: (m) => {
    const any = m.faultRecord.pending.some((p) => p !== 0);
    if (((fsts(m) & PENDING) !== 0) !== any) return false;
    return !any || m.faultRecord.pending[m.faultStatus.value[FRI]] !== 0;
  },
  witnesses: {
    'the second record is pending, the first is not': (m) =>
      m.faultRecord.pending[0] === 0 && m.faultRecord.pending[1] !== 0,
  },
});

/** A record names the true source of a fault, and does not change while it is pending. */
export const recordsTrue = relation<FaultMachine>('I8', 'source', {
  states: 'a new record names the source of its fault, and a pending record does not change',
  holds: (before, after) => {
    const name = after.current.op.name;
    const agent = after.current.call.agent;
    for (let i = 0; i < after.faultRecord.rows; i++) {
      const was = before.faultRecord.pending[i] !== 0;
      const is = after.faultRecord.pending[i] !== 0;
      if (!is) continue;
      if (!was && (name !== faultHappens.name || after.faultRecord.source[i] !== sourceId(agent))) return false;
      if (was && after.faultRecord.source[i] !== before.faultRecord.source[i]) return false;
      if (was && after.faultRecord.reason[i] !== before.faultRecord.reason[i]) return false;
    }
    return true;
  },
  witnesses: {
    'records of two sources': (m) =>
      m.faultRecord.pending[0] !== 0 &&
      m.faultRecord.pending[1] !== 0 &&
      m.faultRecord.source[0] !== m.faultRecord.source[1],
    'two records of one source': (m) =>
      m.faultRecord.pending[0] !== 0 &&
      m.faultRecord.pending[1] !== 0 &&
      m.faultRecord.source[0] === m.faultRecord.source[1],
  },
});

/** While overflow is set nothing is recorded. */
export const overflowCloses = relation<FaultMachine>('vtd-overflow', 'closed', {
  states: 'nothing is recorded while the overflow bit is set',
  holds: (before, after) => {
    if ((fsts(before) & OVERFLOW) === 0 || after.current.op.name === handleRecord.name) return true;
    for (let i = 0; i < after.faultRecord.rows; i++) {
      if (before.faultRecord.pending[i] === 0 && after.faultRecord.pending[i] !== 0) return false;
    }
    return true;
  },
  witnesses: {
    'overflow with a free record': (m) => (fsts(m) & OVERFLOW) !== 0 && m.faultRecord.pending.some((p) => p === 0),
  },
});

/** What software has handled is over. */
export const handledIsCleared = relation<FaultMachine>('I4', 'handled', {
  states: 'when software has handled a record or the overflow, it is cleared, and the record is the one that FRI named',
  holds: (before, after) => {
    const { op } = after.current;
    if (op.name === handleOverflow.name) return (fsts(after) & OVERFLOW) === 0;
    if (op.name !== handleRecord.name) return true;
    return after.faultRecord.pending[before.faultStatus.value[FRI]] === 0;
  },
  witnesses: {
    'a record is pending after an overflow': (m) => (fsts(m) & OVERFLOW) !== 0 && (fsts(m) & PENDING) !== 0,
  },
});
