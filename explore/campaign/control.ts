/**
 * The few words that the main thread and a worker share: a stop flag, a heartbeat, and how far the running job is.
 * A worker that explores does not return to its event loop, so messages would not reach it.
 */

export const CONTROL_WORDS = 8;

const STOP = 0;
const BEAT = 1;
const STATES = 2;
const EXPANDED = 3;
const DEPTH = 4;
const RUNS = 5;

/** Why a job is to end early. */
export type StopReason = 'none' | 'interrupt' | 'time';
const REASONS: readonly StopReason[] = ['none', 'interrupt', 'time'];

export interface JobProgress {
  readonly states: number;
  readonly expanded: number;
  readonly depth: number;
  readonly runs: number;
}

/** Both ends of the shared words. */
export class Control {
  private readonly words: Int32Array;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(CONTROL_WORDS * 4)) {
    this.words = new Int32Array(buffer);
  }

  /** Main thread: a new job begins. */
  reset(): void {
    for (let i = STATES; i < CONTROL_WORDS; i++) Atomics.store(this.words, i, 0);
  }

  /** Main thread: ask the running job to end. The first reason stays. */
  stop(reason: Exclude<StopReason, 'none'>): void {
    Atomics.compareExchange(this.words, STOP, 0, REASONS.indexOf(reason));
  }

  get stopReason(): StopReason {
    return REASONS[Atomics.load(this.words, STOP)] ?? 'none';
  }

  /** Worker: still alive. Answers whether to stop. */
  beat(): boolean {
    Atomics.add(this.words, BEAT, 1);
    return Atomics.load(this.words, STOP) !== 0;
  }

  /** Main thread: changes whenever the worker gives a sign of life. */
  get beats(): number {
    return Atomics.load(this.words, BEAT);
  }

  /** Worker: how far the job is. Answers whether to stop. */
  progress(p: Partial<JobProgress>): boolean {
    if (p.states !== undefined) Atomics.store(this.words, STATES, p.states);
    if (p.expanded !== undefined) Atomics.store(this.words, EXPANDED, p.expanded);
    if (p.depth !== undefined) Atomics.store(this.words, DEPTH, p.depth);
    if (p.runs !== undefined) Atomics.store(this.words, RUNS, p.runs);
    return this.beat();
  }

  get now(): JobProgress {
    const at = (i: number): number => Atomics.load(this.words, i);
    return { states: at(STATES), expanded: at(EXPANDED), depth: at(DEPTH), runs: at(RUNS) };
  }
}
