/** H35, H37, H40: drivers that believe devices, and devices that believe drivers. */
import { mutant } from '../drivers/suite.js';
import { guardWith, OK, omit, replace } from '../model/kernel/index.js';
import { addBuffer, collect, complete, take } from '../model/virtqueue.js';

/** Replaces the driver's check by one that leaves a part out. */
const checks = (range: boolean, outstanding: boolean, length: boolean) =>
  replace(collect, 'check it', (m, op) => {
    const inRange = op.id < m.request.rows;
    const bad =
      (range && !inRange) ||
      (outstanding && inRange && m.request.state[op.id] === 0) ||
      (length && inRange && op.length > m.request.length[op.id] && m.request.state[op.id] === 1);
    if (!bad) return OK;
    m.driver.broken[0] = 1;
    return -5;
  });

export const idUnchecked = mutant('id out of range', {
  says: 'the id of a completion is taken for an index without a look at the range',
  source: 'H35, vmbus e8b7db38; H40',
  edits: [checks(false, true, true)],
});
export const notOutstanding = mutant('completion of nothing', {
  says: 'the driver does not ask whether the request is outstanding',
  source: 'H35, blkfront b94e4b147fd1, NVMe e7006de6',
  edits: [checks(true, false, true)],
});
export const lengthUnchecked = mutant('used length unchecked', {
  says: 'the length of a completion is taken as it is',
  source: 'H35, H40 (used.len not bounded)',
  edits: [checks(true, true, false)],
});
export const sharedBelieved = mutant('descriptor read again', {
  says: 'what to unmap is read from the descriptor, which the device can write',
  source: 'H40, VIA; Linux 44593865 and the desc_extra series',
  edits: [
    replace(collect, 'unmap the buffer', (m, op) => {
      m.driver.mapped[0] &= ~(1 << m.desc.buffer[op.id]);
    }),
  ],
});
export const chainUnbounded = mutant('chain without a bound', {
  says: 'a chain that leads back to itself is followed for ever',
  source: 'H37: a cycle of next',
  edits: [
    replace(take, 'walk the chain', (m, op) => {
      op.at = op.head;
      for (op.steps = 0; op.at < m.desc.rows && op.steps < 7; op.steps++) op.at = m.desc.next[op.at];
      m.deviceSide.walked[0] = op.steps;
      op.total = 1;
      return OK;
    }),
  ],
});
export const zeroLength = mutant('CVE-2016-6490', {
  says: 'a request without length is taken, and its consumer makes no progress',
  source: 'H37, CVE-2016-6490',
  edits: [replace(take, 'check the length', (_m, op) => (op.total <= 3 ? OK : -5))],
});
export const totalOverflows = mutant('chain total too long', {
  says: 'the sum of the lengths of a chain is not looked at',
  source: 'H37, rust-vmm PR 236',
  edits: [replace(take, 'check the length', (_m, op) => (op.total > 0 ? OK : -5))],
});
export const inFlightUnbounded = mutant('CVE-2016-5403', {
  says: 'requests are taken without a look at how many are in flight',
  source: 'H37, CVE-2016-5403 (QEMU afd9096eb1)',
  edits: [omit(take, 'check what is in flight')],
});
export const distanceIgnored = mutant('index far ahead', {
  says: 'an available index that is further ahead than the ring is long is followed',
  source: 'H37, rust-vmm 16f1b01',
  edits: [omit(take, 'check the distance')],
});
export const usedNotBounded = mutant('longer than offered', {
  says: 'the device completes with a length that was not offered',
  source: 'H35; XSA-216 for the bytes that then reach the driver',
  edits: [
    replace(complete, 'write the entry', (m, op) => {
      const at = m.indices.used[0] % m.used.rows;
      m.used.id[at] = op.head;
      m.used.length[at] = 3;
    }),
  ],
});

export const offersOn = mutant('driver offers on', {
  says: 'a driver that has given up on its device goes on offering it buffers',
  source: 'generated: omitted guard',
  edits: [guardWith(addBuffer, 'agent', (m) => m.hostile.who[0] !== 2)],
});
