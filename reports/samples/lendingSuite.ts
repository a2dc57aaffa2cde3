/**
 * A suite small enough to be explored in milliseconds, for tests of reports and integrations: a VMM lends frames to devices and takes them
 * back, devices cache what they may reach, and a hostile device writes wherever it likes.
 */

import { claim, mutant, type Suite, suite } from '../../drivers/suite.js';
import {
  blockedBy,
  type Edit,
  gate,
  type Machine,
  type MachineDef,
  module,
  OK,
  omit,
  operationOn,
  type State,
  setOf,
  sort,
  table,
  u8,
} from '../../model/kernel/index.js';
import { invariant } from '../../properties/property.js';

const device = sort('device');
const frame = sort('frame');

const tables = {
  /** What the translation tables allow each device. */
  lent: table([device], { frames: setOf(frame) }),
  /** What each device's cached translations allow it. */
  cache: table([device], { frames: setOf(frame) }),
  /** Writes that reached a frame which was not lent to the writer. */
  damage: table([], { frame: u8() }),
};

type Lending = Machine & State<typeof tables>;
const operation = operationOn<Lending>();

const has = (set: number, member: number): boolean => ((set >> member) & 1) === 1;

/** Translations are flushed from the device's cache when they are taken away. */
export const flush = gate('sample cache flush');
/** Requests are checked against the tables and the cache. */
export const check = gate('sample IOMMU');

export const lend = operation('sample.lend', {
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

export const takeBack = operation('sample.takeBack', {
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

export const fill = operation('sample.fill', {
  agent: 'iommu',
  says: 'caches {frame} for {device}',
  input: { device, frame },
  where: {
    frame: (m, op) => has(m.lent.frames[op.device], op.frame) && !has(m.cache.frames[op.device], op.frame),
  },
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

const NOT_LENT = -1;

export const attack = operation('sample.attack', {
  agent: device,
  says: 'writes {frame}',
  fault: 'F2',
  input: { frame },
  touches: (m, op, may) => {
    may.read(m.lent, op.agent);
    may.read(m.cache, op.agent);
    may.write(m.damage);
  },
  errors: { not_lent: NOT_LENT },
  steps: {
    translate: (m, op) => {
      const allowed = m.lent.frames[op.agent] | m.cache.frames[op.agent];
      return m.on(check) && !has(allowed, op.frame) ? blockedBy(check) : OK;
    },
    write: (m, op) => {
      if (!has(m.lent.frames[op.agent], op.frame)) m.damage.frame[0] = 1;
    },
  },
});

const machine: MachineDef = {
  name: 'lending',
  modules: [
    module<Lending, typeof tables>('lending', {
      tables,
      operations: [lend, takeBack, fill, attack],
      map: (m) =>
        Array.from({ length: m.lent.rows }, (_, d) => {
          const list = (set: number): string =>
            Array.from({ length: m.size(frame) }, (_f, f) => f)
              .filter((f) => has(set, f))
              .join(' ') || '-';
          return `device ${d}: lent ${list(m.lent.frames[d])}, cached ${list(m.cache.frames[d])}`;
        }),
    }),
  ],
};

const reach = invariant<Lending>('I1', 'reach', {
  states: 'no device writes a frame that is not lent to it',
  holds: (m) => m.damage.frame[0] === 0,
  explain: () => 'a device wrote a frame that is not lent to it, through an entry of its cache',
  witnesses: {
    'a device caches an entry': (m) => m.cache.frames[0] !== 0,
    'a frame is lent': (m) => m.lent.frames[0] !== 0,
  },
});

/** Edits that plant the bug which a report must tell of. */
export const plantedBug: readonly Edit[] = [omit(takeBack, 'flush cache')];

const forgetsTable = mutant('table-kept', {
  says: 'a frame that is taken back stays in the device table, and the cache keeps it',
  source: 'made for this sample',
  edits: plantedBug,
});

/** @param options other names and titles, and a bug that is really there */
export function lendingSuite(options: { name?: string; title?: string; says?: string } = {}): Suite {
  return suite(options.name ?? 'lending', {
    title: options.title ?? 'devices that borrow frames, under DMA to memory of others',
    machine,
    scope: { small: { device: 1, frame: 1 }, default: { device: 2, frame: 2 } },
    claims: [
      claim(options.says ?? 'a device reaches only what is lent to it', {
        keeps: [reach],
        against: ['F2'],
        without: [
          { off: flush, breaks: reach },
          { off: check, breaks: reach },
          { off: forgetsTable, breaks: reach },
        ],
      }),
    ],
    assumptions: ['the VMM is trusted', 'a lent frame has one borrower'],
  });
}

/** The same suite with a bug in the specification itself: a step replaced by one that does nothing. */
export function brokenLendingSuite(name = 'lending'): Suite {
  const good = lendingSuite({ name });
  const broken = operation('sample.takeBack', {
    ...takeBack,
    steps: { ...takeBack.steps, 'flush cache': () => {} },
  });
  const modules = machine.modules.map((mod) => ({
    ...mod,
    operations: mod.operations.map((o) => (o.name === broken.name ? broken : o)),
  }));
  const claims = good.claims.map((c) => ({ ...c, without: c.without.filter((w) => w.off === check) }));
  return { ...good, machine: { ...machine, modules }, claims };
}
