/**
 * Bounce buffers (swiotlb): slots that every device can reach, into which buffers are copied before and from which after. Each buffer and
 * each slot has two halves; what a half holds is whose data it is. Source: Linux `kernel/dma/swiotlb.c` (swiotlb_tbl_map_single,
 * swiotlb_bounce, swiotlb_release_slots); CVE-2022-48853 for the copy before a device writes, CVE-2024-35814 for slots that overlap.
 *
 * Must keep: I11 a user finds in its buffer what the device wrote or what was there, and nobody else's data; I2 a slot has one user, and a
 * free list that says so; I4 after unmapping nothing of the buffer is changed by the device.
 */
import {
  type Machine,
  type MachineDef,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  setOf,
  sort,
  table,
  u8,
} from './kernel/index.js';

export const bounceUser = sort('bounce user');
export const bounceSlot = sort('bounce slot');
const bufferHalf = sort('half', { members: ['lower half', 'upper half'] });
export const direction = sort('direction', { members: ['to the device', 'from the device'] });
/** How many halves are mapped, and how many the device really writes. */
export const length = sort('length', { members: ['nothing', 'half', 'all'] });

/** What a half holds: nothing, what the device wrote, or a user's data (user + FIRST_USER). */
export const NOTHING = 0;
export const DEVICE_DATA = 1;
export const FIRST_USER = 2;

export const bounceTables = {
  original: table([bounceUser, bufferHalf], { holds: u8() }),
  slot: table([bounceSlot, bufferHalf], { holds: u8() }),
  slots: table([bounceSlot], {
    user: ref(bounceUser),
    halves: u8(),
    direction: oneOf('to the device', 'from the device'),
  }),
  /** What the user was told: the slot of its mapping. */
  mapping: table([bounceUser], { slot: ref(bounceSlot) }),
  /** Slots that the allocator takes for free. */
  pool: table([], { free: setOf(bounceSlot) }),
};
export type Bounce = Machine & State<typeof bounceTables>;
const operation = operationOn<Bounce>();
const ERRORS = { '-ENOSPC': -28, '-EBUSY': -16 } as const;
const ENOSPC = -28;
const EBUSY = -16;

/** Slot of a user, or -1. */
export function slotOf(m: Bounce, user: number): number {
  const slot = m.mapping.slot[user];
  return slot === NONE ? -1 : slot;
}

function touchUser(m: Bounce, user: number, may: { write(t: Bounce['original'], row: number): void }): void {
  for (let h = 0; h < 2; h++) may.write(m.original, m.original.at(user, h));
}
function touchSlots(m: Bounce, may: { writeAll(t: Bounce['slot' | 'slots' | 'pool']): void }): void {
  may.writeAll(m.slot);
  may.writeAll(m.slots);
  may.writeAll(m.pool);
}

/** The user puts data of its own into its buffer. */
export const fillBuffer = operation('bounce.fill', {
  agent: bounceUser,
  says: 'fills its buffer',
  where: { agent: (m, op) => slotOf(m, op.agent) < 0 },
  touches: (m, op, may) => touchUser(m, op.agent, may),
  steps: {
    fill: (m, op) => {
      for (let h = 0; h < 2; h++) m.original.holds[m.original.at(op.agent, h)] = FIRST_USER + op.agent;
    },
  },
});

export const mapBounce = operation('bounce.map', {
  agent: bounceUser,
  says: 'maps {halves} of its buffer, {direction}',
  source: 'swiotlb.c, swiotlb_tbl_map_single',
  input: { direction, halves: length },
  locals: ['slot'],
  where: { halves: (_m, op) => op.halves > 0 },
  touches: (m, op, may) => {
    touchSlots(m, may);
    may.write(m.mapping, op.agent);
  },
  errors: ERRORS,
  steps: {
    'not mapped yet': (m, op) => (slotOf(m, op.agent) < 0 ? OK : EBUSY),
    'find a slot': (m, op) => {
      if (m.pool.free[0] === 0) return ENOSPC;
      op.slot = 31 - Math.clz32(m.pool.free[0] & -m.pool.free[0]);
      return OK;
    },
    'take it': (m, op) => {
      m.pool.free[0] &= ~(1 << op.slot);
      m.slots.user[op.slot] = op.agent;
      m.slots.halves[op.slot] = op.halves;
      m.slots.direction[op.slot] = op.direction;
      m.mapping.slot[op.agent] = op.slot;
    },
    // Both ways: a device that writes less than announced must not leave what was in the slot before.
    'copy the buffer': (m, op) => {
      for (let h = 0; h < op.halves; h++)
        m.slot.holds[m.slot.at(op.slot, h)] = m.original.holds[m.original.at(op.agent, h)];
    },
  },
});

/** The device writes as much as it likes, into any slot: it reaches them all. */
export const deviceWrites = operation('bounce.write', {
  agent: 'device',
  says: 'writes {halves} of {slot}',
  source: 'swiotlb: the pool is mapped for every device',
  input: { slot: bounceSlot, halves: length },
  where: {
    slot: (m, op) => m.slots.user[op.slot] !== NONE && m.slots.direction[op.slot] === 1,
    halves: (m, op) => op.halves <= m.slots.halves[op.slot],
  },
  touches: (m, op, may) => {
    for (let h = 0; h < 2; h++) may.write(m.slot, m.slot.at(op.slot, h));
  },
  atomic: true,
  steps: {
    write: (m, op) => {
      for (let h = 0; h < op.halves; h++) m.slot.holds[m.slot.at(op.slot, h)] = DEVICE_DATA;
    },
  },
});

export const unmapBounce = operation('bounce.unmap', {
  agent: bounceUser,
  says: 'unmaps its buffer',
  source: 'swiotlb.c, swiotlb_tbl_unmap_single, swiotlb_release_slots',
  locals: ['slot'],
  where: { agent: (m, op) => slotOf(m, op.agent) >= 0 },
  touches: (m, op, may) => {
    touchSlots(m, may);
    touchUser(m, op.agent, may);
    may.write(m.mapping, op.agent);
  },
  steps: {
    'find the slot': (m, op) => {
      op.slot = slotOf(m, op.agent);
    },
    'copy back': (m, op) => {
      if (m.slots.direction[op.slot] === 0) return;
      for (let h = 0; h < m.slots.halves[op.slot]; h++) {
        m.original.holds[m.original.at(op.agent, h)] = m.slot.holds[m.slot.at(op.slot, h)];
      }
    },
    'release the slot': (m, op) => {
      m.mapping.slot[op.agent] = NONE;
      m.slots.user[op.slot] = NONE;
      m.slots.halves[op.slot] = 0;
      m.slots.direction[op.slot] = 0;
    },
    'put it back': (m, op) => {
      m.pool.free[0] |= 1 << op.slot;
    },
  },
});

/** Scope: `bounce user`, `bounce slot`. */
export const bounceMachine: MachineDef = {
  name: 'bounce buffers',
  modules: [
    module<Bounce, typeof bounceTables>('bounce buffers', {
      tables: bounceTables,
      operations: [fillBuffer, mapBounce, deviceWrites, unmapBounce],
      initial: (m) => {
        m.slots.user.fill(NONE);
        m.mapping.slot.fill(NONE);
        m.pool.free[0] = (1 << m.slots.rows) - 1;
      },
    }),
  ],
};
