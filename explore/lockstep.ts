/**
 * Lockstep: random programs, each step performed by the specification and by a target, and what is seen compared. fast-check generates
 * and shrinks; a greedy pass then leaves out every step that is not needed; the result is replayed once before it is reported.
 *
 * A target that answers without a promise is never made to wait for one within a program.
 */
import fc from 'fast-check';
import type { Disagreement, LockstepOracle, LockstepTarget, MaybePromise } from '../drivers/target.js';

/** What came of one program. */
export interface ProgramResult<Step> {
  /** Steps really performed (those that the oracle accepts). */
  readonly performed: readonly Step[];
  /** The first disagreement that no known one explains. */
  readonly disagreement: Disagreement | undefined;
  /** Known disagreements met, with the number of steps performed when each was met first. */
  readonly known: ReadonlyMap<string, { readonly says: string; readonly steps: number }>;
}

function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

/** Continues with a value, now or when it has come. */
function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? value.then(next) : next(value);
}

/** Performs one program on both sides, up to the first disagreement that is not known. */
export function runProgram<Step, Observation>(
  program: readonly Step[],
  target: LockstepTarget<Step, Observation>,
  oracle: LockstepOracle<Step, Observation>,
): MaybePromise<ProgramResult<Step>> {
  const performed: Step[] = [];
  const known = new Map<string, { says: string; steps: number }>();
  let waiting: Step[] = [];
  let i = 0;
  /** Notes a known disagreement; answers an unknown one. */
  const weigh = (d: Disagreement | undefined): Disagreement | undefined => {
    if (d === undefined || d.known.length === 0) return d;
    for (const id of d.known) if (!known.has(id)) known.set(id, { says: d.says, steps: performed.length });
    return undefined;
  };
  const end = (disagreement: Disagreement | undefined): ProgramResult<Step> => ({ performed, disagreement, known });
  const go = (): MaybePromise<ProgramResult<Step>> => {
    while (i < program.length) {
      const step = program[i++];
      if (!oracle.accepts(step)) continue;
      performed.push(step);
      waiting.push(step);
      if (!oracle.advance(step)) continue;
      const steps = waiting;
      waiting = [];
      const seen = target.perform(steps);
      if (isPromise(seen)) {
        return seen.then((o) => {
          const found = weigh(oracle.judge(o));
          return found === undefined ? go() : end(found);
        });
      }
      const found = weigh(oracle.judge(seen));
      if (found !== undefined) return end(found);
    }
    return andThen(target.finish(waiting), (seen) => end(weigh(oracle.finish(seen))));
  };
  return andThen(target.reset(), () => {
    oracle.reset();
    return go();
  });
}

/** A disagreement that is not known, with the smallest program found for it. */
export interface LockstepFinding<Step> {
  readonly mechanism: string;
  readonly says: string;
  readonly program: readonly Step[];
  /** No single step can be left out. */
  readonly minimal: boolean;
  /** Replayed once: `agrees` when the same mechanism showed again. */
  readonly replay: 'agrees' | 'differs';
  readonly seed: number;
  readonly path: string;
}

export interface LockstepOptions<Step, Observation> {
  readonly programs: fc.Arbitrary<readonly Step[]>;
  readonly seed: number;
  /** Most programs; the time limit may come first. */
  readonly runs?: number | undefined;
  readonly timeMs: number;
  /** Time for shrinking one finding. */
  readonly shrinkMs?: number;
  /** A target that has run nothing yet, for the replay of a finding; without it, the same one after a reset. */
  readonly fresh?: FreshTarget<Step, Observation> | undefined;
  readonly stopAtFirst?: boolean;
  readonly onProgress?: ((p: LockstepProgress) => void) | undefined;
  /** Told of the program under which the target failed, before its error is thrown. */
  readonly onBroken?: ((program: readonly Step[]) => void) | undefined;
  readonly shouldStop?: (() => boolean) | undefined;
}

/** Lends a fresh target, and ends it afterwards. */
export type FreshTarget<Step, Observation> = <R>(
  use: (target: LockstepTarget<Step, Observation>) => Promise<R>,
) => Promise<R>;

export interface LockstepProgress {
  readonly programs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly findings: number;
}

export interface LockstepResult<Step> {
  readonly verdict: 'agrees' | 'disagrees' | 'not reproducible';
  readonly programs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly interrupted: boolean;
  readonly findings: readonly LockstepFinding<Step>[];
  /** Known disagreements met: how often, and a smallest program for each. */
  readonly known: ReadonlyMap<string, KnownMeeting<Step>>;
}

export interface KnownMeeting<Step> {
  readonly times: number;
  readonly says: string;
  readonly program: readonly Step[];
}

const CHUNK = 25;

/** Runs random programs on both sides until time, runs, or a stop. Errors of the target are thrown. */
export async function runLockstep<Step, Observation>(
  target: LockstepTarget<Step, Observation>,
  oracle: LockstepOracle<Step, Observation>,
  options: LockstepOptions<Step, Observation>,
): Promise<LockstepResult<Step>> {
  const start = performance.now();
  const until = start + options.timeMs;
  const most = options.runs ?? Number.POSITIVE_INFINITY;
  const findings: LockstepFinding<Step>[] = [];
  const known = new Map<string, KnownMeeting<Step>>();
  let programs = 0;
  let steps = 0;
  let interrupted = false;
  const seconds = (): number => (performance.now() - start) / 1000;
  const stopped = (): boolean => {
    interrupted ||= options.shouldStop?.() === true;
    return interrupted;
  };
  const stopping = (): boolean => {
    return stopped() || performance.now() >= until || programs >= most;
  };
  const meet = (result: ProgramResult<Step>): void => {
    for (const [id, { says, steps: length }] of result.known) {
      const before = known.get(id);
      const shorter = before === undefined || length < before.program.length;
      known.set(id, {
        times: (before?.times ?? 0) + 1,
        says: shorter ? says : before.says,
        program: shorter ? result.performed.slice(0, length) : before.program,
      });
    }
  };

  for (let chunk = 0; !stopping(); chunk++) {
    const seed = (options.seed + chunk) | 0;
    let first: Disagreement | undefined;
    let shrinkUntil = 0;
    let broken: { readonly why: unknown } | undefined;
    const brokenTarget = (): typeof broken => broken;
    const property = fc.asyncProperty(options.programs, async (program) => {
      if (first === undefined ? stopping() : stopped() || performance.now() > shrinkUntil) return true;
      if (broken !== undefined) return true;
      let result: ProgramResult<Step>;
      try {
        const answer = runProgram(program, target, oracle);
        result = isPromise(answer) ? await answer : answer;
      } catch (why) {
        // An error of the target is no property of the program: fast-check must not shrink it.
        broken = { why };
        options.onBroken?.(program);
        return true;
      }
      if (first === undefined) {
        programs++;
        steps += result.performed.length;
        meet(result);
      }
      const { disagreement } = result;
      if (disagreement === undefined || findings.some((f) => f.mechanism === disagreement.mechanism)) return true;
      if (first === undefined) {
        first = disagreement;
        shrinkUntil = performance.now() + (options.shrinkMs ?? 10_000);
      }
      return disagreement.mechanism !== first.mechanism;
    });
    const details = await fc.check(property, { seed, numRuns: CHUNK });
    const ended = brokenTarget();
    if (ended !== undefined) throw ended.why;
    const shrunk = details.counterexample?.[0];
    if (first !== undefined && shrunk !== undefined) {
      const found: Disagreement = first;
      const origin = { seed, path: details.counterexamplePath ?? '' };
      const fresh: FreshTarget<Step, Observation> = options.fresh ?? ((use) => use(target));
      findings.push(await settle({ target, oracle, fresh, stopped }, shrunk, found, origin));
      if (options.stopAtFirst) break;
    }
    options.onProgress?.({ programs, steps, seconds: seconds(), findings: findings.length });
  }
  const tested = seconds();
  for (const [id, met] of known) {
    const program = await leaveOut(
      met.program,
      async (p) => !stopped() && (await runProgram(p, target, oracle)).known.has(id),
    );
    known.set(id, { ...met, program });
  }
  const verdict = findings.some((f) => f.replay === 'differs')
    ? 'not reproducible'
    : findings.length > 0
      ? 'disagrees'
      : 'agrees';
  return { verdict, programs, steps, seconds: tested, interrupted, findings, known };
}

interface Settling<Step, Observation> {
  readonly target: LockstepTarget<Step, Observation>;
  readonly oracle: LockstepOracle<Step, Observation>;
  readonly fresh: FreshTarget<Step, Observation>;
  readonly stopped: () => boolean;
}

/** Leaves out what is not needed, and replays the rest once. */
async function settle<Step, Observation>(
  { target, oracle, fresh, stopped }: Settling<Step, Observation>,
  program: readonly Step[],
  found: Disagreement,
  origin: { seed: number; path: string },
): Promise<LockstepFinding<Step>> {
  const same = async (p: readonly Step[]): Promise<boolean> =>
    !stopped() && (await runProgram(p, target, oracle)).disagreement?.mechanism === found.mechanism;
  const small = await leaveOut(program, same);
  const minimal = !stopped();
  const again = (await fresh(async (other) => await runProgram(small, other, oracle))).disagreement;
  const agrees = again?.mechanism === found.mechanism;
  return {
    ...{ mechanism: found.mechanism, says: agrees ? again.says : found.says, program: small },
    ...{ minimal: agrees && minimal, replay: agrees ? 'agrees' : 'differs', ...origin },
  };
}

/** Leaves out single steps, last first, as long as the rest still `fails`. */
export async function leaveOut<Step>(
  program: readonly Step[],
  fails: (program: readonly Step[]) => Promise<boolean>,
): Promise<readonly Step[]> {
  let small = program;
  for (let again = true; again; ) {
    again = false;
    for (let i = small.length - 1; i >= 0; i--) {
      const without = small.filter((_, j) => j !== i);
      if (await fails(without)) {
        small = without;
        again = true;
      }
    }
  }
  return small;
}
