/**
 * Figures of the bench: medians of several runs, the check that every engine counted the same, ratios and targets.
 * Nothing here starts a process; the table and the JSON are made from what this file answers.
 */
import { type BenchModel, type Counts, knownCounts, modelName } from './models.js';

/** At least this many times SPIN's states a second. */
export const RATE_TARGET = 1.5;
/** At most the packed state and this many bytes more for each state. */
export const OVERHEAD_TARGET_BYTES = 16;

/** Below this many states the store's first, half-empty chunks decide the bytes a state, so there is no verdict on memory. */
export const MEMORY_VERDICT_FROM_STATES = 500_000;

export type EngineName = 'ringfence' | 'spin' | 'spin-bfs' | 'rumur';

/** One run of one engine on one model. */
export interface EngineRun extends Counts {
  readonly seconds: number;
  /** Bytes of one state, packed as the engine packs it. */
  readonly vectorBytes: number;
  /** Bytes of the set of visited states with all overhead; undefined when the engine does not say. */
  readonly storeBytes: number | undefined;
  /** Largest resident set of the process, in bytes; undefined when it was not seen. */
  readonly peakBytes: number | undefined;
}

/** All runs of one engine on one model, summed up. */
export interface EngineFigures extends Counts {
  readonly engine: EngineName;
  readonly runs: number;
  /** Median, smallest and largest. */
  readonly seconds: number;
  readonly secondsMin: number;
  readonly secondsMax: number;
  readonly statesPerSecond: number;
  readonly vectorBytes: number;
  readonly bytesPerState: number | undefined;
  readonly peakBytes: number | undefined;
}

/** What the bench says of one model. */
export interface ModelFigures {
  readonly model: string;
  readonly engines: readonly EngineFigures[];
  /** Disagreements in words; empty when all counts are equal. */
  readonly disagreements: readonly string[];
  /** Our states a second over the engine's, by engine; absent when counts differ, because then no rate means anything. */
  readonly ratios: Readonly<Partial<Record<EngineName, number>>>;
  readonly rateTargetMet: boolean | undefined;
  readonly memoryTargetMet: boolean | undefined;
}

/** Median; of an even number, the lower of the two middle values. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[(sorted.length - 1) >> 1];
  if (middle === undefined) throw new RangeError('the median of nothing');
  return middle;
}

/** Sums the runs of one engine up. Runs of one engine that disagree with each other are listed in `disagreements`. */
export function sumUp(engine: EngineName, runs: readonly EngineRun[], disagreements: string[]): EngineFigures {
  const [first] = runs;
  if (!first) throw new RangeError(`${engine} was not run`);
  for (const r of runs) {
    if (r.states !== first.states || r.transitions !== first.transitions) {
      disagreements.push(`${engine} disagrees with itself: ${counts(first)}, then ${counts(r)}`);
    }
  }
  const seconds = median(runs.map((r) => r.seconds));
  const peaks = runs.flatMap((r) => (r.peakBytes === undefined ? [] : [r.peakBytes]));
  return {
    engine,
    runs: runs.length,
    states: first.states,
    transitions: first.transitions,
    seconds,
    secondsMin: Math.min(...runs.map((r) => r.seconds)),
    secondsMax: Math.max(...runs.map((r) => r.seconds)),
    statesPerSecond: first.states / seconds,
    vectorBytes: first.vectorBytes,
    bytesPerState: first.storeBytes === undefined ? undefined : first.storeBytes / first.states,
    peakBytes: peaks.length > 0 ? Math.max(...peaks) : undefined,
  };
}

function counts(c: Counts): string {
  return `${c.states} states, ${c.transitions} transitions`;
}

/** Compares all engines on one model, with each other and with what is known of it. */
export function compare(model: BenchModel, runs: ReadonlyMap<EngineName, readonly EngineRun[]>): ModelFigures {
  const disagreements: string[] = [];
  const engines = [...runs].map(([engine, of]) => sumUp(engine, of, disagreements));
  const known = knownCounts(model);
  const expected = known ?? engines[0];
  for (const e of engines) {
    if (expected && (e.states !== expected.states || e.transitions !== expected.transitions)) {
      const against = known ? 'the known counts are' : `${engines[0]?.engine} counted`;
      disagreements.push(`${e.engine} counted ${counts(e)}; ${against} ${counts(expected)}`);
    }
  }
  const ours = engines.find((e) => e.engine === 'ringfence');
  const ratios: Partial<Record<EngineName, number>> = {};
  if (ours && disagreements.length === 0) {
    for (const e of engines) if (e !== ours) ratios[e.engine] = ours.statesPerSecond / e.statesPerSecond;
  }
  return {
    model: modelName(model),
    engines,
    disagreements,
    ratios,
    rateTargetMet: ratios.spin === undefined ? undefined : ratios.spin >= RATE_TARGET,
    memoryTargetMet: ours === undefined ? undefined : memoryVerdict(ours),
  };
}

function memoryVerdict(ours: EngineFigures): boolean | undefined {
  if (ours.bytesPerState === undefined || ours.states < MEMORY_VERDICT_FROM_STATES) return undefined;
  return ours.bytesPerState <= ours.vectorBytes + OVERHEAD_TARGET_BYTES;
}
