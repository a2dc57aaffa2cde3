/** Mistakes of fault recording, as edits of machine `vtd-faults`. */

import { mutant } from '../drivers/suite.js';
import { replace } from '../model/kernel/index.js';
import { faultHappens, handleOverflow, handleRecord, registersOf, sourceId } from '../model/vtd/faultMachine.js';
import { COMPRESSED, FSTS, NEXT, OVERFLOW, PENDING, recordFault } from '../model/vtd/faultRecords.js';

export const overflowForgotten = mutant('overflow not set', {
  says: 'a fault that finds no free record is dropped without a word',
  source: 'VT-d 7.2.2',
  edits: [
    replace(faultHappens, 'log', (m, op) => {
      const before = m.faultStatus.value[FSTS];
      op.outcome = recordFault(registersOf(m), sourceId(op.agent), 5, op.write === 1, op.agent, op.compress === 1);
      m.faultStatus.value[FSTS] = (m.faultStatus.value[FSTS] & ~OVERFLOW) | (before & OVERFLOW);
    }),
  ],
});
export const compressedAcross = mutant('faults of others compressed', {
  says: 'a fault is compressed into a pending record of another source',
  source: 'VT-d 7.2.2; H41 60c (source ids confused)',
  edits: [
    replace(faultHappens, 'log', (m, op) => {
      const r = registersOf(m);
      op.outcome = m.faultRecord.pending.some((p) => p !== 0)
        ? COMPRESSED
        : recordFault(r, sourceId(op.agent), 5, op.write === 1, op.agent, false);
    }),
  ],
});
export const recordOverwritten = mutant('pending record overwritten', {
  says: 'the record after the last one is the first, pending or not',
  source: 'VT-d 7.2.2',
  edits: [
    replace(faultHappens, 'log', (m, op) => {
      const r = registersOf(m);
      r.pending[r.status[NEXT]] = 0;
      op.outcome = recordFault(r, sourceId(op.agent), 5, op.write === 1, op.agent, op.compress === 1);
    }),
  ],
});
export const recordedAfterOverflow = mutant('recorded after overflow', {
  says: 'faults are recorded again as soon as a record is free, with overflow still set',
  source: 'VT-d 7.2.2',
  edits: [
    replace(faultHappens, 'log', (m, op) => {
      const r = registersOf(m);
      const overflow = r.status[FSTS] & OVERFLOW;
      r.status[FSTS] &= ~OVERFLOW;
      op.outcome = recordFault(r, sourceId(op.agent), 5, op.write === 1, op.agent, op.compress === 1);
      r.status[FSTS] |= overflow;
    }),
  ],
});
export const pendingCleared = mutant('PPF cleared with one record', {
  says: 'clearing one record clears PPF, though another is pending',
  source: 'VT-d 10.4.9',
  edits: [
    replace(handleRecord, 'clear', (m, op) => {
      m.faultRecord.pending[op.at] = 0;
      m.faultStatus.value[FSTS] &= ~PENDING;
    }),
  ],
});

export const overflowStays = mutant('overflow not cleared', {
  says: 'software has handled an overflow, and the bit stays: nothing is ever recorded again',
  source: 'generated: omitted step',
  edits: [replace(handleOverflow, 'clear', () => {})],
});
