/**
 * Random exploration with fast-check: it owns the generator, the seed and the shrinking; runs are drawn from the enabled operations.
 * A counterexample is shrunk, replayed once on a fresh machine (disagreement is its own verdict), and finished by a breadth-first search
 * that either finds a shorter one or proves that there is none.
 */
import fc from 'fast-check';
import type { Machine } from '../model/kernel/index.js';
import type { AnyProperty } from '../properties/property.js';
import { contract } from './contract.js';
import { exploreExhaustively, type Finding } from './exhaustive.js';
import { Novelty } from './novelty.js';
import { type BrokenProperty, type Run, type RunStep, Walker } from './walk.js';

export interface RandomOptions {
  readonly properties: readonly AnyProperty[];
  /** Most runs; the time limit may end the exploration earlier. */
  readonly runs: number;
  /** Most steps of a run. */
  readonly steps: number;
  readonly seed: number;
  readonly timeMs?: number | undefined;
  /** Switch fault families off, and favour operations, at random for each run (default: yes). */
  readonly swarm?: boolean;
  readonly frameCondition?: boolean;
  readonly stopAtFirst?: boolean;
  /** Bounds the search that proves a counterexample minimal. */
  readonly finishStates?: number;
  readonly onProgress?: ((progress: { runs: number; executed: number; findings: number }) => boolean) | undefined;
}

export interface RandomFinding extends Finding {
  /** fast-check's seed and path: the same generator finds the same run again. No path: found by going on from earlier runs. */
  readonly seed: number;
  readonly path: string;
  /** Steps after shrinking, before the finishing search. */
  readonly shrunkLength: number;
  readonly minimal: 'proved' | 'not proved';
}

export interface RandomResult {
  readonly verdict: 'holds' | 'broken' | 'disagreement';
  readonly runs: number;
  /** Operations really executed, shrinking not counted. */
  readonly executed: number;
  /** Executed operations by name. */
  readonly perOperation: Readonly<Record<string, number>>;
  readonly findings: readonly RandomFinding[];
  readonly disagreements: readonly string[];
  readonly witnesses: readonly { readonly property: string; readonly witness: string; readonly reached: boolean }[];
  readonly interrupted: boolean;
}

const BATCH = 100;
/** Most steps of a run in the first batches; later batches use all. */
const LADDER = [4, 6, 8, 10, 12, 16, 20, 30];
/** Runs that look for a shorter counterexample of the same property before the finishing search. */
const SHORTER_RUNS = 1500;
/** The same, for a counterexample of more than `LONG` steps: those hide shorter ones best. */
const SHORTER_RUNS_IF_LONG = 4000;
const LONG = 8;
const SHRINK_MS = 5000;

/** Explores the machine at random. Seeds make it repeatable: batch i uses seed + i. */
export function exploreRandomly(machine: Machine, options: RandomOptions): RandomResult {
  const walker = new Walker(machine, {
    properties: options.properties,
    frameCondition: options.frameCondition ?? true,
  });
  const arbitrary = new RunArbitrary(walker, options.steps, options.swarm ?? true);
  const novelty = new Novelty();
  const known = new Set<string>();
  const findings: RandomFinding[] = [];
  const disagreements: string[] = [];
  const counted = { runs: 0, executed: 0, perKind: new Float64Array(machine.transitionKinds) };
  const until = options.timeMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + options.timeMs;
  let interrupted = false;

  for (let batch = 0; counted.runs < options.runs && performance.now() < until; batch++) {
    const seed = (options.seed + batch) | 0;
    let target: BrokenProperty | undefined;
    const before = { executed: walker.executed, perKind: walker.executedByKind.slice() };
    const count = (): void => {
      counted.executed += walker.executed - before.executed;
      walker.executedByKind.forEach((n, k) => {
        counted.perKind[k] += n - before.perKind[k];
      });
    };
    // Short runs first: what they find is close to minimal.
    arbitrary.steps = batch < LADDER.length ? Math.min(LADDER[batch], options.steps) : options.steps;
    arbitrary.novelty = batch < LADDER.length || batch % 4 === 0 ? undefined : novelty;
    const property = fc.property(arbitrary, (run) => {
      const { broken } = walker.execute(run, target);
      if (!broken || known.has(keyOf(broken))) return true;
      if (target === undefined) {
        target = broken;
        count();
      }
      return false;
    });
    const numRuns = Math.min(BATCH, options.runs - counted.runs);
    const details = fc.check(property, { seed, numRuns, endOnFailure: false, interruptAfterTimeLimit: SHRINK_MS * 4 });
    counted.runs += details.numRuns;
    if (target === undefined) count();
    const counterexample = details.counterexample?.[0];
    if (target !== undefined && counterexample !== undefined) {
      known.add(keyOf(target));
      const { run } = walker.execute(counterexample, target);
      const again = new Walker(machine.rebuild(), { properties: options.properties, frameCondition: true });
      const replayed = again.execute(run, target);
      if (replayed.broken === undefined || replayed.run.steps.length !== run.steps.length) {
        disagreements.push(
          `${target.id} ${target.name} broke, but not when the same run was replayed on a fresh machine`,
        );
      } else {
        // A guided run depends on the runs before it: only the whole exploration repeats it, or its trace.
        const origin = { seed, path: arbitrary.novelty ? '' : (details.counterexamplePath ?? '') };
        findings.push(finish(again, shorten(again, run, target, seed), target, origin, options));
      }
      if (options.stopAtFirst) break;
    }
    if (options.onProgress?.({ runs: counted.runs, executed: counted.executed, findings: findings.length })) {
      interrupted = true;
      break;
    }
  }
  const perOperation: Record<string, number> = {};
  machine.operations.forEach((o, k) => {
    perOperation[o.op.name] = counted.perKind[k];
  });
  return {
    verdict: disagreements.length > 0 ? 'disagreement' : findings.length > 0 ? 'broken' : 'holds',
    runs: counted.runs,
    executed: counted.executed,
    perOperation,
    findings,
    disagreements,
    witnesses: walker.reached,
    interrupted,
  };
}

const keyOf = (p: BrokenProperty): string => `${p.id} ${p.name}`;

/** Finds a shorter counterexample by breadth-first search, or shows that there is none. */
function finish(
  walker: Walker,
  run: Run,
  target: BrokenProperty,
  origin: { seed: number; path: string },
  options: RandomOptions,
): RandomFinding {
  const { m } = walker;
  const { why } = walker.execute(run, target);
  const property = options.properties.find((p) => (p as BrokenProperty) === target);
  const search = exploreExhaustively(m.rebuild(), {
    properties: property ? [property] : [],
    frameCondition: property === undefined,
    mayStop: () => true,
    stopAtFirst: true,
    maxDepth: Math.max(0, run.steps.length - 1),
    maxStates: options.finishStates ?? 200_000,
  });
  const shorter = search.findings.find((f) => f.property.id === target.id && f.property.name === target.name);
  const proved = shorter !== undefined || search.verdict === 'complete' || search.truncatedBy === 'depth';
  const trace = shorter?.trace ?? walker.tell(run);
  return {
    property: target,
    why: shorter?.why ?? why,
    trace,
    mechanism: trace.at(-1)?.operation ?? '',
    ...origin,
    shrunkLength: run.steps.length,
    minimal: proved ? 'proved' : 'not proved',
  };
}

/**
 * Looks for shorter counterexamples of the same property by further short runs, shrunk in turn: leaving steps out of one run alone ends
 * in a local minimum.
 */
function shorten(walker: Walker, run: Run, target: BrokenProperty, seed: number): Run {
  let best = contract(walker, run, target);
  for (let round = 1; best.steps.length > 1; round++) {
    const arbitrary = new RunArbitrary(walker, best.steps.length - 1, true, target);
    arbitrary.novelty = new Novelty();
    const property = fc.property(arbitrary, (shorter) => walker.execute(shorter, target).broken === undefined);
    const numRuns = best.steps.length > LONG ? SHORTER_RUNS_IF_LONG : SHORTER_RUNS;
    const parameters = { numRuns, endOnFailure: false, interruptAfterTimeLimit: SHRINK_MS };
    const { counterexample } = fc.check(property, { seed: seed + round, ...parameters });
    const found = counterexample && walker.execute(counterexample[0], target).run;
    if (!found || found.steps.length >= best.steps.length) return best;
    best = contract(walker, found, target);
  }
  return best;
}

/** Runs as fast-check sees them: drawn by the walker, shrunk by leaving steps out and lowering answers. */
class RunArbitrary extends fc.Arbitrary<Run> {
  constructor(
    private readonly walker: Walker,
    public steps: number,
    private readonly swarm: boolean,
    private readonly only?: BrokenProperty,
  ) {
    super();
  }

  /** Go on from earlier runs that reached new states. */
  novelty: Novelty | undefined = undefined;

  generate(random: fc.Random): fc.Value<Run> {
    return new fc.Value(
      this.walker.draw((size) => random.nextInt(0, size - 1), this.steps, this.swarm, {
        only: this.only,
        novelty: this.novelty,
      }),
      undefined,
    );
  }

  canShrinkWithoutContext(value: unknown): value is Run {
    return typeof value === 'object' && value !== null && 'steps' in value && 'initial' in value;
  }

  shrink(value: Run): fc.Stream<fc.Value<Run>> {
    return new fc.Stream(smaller(value)).map((run) => new fc.Value(run, undefined));
  }
}

/** Smaller runs, largest cuts first: chunks, single steps, pairs of steps, ends that go from another start, lower answers. */
function* smaller(run: Run): IterableIterator<Run> {
  const { initial, steps } = run;
  const n = steps.length;
  for (let size = Math.ceil(n / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = n - size; at >= 0; at -= size) {
      yield { initial, steps: [...steps.slice(0, at), ...steps.slice(at + size)] };
    }
  }
  if (n <= 24) {
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) yield { initial, steps: steps.filter((_, at) => at !== i && at !== j) };
    }
  }
  yield* fromOtherStarts(run);
  for (let i = 0; i < n; i++) {
    for (const digits of lower(steps[i])) {
      yield { initial, steps: steps.map((s, at) => (at === i ? { kind: s.kind, digits } : s)) };
    }
  }
}

/** The first steps may only lead from one initial state to what another one is already. */
function* fromOtherStarts({ initial, steps }: Run): IterableIterator<Run> {
  for (let d = 0; d < initial.length; d++) {
    for (let v = 0; v <= initial[d] + 2; v++) {
      if (v === initial[d]) continue;
      const other = initial.map((old, at) => (at === d ? v : old));
      for (let from = steps.length - 1; from >= 1; from--) yield { initial: other, steps: steps.slice(from) };
    }
  }
}

function* lower(step: RunStep): IterableIterator<number[]> {
  for (let d = 0; d < step.digits.length; d++) {
    for (let v = 0; v < step.digits[d]; v++) yield step.digits.map((old, at) => (at === d ? v : old));
  }
}
