/** What the kernel and the explorers promise to authors of specifications, each shown on a toy that breaks it. */
import { describe, expect, it } from 'vitest';
import {
  AGAIN,
  add,
  blockedBy,
  build,
  DISABLED,
  type Edit,
  failure,
  flag,
  gate,
  jumpTo,
  type Machine,
  type MachineDef,
  type MachineOptions,
  module,
  omit,
  operationOn,
  reorder,
  SpecificationError,
  type State,
  sort,
  statusName,
  table,
  u8,
  undoWith,
} from '../model/kernel/index.js';
import { invariant, noninterference, progress, relation } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { exploreTwoRuns } from './noninterference.js';
import { checkProgress } from './progress.js';

const worker = sort('worker');
const tables = {
  cell: table([worker], { value: u8(), reserved: u8() }),
  shared: table([], { total: u8(), lock: u8() }),
};
type Toy = Machine & State<typeof tables>;
const operation = operationOn<Toy>();
const reserve = failure('toy: reserve');
const limit = gate('toy: limit');

const addOne = operation('toy.addOne', {
  agent: worker,
  where: { agent: (m, op) => m.cell.value[op.agent] < 1 },
  locals: ['old'],
  touches: (m, op, may) => {
    may.write(m.cell, op.agent);
    may.write(m.shared);
  },
  errors: { FULL: -28, NOMEM: -12 },
  steps: {
    reserve: (m, op) => {
      if (m.fails(reserve)) return -12;
      m.cell.reserved[op.agent] = 1;
      return 0;
    },
    read: (m, op) => {
      if (m.on(limit) && m.shared.total[0] >= 2) return blockedBy(limit);
      op.old = m.shared.total[0];
      return 0;
    },
    write: (m, op) => {
      m.shared.total[0] = op.old + 1;
      m.cell.value[op.agent] = 1;
      m.cell.reserved[op.agent] = 0;
    },
  },
  undo: {
    reserve: (m, op) => {
      m.cell.reserved[op.agent] = 0;
    },
  },
});

const toy = (...operations: Parameters<typeof add>[0][]): MachineDef => ({
  name: 'toy',
  modules: [module<Toy, typeof tables>('toy', { tables, operations: [addOne, ...operations] })],
  threads: (scope) => Array.from({ length: scope.worker }, (_, i) => i),
});
const make = (options: Partial<MachineOptions> = {}, def = toy()) => build(def, { scope: { worker: 2 }, ...options });
const explore = (options: Partial<MachineOptions> = {}, properties = [counted]) =>
  exploreExhaustively(make(options), { properties, mayStop: () => true });

const counted = invariant<Toy>('I2', 'count', {
  states: 'the total is the number of ones',
  holds: (m) => m.shared.total[0] === m.cell.value[0] + m.cell.value[1],
  witnesses: { 'both have added': (m) => m.cell.value[0] + m.cell.value[1] === 2 },
});

describe('schedules', () => {
  it('whole: steps run as one, and the total is right', () => {
    expect(explore()).toMatchObject({ verdict: 'complete', findings: [], states: 4 });
  });

  it('split: another worker moves between reading and writing, and an update is lost', () => {
    const { findings } = explore({ schedule: 'split' });
    expect(findings.map((f) => f.property.id)).toEqual(['I2']);
    const told = findings[0].trace.map((s) => s.says);
    expect(told.at(-1)).toContain('(write)');
    // Six steps of two workers and the initial state; the count differs as soon as the second one writes.
    expect(findings[0].trace).toHaveLength(1 + 6);
  });
});

describe('failures', () => {
  it('are undone, by choice and for each n', () => {
    expect(explore({ failures: 'any' }).findings).toEqual([]);
    const first = make({ failures: { nth: 1 } });
    const result = exploreExhaustively(first, { properties: [counted], mayStop: () => true });
    expect(result.states).toBe(1);
    expect([...first.sitesFailed].some((n) => n > 0)).toBe(true);
    const second = explore({ failures: { nth: 2 } });
    expect(second.states).toBe(4);
  });

  it('that leave something behind are found without a property', () => {
    const three = { worker: 3 };
    const clean = exploreExhaustively(build(toy(), { scope: three }), { mayStop: () => true });
    expect(clean.findings).toEqual([]);
    const dirty = exploreExhaustively(build(toy(), { scope: three, edits: [undoWith(addOne, 'reserve', undefined)] }), {
      mayStop: () => true,
    });
    expect(dirty.findings.map((f) => f.property.id)).toEqual(['I10']);
    expect(dirty.findings[0].trace.at(-1)?.status).toBe('blocked by toy: limit');
  });

  it('have names', () => {
    expect(statusName(-12, addOne.errors)).toBe('NOMEM');
    expect(statusName(DISABLED)).toBe('disabled');
  });
});

describe('the frame condition', () => {
  it('finds a write that no footprint names, and who made it', () => {
    const trespass = operation('toy.trespass', {
      agent: worker,
      touches: (m, op, may) => may.write(m.cell, op.agent),
      steps: { write: (m, op) => void m.cell.reserved.fill(1, (op.agent + 1) % 2, ((op.agent + 1) % 2) + 1) },
    });
    const { findings } = explore({ edits: [add(trespass)] });
    expect(findings[0]).toMatchObject({ property: { id: 'frame' } });
    expect(findings[0].why).toContain('worker 0: toy.trespass changes cell[worker 1]');
  });
});

describe('control flow of steps', () => {
  it('jumps, waits, and chooses', () => {
    const again = jumpTo('count down');
    const loop = operation('toy.loop', {
      agent: worker,
      input: { go: flag },
      locals: ['left'],
      where: { go: (_, op) => op.go === 1 },
      steps: {
        start: (m, op) => {
          if (m.shared.lock[0] !== 0) return AGAIN;
          op.left = 3;
          return 0;
        },
        'count down': (_, op) => (--op.left > 0 ? again : 0),
        finish: (m) => {
          m.shared.lock[0] = 1 + m.choose(flag, 'which');
        },
      },
    });
    const result = explore({ edits: [add(loop)] });
    expect(result).toMatchObject({ verdict: 'complete', findings: [] });
    // The lock is 0, 1 or 2, independently of the four states without it.
    expect(result.states).toBe(12);
    expect(explore({ edits: [add(loop)], schedule: 'split' }).verdict).toBe('complete');
  });
});

describe('edits', () => {
  it('change what they name', () => {
    const { findings } = explore({ edits: [reorder(addOne, ['write', 'reserve', 'read'])] });
    expect(findings.map((f) => f.property.id)).toContain('I2');
  });

  it.each<[Edit, RegExp]>([
    [{ kind: 'omit', operation: 'toy.gone', step: 'x' }, /operation 'toy.gone'/],
    [{ kind: 'omit', operation: 'toy.addOne', step: 'x' }, /step 'x'/],
    [{ kind: 'order', operation: 'toy.addOne', steps: ['read', 'read', 'write'] }, /each once/],
  ])('that name nothing are errors (%#)', (edit, message) => {
    expect(() => make({ edits: [edit] })).toThrow(SpecificationError);
    expect(() => make({ edits: [edit] })).toThrow(message);
  });
});

describe('properties', () => {
  it('deadlocks are found unless the machine may stop', () => {
    expect(exploreExhaustively(make()).findings.map((f) => f.property.id)).toEqual(['deadlock']);
  });

  it('relations see before and after', () => {
    const monotone = relation<Toy>('up', 'up', {
      states: 'the total never falls',
      holds: (before, after) => after.shared.total[0] >= before.shared.total[0],
      witnesses: {},
    });
    const reset = operation('toy.reset', { agent: 'vmm', steps: { reset: (m) => void m.shared.total.fill(0) } });
    const run = (edits: Edit[]) =>
      exploreExhaustively(make({ edits }), { properties: [monotone], mayStop: () => true });
    expect(run([]).findings).toEqual([]);
    expect(run([add(reset)]).findings[0].trace.at(-1)?.operation).toBe('toy.reset');
  });

  it('a relation of changes is asked of steps that change something, and of no others', () => {
    const never = (ofChange: boolean) =>
      relation<Toy>('R', 'never', { states: 'no step is taken', holds: () => false, ofChange, witnesses: {} });
    const nothing = operation('toy.nothing', { agent: 'vmm', steps: { nothing: () => {} } });
    const found = (ofChange: boolean) => {
      const machine = make({ edits: [add(nothing)] });
      const { findings } = exploreExhaustively(machine, { properties: [never(ofChange)], mayStop: () => true });
      return findings.map((f) => f.mechanism);
    };
    expect(found(false)).toContain('toy.nothing');
    expect(found(true)).not.toContain('toy.nothing');
    expect(found(true).length).toBeGreaterThan(0);
  });

  it('witnesses that are never reached are told', () => {
    const { witnesses } = explore({ edits: [omit(addOne, 'write')] });
    expect(witnesses).toEqual([{ property: 'I2 count', witness: 'both have added', reached: false }]);
  });

  it('progress holds, unless some fair run avoids the goal for ever', () => {
    const all = progress<Toy>('P', 'adds', {
      states: 'everyone adds in the end',
      pending: () => true,
      goal: (m) => m.cell.value[0] === 1 && m.cell.value[1] === 1,
      witnesses: {},
    });
    const check = (edits: Edit[]) => {
      const machine = make({ edits });
      const { progressing } = exploreExhaustively(machine, { mayStop: () => true });
      return checkProgress(machine, progressing.store, all);
    };
    expect(check([])).toMatchObject({ holds: true, pendingStates: 4 });
    const fill = operation('toy.fill', { agent: 'vmm', steps: { fill: (m) => void m.shared.total.fill(9) } });
    const stuck = check([add(fill)]);
    expect(stuck.holds).toBe(false);
    expect(stuck.finding?.trace.map((s) => s.operation)).toContain('toy.fill');
    const fault = { ...fill, fault: 'F12' as const };
    expect(check([add(fault)]).finding?.trace.at(-1)?.operation).toBe('toy.fill');
  });

  it('noninterference: the view of one does not depend on the other', () => {
    const secret = noninterference<Toy>('N', 'secret', {
      states: 'what worker 0 sees does not depend on what worker 1 reserved',
      view: (m, out) => {
        out[0] = m.cell.value[0];
        out[1] = m.shared.total[0];
        return 2;
      },
      vary: (m) => {
        m.cell.reserved[1] = 7;
      },
      witnesses: {},
    });
    const quiet = exploreTwoRuns(make(), secret);
    expect(quiet).toMatchObject({ verdict: 'complete', finding: undefined });
    expect(quiet.differing).toBeGreaterThan(0);
    const leak = operation('toy.leak', {
      agent: 'vmm',
      steps: { leak: (m) => void m.shared.total.fill(m.cell.reserved[1]) },
    });
    const { finding } = exploreTwoRuns(make({ edits: [add(leak)] }), secret);
    expect(finding?.trace.map((s) => s.operation)).toEqual(['initial', 'toy.leak']);

    const onlyThere = operation('toy.onlyThere', {
      agent: worker,
      where: { agent: (m, op) => op.agent === 0 && m.cell.reserved[1] === 7 && m.cell.value[0] === 0 },
      steps: { take: (m, op) => void m.cell.value.fill(1, op.agent, op.agent + 1) },
    });
    const second = exploreTwoRuns(make({ edits: [add(onlyThere)] }), secret).finding;
    expect(second?.trace.at(-1)?.says).toContain('[in the second run only]');

    const crash = noninterference<Toy>('N', 'purge', {
      ...secret,
      vary: () => {},
      purge: (_m, _name, agent) => agent === 1,
    });
    expect(exploreTwoRuns(make(), crash).finding?.why).toContain('differs');
  });
});
