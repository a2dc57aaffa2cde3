/** The ledger and its properties on the smallest data path: a counter of waiting requests, one line. */
import { describe, expect, it } from 'vitest';
import { exploreExhaustively } from '../explore/exhaustive.js';
import {
  build,
  type Edit,
  failure,
  insertBefore,
  type MachineDef,
  type MachineOptions,
  module,
  OK,
  omit,
  operationOn,
  replace,
  type State,
  table,
  u8,
} from '../model/kernel/index.js';
import {
  ALLOCATION,
  becameNonEmpty,
  COPY,
  CROSSING,
  charge,
  charging,
  line,
  MAPPING,
  notified,
  type Wakes,
  wakes,
} from '../model/ledger.js';
import { frugalDataPath, notifiedOnce, wokenOnce } from './fastpath.js';

const tables = { queue: table([], { waiting: u8(), tables: u8() }) };
type Queue = Wakes & State<typeof tables>;
const operation = operationOn<Queue>();
const tableAllocation = charging(failure('allocate a table, in a test'), ALLOCATION);
const DEPTH = 2;

/** Publishes a request, and notifies when the queue was empty. */
const submit = operation('submit', {
  agent: 'guest',
  path: 'submit',
  where: { agent: (m) => m.queue.waiting[0] < DEPTH },
  locals: ['wasEmpty'],
  steps: {
    publish: (m, op) => {
      op.wasEmpty = m.queue.waiting[0] === 0 ? 1 : 0;
      m.queue.waiting[0]++;
      if (op.wasEmpty) becameNonEmpty(m, 0);
    },
    notify: (m, op) => {
      if (op.wasEmpty === 1) {
        charge(m, CROSSING);
        notified(m, 0);
      }
    },
  },
});

const complete = operation('complete', {
  agent: 'driver',
  path: 'complete',
  where: { agent: (m) => m.queue.waiting[0] > 0 },
  steps: {
    take: (m) => {
      m.queue.waiting[0]--;
    },
  },
});

/** The slow path: allocates, and may. */
const grow = operation('grow', {
  agent: 'vmm',
  where: { agent: (m) => m.queue.tables[0] === 0 },
  steps: {
    allocate: (m) => (m.fails(tableAllocation) ? -12 : OK),
    map: (m) => {
      m.queue.tables[0] = 1;
      charge(m, MAPPING);
    },
  },
});

const machine: MachineDef = {
  name: 'queue',
  modules: [wakes, module<Queue, typeof tables>('queue', { tables, operations: [submit, complete, grow] })],
  threads: () => ['guest'],
};

const frugal = frugalDataPath({
  roles: ['submit', 'complete'],
  limits: { copy: 0, 'domain crossing': 0 },
  allow: { submit: { 'domain crossing': 1 } },
  elsewhere: ['allocation', 'mapping'],
});
const woken = wokenOnce<Queue>([{ by: ['submit'], waits: (before) => before.queue.waiting[0] > 0 }]);

function explore(options: Omit<MachineOptions, 'scope'> & { edits?: readonly Edit[] } = {}) {
  const m = build(machine, { ...options, scope: { [line.name]: 1 } });
  const properties = options.schedule === 'split' ? [frugal, notifiedOnce] : [frugal, notifiedOnce, woken];
  return exploreExhaustively(m, { properties, stopAtFirst: true });
}

describe('the ledger', () => {
  it.each(['whole', 'split'] as const)(
    'finds nothing on a frugal data path (%s), though the slow path allocates',
    (schedule) => {
      const result = explore({ schedule, failures: 'any' });
      expect(result).toMatchObject({ verdict: 'complete', findings: [] });
      expect(result.witnesses.filter((w) => !w.reached)).toEqual([]);
    },
  );

  it('adds no state: charges are of the transition', () => {
    const without = explore({
      edits: [omit(grow, 'allocate'), replace(grow, 'map', (m) => void m.queue.tables.fill(1))],
    });
    expect(explore().states).toBe(without.states);
  });

  it.each([
    [
      'an allocation, charged by the site it passes',
      insertBefore(submit, 'publish', 'allocate', (m) => (m.fails(tableAllocation) ? -12 : 0)),
    ],
    ['a mapping for each buffer', insertBefore(submit, 'publish', 'map', (m) => charge(m, MAPPING))],
    ['a copy', insertBefore(complete, 'take', 'copy', (m) => charge(m, COPY))],
    [
      'two crossings',
      insertBefore(submit, 'publish', 'enter twice', (m) => {
        charge(m, CROSSING);
        charge(m, CROSSING);
      }),
    ],
  ])('finds %s', (_name, edit) => {
    for (const schedule of ['whole', 'split'] as const) {
      const [finding] = explore({ edits: [edit], schedule }).findings;
      expect(finding?.property.id).toBe('FP1');
      expect(finding?.why).toMatch(/is on the data path and charges [123] /);
      expect(finding?.trace.length).toBeLessThanOrEqual(4);
    }
  });

  it('finds a notification for every request', () => {
    const edits = [replace(submit, 'notify', (m) => notified(m, 0))];
    for (const schedule of ['whole', 'split'] as const) {
      expect(explore({ edits, schedule }).findings[0]?.property.id).toBe('FP2');
    }
  });

  it('finds, without a line to count on, whoever notifies where something waits, and whoever notifies twice', () => {
    const broken = (edit: Edit): string | undefined => {
      const m = build(machine, { edits: [edit], scope: { [line.name]: 1 } });
      return exploreExhaustively(m, { properties: [woken], stopAtFirst: true }).findings[0]?.why;
    };
    expect(broken(replace(submit, 'notify', (m) => notified(m, 0)))).toContain('although something waits already');
    const twice = insertBefore(submit, 'notify', 'notify early', (m, op) => {
      if (op.wasEmpty === 1) notified(m, 0);
    });
    expect(broken(twice)).toContain('notifies 2 times');
  });

  it('calls the property vacuous when a role never runs', () => {
    const edits = [replace(submit, 'publish', () => -1), omit(submit, 'notify')];
    const unreached = explore({ edits }).witnesses.filter((w) => !w.reached);
    expect(unreached.map((w) => w.witness)).toContain('submit has run');
  });
});
