/**
 * A campaign: all jobs of the chosen suites on worker threads, quick ones first, until they are done, the time is up, or the user has
 * had enough. Answers arrive as they come; what is known at the end is kept whatever happened.
 */
import { join } from 'node:path';
import type { Scope } from '../../model/kernel/index.js';
import type { SuiteDescription, SuiteSource } from './described.js';
import { failNthJobs, type Job, planJobs, type SuiteJob } from './jobs.js';
import { Pool, type Running } from './pool.js';
import type { Answer, ErrorAnswer } from './results.js';

/** A suite with the scope that it is explored at. */
export interface Chosen {
  readonly suite: SuiteDescription;
  readonly scope: Scope;
  /** `small`, `default`, `large`, or `custom`. */
  readonly scopeName: string;
}

export interface CampaignOptions {
  readonly workers: number;
  readonly patienceMs: number;
  /** The whole campaign's time, in milliseconds. */
  readonly timeMs: number | undefined;
  readonly runs: number;
  readonly seed: number;
  /** Folder of checkpoints; without it none are written. */
  readonly checkpoints: string | undefined;
  readonly resume: boolean;
  readonly onOutput?: (text: string) => void;
}

/** A source that could not be loaded. */
export interface SourceError {
  readonly source: SuiteSource;
  readonly error: ErrorAnswer;
}

/** Every job of a suite that has been planned, with its answer once there is one. */
export interface SuiteRun {
  readonly chosen: Chosen;
  readonly jobs: SuiteJob[];
  readonly answers: Map<string, Answer>;
}

export interface CampaignState {
  readonly runs: readonly SuiteRun[];
  /** Why the campaign ended early. */
  readonly stopped: 'no' | 'interrupt' | 'time';
  /** Files to go on from. */
  readonly checkpoints: readonly string[];
}

/** Time between asking workers to stop and ending them; with what follows it, an interrupt takes less than a second. */
const GRACE_MS = 500;
/** Time for checkpoints after that: an interrupted user waits less than one whose time was up. */
const SAVE_MS = { no: 0, interrupt: 250, time: 30_000 } as const;

/** Describes the suites of all sources, each in a worker, so that no module can hang or crash the command. */
export async function describeSources(
  sources: readonly SuiteSource[],
  options: Pick<CampaignOptions, 'workers' | 'patienceMs' | 'onOutput'>,
  signal?: AbortSignal,
): Promise<{ suites: SuiteDescription[]; errors: SourceError[] }> {
  const pool = new Pool({ ...options, workers: Math.max(1, Math.min(options.workers, sources.length)) });
  const abort = (): void => void pool.end('interrupt');
  signal?.addEventListener('abort', abort);
  const answers: (Answer | undefined)[] = sources.map(() => undefined);
  let next = 0;
  const one = async (): Promise<void> => {
    for (let i = next++; i < sources.length; i = next++) {
      answers[i] = await pool.run({ kind: 'describe', id: `describe/${i}`, source: sources[i] });
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(options.workers, sources.length) }, one));
  } finally {
    signal?.removeEventListener('abort', abort);
    await pool.end();
  }
  const errors = answers.flatMap((a, i) => (a?.kind === 'error' ? [{ source: sources[i], error: a }] : []));
  return { suites: answers.flatMap((a) => (a?.kind === 'describe' ? a.suites : [])), errors };
}

/** Performs one job in a worker of its own. */
export async function performAlone(
  job: Job,
  options: Pick<CampaignOptions, 'patienceMs' | 'onOutput'>,
): Promise<Answer> {
  const pool = new Pool({ ...options, workers: 1 });
  try {
    return await pool.run(job);
  } finally {
    await pool.end();
  }
}

/** Runs once. Listen with `onAnswer`, end early with `interrupt`. */
export class Campaign {
  readonly runs: readonly SuiteRun[];
  /** Called after each answer, when dependent jobs have been added. */
  onAnswer: ((run: SuiteRun, job: SuiteJob, answer: Answer) => void) | undefined;
  private readonly queue: { run: SuiteRun; job: SuiteJob }[];
  private readonly pool: Pool;
  private stopped: CampaignState['stopped'] = 'no';
  private wake: () => void = () => {};
  private active = 0;
  private done = 0;

  constructor(
    chosen: readonly Chosen[],
    private readonly options: CampaignOptions,
  ) {
    this.runs = chosen.map((c) => {
      const { checkpoints: folder, resume } = options;
      const file = folder && { file: join(folder, `${c.suite.name}-${c.scopeName}.checkpoint`), resume };
      return {
        chosen: c,
        jobs: planJobs(c.suite, c.scope, c.scopeName === 'default', options, file || undefined),
        answers: new Map(),
      };
    });
    this.queue = inOrder(this.runs);
    this.pool = new Pool(options);
  }

  get running(): Running[] {
    return this.pool.running;
  }

  /** Jobs answered, and jobs known so far. */
  get count(): { done: number; all: number } {
    return { done: this.done, all: this.runs.reduce((n, r) => n + r.jobs.length, 0) };
  }

  /** Ends the campaign within a second; what is known is kept. */
  interrupt(): void {
    this.stop('interrupt');
  }

  async run(): Promise<CampaignState> {
    const { timeMs } = this.options;
    const deadline = timeMs === undefined ? undefined : setTimeout(() => this.stop('time'), timeMs);
    let grace: NodeJS.Timeout | undefined;
    try {
      while (this.queue.length > 0 || this.active > 0) {
        while (this.stopped === 'no' && this.pool.free && this.queue.length > 0) this.start();
        if (this.stopped !== 'no') {
          for (const { run, job } of this.queue.splice(0)) this.answer(run, job, this.skipped());
          grace ??= setTimeout(() => void this.pool.end(this.stopped === 'time' ? 'time' : 'interrupt'), GRACE_MS);
        }
        if (this.active > 0) await new Promise<void>((resolve) => this.onWake(resolve));
      }
      await this.pool.saved(SAVE_MS[this.stopped]);
    } finally {
      clearTimeout(deadline);
      clearTimeout(grace);
      await this.pool.end();
    }
    return { runs: this.runs, stopped: this.stopped, checkpoints: [...this.pool.checkpoints].sort() };
  }

  private onWake(resolve: () => void): void {
    this.wake = resolve;
  }

  private stop(reason: 'interrupt' | 'time'): void {
    if (this.stopped !== 'no') return;
    this.stopped = reason;
    this.pool.stop(reason);
    this.wake();
  }

  private skipped(): Answer {
    const reason = this.stopped === 'no' ? 'error' : this.stopped;
    return { kind: 'skipped', reason, tookMs: 0 };
  }

  private start(): void {
    const next = this.queue.shift();
    if (!next) return;
    const { run, job } = next;
    this.active++;
    void this.pool.run(job).then((answer) => {
      this.active--;
      this.follow(run, job, answer);
      this.answer(run, job, answer);
      this.wake();
    });
  }

  private answer(run: SuiteRun, job: SuiteJob, answer: Answer): void {
    this.done++;
    run.answers.set(job.id, answer);
    this.onAnswer?.(run, job, answer);
  }

  /** Jobs that depend on an answer: fail-nth runs, or none at all when the suite is broken. */
  private follow(run: SuiteRun, job: SuiteJob, answer: Answer): void {
    if (answer.kind === 'error') {
      const left = this.queue.filter((q) => q.run === run);
      for (const q of left) this.queue.splice(this.queue.indexOf(q), 1);
      for (const q of left) this.answer(run, q.job, { kind: 'skipped', reason: 'error', tookMs: 0 });
      return;
    }
    // With `failures: 'any'` the exhaustive run has let every site fail already, each time that it was passed.
    if (run.chosen.suite.failures === 'any' || (job.kind !== 'exhaustive' && job.kind !== 'fail-nth')) return;
    if (answer.kind !== 'exhaustive' && answer.kind !== 'fail-nth') return;
    const more = failNthJobs(job, answer);
    run.jobs.push(...more);
    this.queue.unshift(...more.map((next) => ({ run, job: next })));
  }
}

/**
 * The order in which jobs start: suite by suite, the quickest first, so that claims are settled from the first seconds on and a run that is
 * cut short has settled as many as it could; the last suites are long, but their jobs are many, so no thread waits long for another.
 */
function inOrder(runs: readonly SuiteRun[]): { run: SuiteRun; job: SuiteJob }[] {
  const weight = (r: SuiteRun): number => r.chosen.suite.glance * r.chosen.suite.operations;
  return [...runs].sort((a, b) => weight(a) - weight(b)).flatMap((run) => run.jobs.map((job) => ({ run, job })));
}
