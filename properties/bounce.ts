/** What bounce buffers must keep: nobody's data in another's buffer, and slots that are taken once. */
import { type Bounce, DEVICE_DATA, deviceWrites, FIRST_USER } from '../model/bounce.js';
import { NONE } from '../model/kernel/index.js';
import { invariant, relation } from './property.js';

/** Whether the user may find this in its buffer. */
const itsOwn = (holds: number, user: number): boolean => holds <= DEVICE_DATA || holds === FIRST_USER + user;

export const buffersClean = invariant<Bounce>('I11', 'bytes', {
  states: 'a buffer holds its user’s data or the device’s, and never what a slot held before',
  holds: (m) => {
    const users = m.original.rows / 2;
    for (let u = 0; u < users; u++)
      for (let h = 0; h < 2; h++) if (!itsOwn(m.original.holds[u * 2 + h], u)) return false;
    return true;
  },
  witnesses: {
    'a free slot holds what a user left in it': (m) => {
      for (let s = 0; s < m.slots.rows; s++)
        if (m.slots.user[s] === NONE && m.slot.holds[s * 2] >= FIRST_USER) return true;
      return false;
    },
    'a device has written half of what it announced': (m) => {
      for (let u = 0; u < m.original.rows / 2; u++) {
        if (m.original.holds[u * 2] === DEVICE_DATA && m.original.holds[u * 2 + 1] === FIRST_USER + u) return true;
      }
      return false;
    },
  },
});

export const slotsOnce = invariant<Bounce>('I2', 'slots', {
  states: 'a slot is free or has one user, and no user has two',
  holds: (m) => {
    for (let s = 0; s < m.slots.rows; s++) {
      const user = m.slots.user[s];
      if ((user === NONE) !== (((m.pool.free[0] >> s) & 1) === 1)) return false;
      for (let u = 0; u < m.mapping.rows; u++) if ((m.mapping.slot[u] === s) !== (user === u)) return false;
    }
    return true;
  },
  witnesses: { 'all slots are taken': (m) => m.pool.free[0] === 0 },
});

export const unmappedStill = relation<Bounce>('I4', 'unmapped', {
  states: 'a device changes no buffer, but slots only',
  holds: (before, after) => {
    if (after.current.op.name !== deviceWrites.name) return true;
    return after.original.holds.every((h, i) => h === before.original.holds[i]);
  },
  witnesses: { 'a slot is mapped for the device to write': (m) => m.slots.direction.includes(1) },
});

export const contentKept = relation<Bounce>('I15', 'content', {
  states: 'unmapping gives the user what the slot holds, and mapping changes no buffer',
  holds: (before, after) => {
    const { op, call } = after.current;
    if (op.name === 'bounce.map') return after.original.holds.every((h, i) => h === before.original.holds[i]);
    if (op.name !== 'bounce.unmap') return true;
    const s = before.mapping.slot[call.agent];
    for (let h = 0; h < 2; h++) {
      const copied = before.slots.direction[s] === 1 && h < before.slots.halves[s];
      const expected = copied ? before.slot.holds[s * 2 + h] : before.original.holds[call.agent * 2 + h];
      if (after.original.holds[call.agent * 2 + h] !== expected) return false;
    }
    return true;
  },
  witnesses: { 'a buffer holds what a device wrote': (m) => m.original.holds.includes(DEVICE_DATA) },
});
