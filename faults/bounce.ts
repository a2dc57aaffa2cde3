/** H30: bounce buffers that leak, and slots handed out twice. */
import { mutant } from '../drivers/suite.js';
import { mapBounce, unmapBounce } from '../model/bounce.js';
import { OK, omit, replace } from '../model/kernel/index.js';

export const notInitialised = mutant('CVE-2022-48853', {
  says: 'for a buffer that the device writes, the slot is not filled from the buffer',
  source: 'H30, CVE-2022-0854, CVE-2022-48853',
  edits: [
    replace(mapBounce, 'copy the buffer', (m, op) => {
      if (op.direction === 1) return;
      for (let h = 0; h < op.halves; h++)
        m.slot.holds[m.slot.at(op.slot, h)] = m.original.holds[m.original.at(op.agent, h)];
    }),
  ],
});
export const halfInitialised = mutant('first half initialised', {
  says: 'only the first part of the slot is filled from the buffer',
  source: 'H30: the fix that was reverted and redone; I7 “first element only”',
  edits: [
    replace(mapBounce, 'copy the buffer', (m, op) => {
      const halves = op.direction === 1 ? 1 : op.halves;
      for (let h = 0; h < halves; h++)
        m.slot.holds[m.slot.at(op.slot, h)] = m.original.holds[m.original.at(op.agent, h)];
    }),
  ],
});
export const wholeCopiedBack = mutant('whole slot copied back', {
  says: 'the whole slot is copied back, however much of the buffer was mapped',
  source: 'H30: the announced length',
  edits: [
    replace(unmapBounce, 'copy back', (m, op) => {
      if (m.slots.direction[op.slot] === 0) return;
      for (let h = 0; h < 2; h++) m.original.holds[m.original.at(op.agent, h)] = m.slot.holds[m.slot.at(op.slot, h)];
    }),
  ],
});
export const slotTwice = mutant('CVE-2024-35814', {
  says: 'the search for a slot does not step over the one that is taken, so two buffers overlap',
  source: 'H30, CVE-2024-35814',
  edits: [
    replace(mapBounce, 'find a slot', (_m, op) => {
      op.slot = 0;
      return OK;
    }),
  ],
});
export const slotLost = mutant('slot not put back', {
  says: 'an unmapped slot stays off the free list',
  source: 'generated: omitted step',
  edits: [omit(unmapBounce, 'put it back')],
});
