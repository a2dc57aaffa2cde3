/** The suite that `ringfence init` writes: short, complete, and with everything that a suite of one's own needs. */

export const SUITE_TEMPLATE = `/**
 * A suite of our own: a VMM lends frames to devices and takes them back; devices cache translations; a hostile device writes anything.
 * Change the machine to yours: state first, then operations as named steps, then what they must keep.
 */
import { blockedBy, claim, gate, invariant, module, mutant, omit, operationOn, setOf, sort, suite, table, u8 } from 'ringfence';

// Sorts are small named sets; the scope says how many members each has.
const device = sort('device');
const frame = sort('frame');

// The state: tables of small integers, indexed by sorts.
const tables = {
  lent: table([device], { frames: setOf(frame) }),
  cache: table([device], { frames: setOf(frame) }),
  damage: table([], { done: u8() }),
};

const operation = operationOn();
const has = (set, member) => ((set >> member) & 1) === 1;

// A gate stops attacks, and can be switched off: then the claim must break.
const flush = gate('cache flush');
const check = gate('translation check');

const lend = operation('lend', {
  agent: 'vmm',
  says: 'lends {frame} to {device}',
  input: { device, frame },
  where: { frame: (m, op) => !has(m.lent.frames[op.device], op.frame) },
  touches: (m, op, may) => may.write(m.lent, op.device),
  steps: {
    'write entry': (m, op) => {
      m.lent.frames[op.device] |= 1 << op.frame;
    },
  },
});

const takeBack = operation('takeBack', {
  agent: 'vmm',
  says: 'takes {frame} back from {device}',
  input: { device, frame },
  where: { frame: (m, op) => has(m.lent.frames[op.device], op.frame) },
  touches: (m, op, may) => {
    may.write(m.lent, op.device);
    may.write(m.cache, op.device);
  },
  steps: {
    'clear entry': (m, op) => {
      m.lent.frames[op.device] &= ~(1 << op.frame);
    },
    'flush cache': (m, op) => {
      if (m.on(flush)) m.cache.frames[op.device] &= ~(1 << op.frame);
    },
  },
});

const fill = operation('fill', {
  agent: 'iommu',
  says: 'caches {frame} for {device}',
  input: { device, frame },
  where: { frame: (m, op) => has(m.lent.frames[op.device], op.frame) && !has(m.cache.frames[op.device], op.frame) },
  touches: (m, op, may) => {
    may.read(m.lent, op.device);
    may.write(m.cache, op.device);
  },
  idle: true,
  steps: {
    'add entry': (m, op) => {
      m.cache.frames[op.device] |= 1 << op.frame;
    },
  },
});

// An attack is an operation with a fault class.
const attack = operation('attack', {
  agent: device,
  says: 'writes {frame}',
  fault: 'F2',
  input: { frame },
  touches: (m, op, may) => {
    may.read(m.lent, op.agent);
    may.read(m.cache, op.agent);
    may.write(m.damage);
  },
  steps: {
    translate: (m, op) => {
      const allowed = m.lent.frames[op.agent] | m.cache.frames[op.agent];
      if (m.on(check) && !has(allowed, op.frame)) return blockedBy(check);
    },
    write: (m, op) => {
      if (!has(m.lent.frames[op.agent], op.frame)) m.damage.done[0] = 1;
    },
  },
});

// What must hold in every state that can be reached; its witnesses must be reached, or it would mean nothing.
const reach = invariant('I1', 'reach', {
  states: 'no device writes a frame that is not lent to it',
  holds: (m) => m.damage.done[0] === 0,
  witnesses: {
    'a frame is lent': (m) => m.lent.frames[0] !== 0,
    'a device caches an entry': (m) => m.cache.frames[0] !== 0,
  },
});

const noFlush = mutant('no-flush', {
  says: 'a frame is taken back and the cache keeps it',
  source: 'the classic mistake',
  edits: [omit(takeBack, 'flush cache')],
});

export const lending = suite('lending', {
  title: 'devices that borrow frames, under DMA to memory of others',
  machine: { name: 'lending', modules: [module('lending', { tables, operations: [lend, takeBack, fill, attack] })] },
  scope: { small: { device: 1, frame: 1 }, default: { device: 2, frame: 2 } },
  claims: [
    claim('a device reaches only what is lent to it', {
      keeps: [reach],
      against: ['F2'],
      without: [
        { off: flush, breaks: reach },
        { off: check, breaks: reach },
        { off: noFlush, breaks: reach },
      ],
    }),
  ],
  assumptions: ['the VMM is trusted'],
});
`;
