/** What a split virtqueue must keep for each side, whatever the other writes. */
import { NONE } from '../model/kernel/index.js';
import { collect, complete, MOST, type Queue } from '../model/virtqueue.js';
import { indexDistance, nextIndex } from '../model/virtqueueScope.js';
import { invariant, relation } from './property.js';

export const completionsMatch = relation<Queue>('I6', 'match', {
  states: 'a completion that the driver takes is of one outstanding request, and no longer than it offered',
  holds: (before, after, status) => {
    if (after.current.op.name !== collect.name || status !== 0) return true;
    const { id, length } = after.current.call as unknown as { id: number; length: number };
    return id < before.request.rows && before.request.state[id] === 1 && length <= before.request.length[id];
  },
  witnesses: {
    'two requests are outstanding': (m) => m.request.state[0] === 1 && m.request.state[1] === 1,
    'the driver has given up on the device': (m) => m.driver.broken[0] === 1,
  },
  explain: (_before, after) =>
    `the driver takes a completion of ${after.current.call.id} with length ${after.current.call.length}`,
});

export const mappedMatch = invariant<Queue>('I5', 'mapped', {
  states: 'the buffers that are mapped are those of the outstanding requests',
  holds: (m) => {
    let outstanding = 0;
    for (let d = 0; d < m.request.rows; d++) if (m.request.state[d] === 1) outstanding |= 1 << m.request.buffer[d];
    return m.driver.mapped[0] === outstanding;
  },
  witnesses: {
    'a descriptor in use was rewritten': (m) => m.request.state[0] === 1 && m.desc.buffer[0] !== m.request.buffer[0],
  },
});

export const walksEnd = invariant<Queue>('I12', 'walk', {
  states: 'the device takes no more steps in a chain than the ring has descriptors',
  holds: (m) => m.deviceSide.walked[0] <= m.desc.rows,
  witnesses: {
    'a chain of all descriptors was walked': (m) => m.deviceSide.walked[0] === m.desc.rows && m.flights.count[0] > 0,
    'a chain leads back to itself': (m) => m.desc.next[0] === 0,
  },
});

export const flightsBounded = invariant<Queue>('I14', 'in flight', {
  states: 'no more requests are in flight than the ring has entries',
  holds: (m) => m.flights.count[0] <= m.inFlight.rows,
  witnesses: { 'as many as there can be': (m) => m.flights.count[0] === m.inFlight.rows },
});

export const takenAvailable = relation<Queue>('I12', 'available', {
  states: 'the device takes no request when the driver claims to have made more available than the ring holds',
  holds: (before, after, status) => {
    if (after.current.op.name !== 'queue.take' || status !== 0) return true;
    return indexDistance(before, before.indices.avail[0], before.deviceSide.seen[0]) <= before.avail.rows;
  },
  witnesses: { 'the device has given up on the driver': (m) => m.deviceSide.broken[0] === 1 },
});

export const lengthsFit = invariant<Queue>('I7', 'length', {
  states: 'a request that is in flight has a length, and one that fits',
  holds: (m) => m.flights.count[0] === 0 || (m.deviceSide.total[0] > 0 && m.deviceSide.total[0] <= MOST),
  witnesses: { 'the longest request is in flight': (m) => m.flights.count[0] > 0 && m.deviceSide.total[0] === MOST },
});

/** With nobody hostile: refinement. Both sides see every request once, in order. */
export const honestRun = invariant<Queue>('I6', 'honest', {
  states: 'between two honest sides nothing breaks, and what is outstanding is available, in flight or used',
  holds: (m) => {
    if (m.hostile.who[0] !== 0) return true;
    if (m.driver.broken[0] === 1 || m.deviceSide.broken[0] === 1) return false;
    const available = indexDistance(m, m.indices.avail[0], m.deviceSide.seen[0]);
    const used = indexDistance(m, m.indices.used[0], m.driver.seen[0]);
    let outstanding = 0;
    for (let d = 0; d < m.request.rows; d++) outstanding += m.request.state[d];
    return outstanding === available + m.flights.count[0] + used;
  },
  witnesses: {
    'the ring has wrapped': (m) =>
      m.hostile.who[0] === 0 && nextIndex(m, m.indices.used[0]) === 0 && m.request.buffer[0] !== NONE,
  },
});

export const usedHonest = relation<Queue>('I6', 'completed', {
  states: 'an honest device completes the oldest request in flight, with a length that was offered',
  holds: (before, after) => {
    if (after.current.op.name !== complete.name) return true;
    const at = before.indices.used[0] % before.used.rows;
    const head = before.inFlight.head[0];
    if (after.indices.used[0] !== nextIndex(before, before.indices.used[0])) return false;
    return after.used.id[at] === head && after.used.length[at] <= before.desc.length[head];
  },
  witnesses: { 'a request is in flight': (m) => m.flights.count[0] > 0 },
});

/** What stops a hostile device for good. */
export const givenUp = relation<Queue>('I12', 'given up', {
  states: 'a driver that has given up on its device offers nothing and takes nothing any more',
  ofChange: true,
  holds: (before, after) => {
    const { op } = after.current;
    return op.agent !== 'driver' || op.fault !== undefined || before.driver.broken[0] === 0;
  },
  witnesses: { 'the driver has given up on the device': (m) => m.driver.broken[0] === 1 },
});
