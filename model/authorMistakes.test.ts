/** Mistakes of authors: a machine, a scope or an edit that does not fit together is refused, in a line that names what is wrong. */
import { describe, expect, it } from 'vitest';
import { block } from '../drivers/suites/block.js';
import { ring } from '../drivers/suites/ring.js';
import { virtqueue } from '../drivers/suites/virtqueue.js';
import {
  type AnyOperation,
  add,
  build,
  type Edit,
  jumpTo,
  type Machine,
  type MachineOptions,
  module,
  OK,
  omit,
  operationOn,
  reorder,
  type Scope,
  SpecificationError,
  type State,
  sort,
  table,
  u8,
} from './kernel/index.js';

const worker = sort('worker of a mistake');
const tables = { place: table([worker], { value: u8() }) };
type Toy = Machine & State<typeof tables>;
const operation = operationOn<Toy>();

const work = operation('toy.work', {
  agent: worker,
  steps: { first: () => OK, second: () => OK },
});
const elsewhere = operation('toy.elsewhere', { agent: worker, steps: { first: () => OK } });

/** The refusal when a machine of these operations is built, with these edits. */
function refusal(operations: readonly AnyOperation[], options: Partial<MachineOptions> = {}): string {
  const toy = module<Toy, typeof tables>('toy', { tables, operations });
  return refusalOf(() => build({ name: 'toy', modules: [toy] }, { scope: { [worker.name]: 2 }, ...options }));
}

function refusalOf(make: () => unknown): string {
  try {
    make();
  } catch (thrown) {
    if (thrown instanceof SpecificationError) return thrown.message;
    throw thrown;
  }
  return 'nothing was refused';
}

const edited = (edit: Edit): string => refusal([work], { edits: [edit] });
const like = (name: string, change: object): AnyOperation => ({ ...work, name, ...change });

describe('operations', () => {
  it.each<[string, readonly AnyOperation[], string]>([
    ['none at all', [], 'the machine toy has no operations'],
    ['two of a name', [work, work], "two operations are named 'toy.work'"],
    ['one without steps', [like('toy.idle', { steps: {} })], 'toy.idle has no steps'],
    [
      'one with too many steps',
      [like('toy.long', { steps: Object.fromEntries(Array.from({ length: 128 }, (_, i) => [`step ${i}`, () => OK])) })],
      'toy.long has more than 128 steps',
    ],
    [
      'an input of a name that code cannot have',
      [like('toy.odd', { input: { 'a-b': worker } })],
      "an input or local named 'a-b'",
    ],
    [
      'a guard on no input',
      [like('toy.guarded', { where: { other: () => true } })],
      "guards 'other', which is none of its inputs",
    ],
  ])('refuses %s', (_, operations, says) => expect(refusal(operations)).toContain(says));
});

describe('machines', () => {
  it('refuse two tables of a name, and a name that machines have', () => {
    const twice = module<Toy, typeof tables>('again', { tables, operations: [] });
    const taken = module<Machine, { fire: typeof tables.place }>('taken', {
      tables: { fire: tables.place },
      operations: [work],
    });
    const options = { scope: { [worker.name]: 2 } };
    const first = module<Toy, typeof tables>('toy', { tables, operations: [work] });
    expect(refusalOf(() => build({ name: 'toy', modules: [first, twice] }, options))).toContain(
      "a table named 'place'",
    );
    expect(refusalOf(() => build({ name: 'toy', modules: [taken] }, options))).toContain(
      "a table cannot be named 'fire'",
    );
  });

  it('refuse a field of a name that tables have', () => {
    const odd = module<Machine, { place: ReturnType<typeof table> }>('odd', {
      tables: { place: table([worker], { rows: u8() }) },
      operations: [work],
    });
    const made = (): unknown => build({ name: 'toy', modules: [odd] }, { scope: { [worker.name]: 2 } });
    expect(refusalOf(made)).toBe("a field of place cannot be named 'rows': tables have that name");
  });

  it('refuse a scope that leaves a sort without a size', () => {
    expect(refusal([work], { scope: {} })).toBe(
      "the scope of toy does not say how many members 'worker of a mistake' has",
    );
  });
});

describe('edits', () => {
  it.each<[string, Edit, string]>([
    ['an operation that is not there', omit(elsewhere, 'first'), "an edit names the operation 'toy.elsewhere'"],
    ['a step that is not there', { ...omit(work, 'first'), step: 'third' } as Edit, "an edit names the step 'third'"],
    [
      'an order that leaves a step out',
      reorder(work, ['first']),
      'orders the steps of toy.work but does not name each once',
    ],
    ['an operation that is there already', add(work), "two operations are named 'toy.work'"],
  ])('refuse %s', (_, edit, says) => expect(edited(edit)).toContain(says));
});

describe('jumps', () => {
  const jumping = (to: string): string => {
    // Labels are declared before machines are built.
    const jump = jumpTo(to);
    const loop = operation('toy.loop', { agent: worker, steps: { first: () => OK, again: () => jump } });
    return refusalOf(() => {
      const toy = module<Toy, typeof tables>('toy', { tables, operations: [loop] });
      const m = build({ name: 'toy', modules: [toy] }, { scope: { [worker.name]: 1 } });
      m.loadInitial();
      m.choices.begin();
      m.fire(0);
    });
  };
  it('refuse to go round for ever', () => expect(jumping('first')).toBe("toy.loop jumps without end at 'first'"));
  it('refuse to leave the operation', () =>
    expect(jumping('nowhere')).toContain("jumps to 'nowhere', which is none of its steps"));
});

describe('scopes of the shipped machines', () => {
  const initial = (s: typeof ring, change: Scope): string =>
    refusalOf(() => build(s.machine, { scope: { ...s.scope.default, ...change } }).loadInitial());

  it.each<[string, typeof ring, Scope, string]>([
    ['three slots', ring, { slot: 3 }, 'a ring has 1, 2, 4, ... slots, not 3'],
    ['an index that wraps too soon', ring, { slot: 2, index: 2 }, 'counts modulo a power of two from 4, not 2'],
    ['a disk of three sectors', block, { sector: 3 }, 'a disk has 4 or 8 sectors, not 3'],
    ['requests as long as the disk', block, { segment: 4, sector: 4 }, 'need a disk of more than 4 sectors'],
    ['one place for two backends', block, { backend: 1 }, 'places for backends, not 1'],
    ['a virtqueue of three', virtqueue, { descriptor: 3 }, 'a virtqueue has 2, 4, 8, ... descriptors, not 3'],
    ['a virtqueue whose index wraps too soon', virtqueue, { index: 2 }, 'modulo a power of two from 4 to 256, not 2'],
    ['more frontends than disk', block, { frontend: 9 }, 'the disk is too small for its frontends'],
  ])('refuse %s', (_, s, change, says) => expect(initial(s, change)).toContain(says));
});
