/**
 * Worker threads that perform jobs. A worker that gives no sign of life is ended, and the job answered with an error: a suite that never
 * returns takes nobody else down.
 */
import { Worker } from 'node:worker_threads';
import { Control, type JobProgress, type StopReason } from './control.js';
import { BLAME, oneLine } from './errors.js';
import type { Job } from './jobs.js';
import type { Answer } from './results.js';
import type { WorkerMessage, WorkerStart } from './worker.js';

const LOOK_EVERY_MS = 100;

export interface PoolOptions {
  readonly workers: number;
  /** How long a worker may give no sign of life, in milliseconds. */
  readonly patienceMs: number;
  /** What suites write to standard output and error goes here. */
  readonly onOutput?: (text: string) => void;
}

interface Seat {
  worker: Worker | undefined;
  control: Control;
  running: { job: Job; answer: (a: Answer) => void; beats: number; seenAt: number } | undefined;
}

/** A job under way, for progress lines. */
export interface Running {
  readonly job: Job;
  readonly progress: JobProgress;
}

export class Pool {
  private readonly seats: Seat[];
  private readonly watch: NodeJS.Timeout;
  /** Checkpoints written so far. */
  readonly checkpoints: string[] = [];
  private saving = 0;
  private onSaved: () => void = () => {};

  constructor(private readonly options: PoolOptions) {
    this.seats = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      control: new Control(),
      running: undefined,
    }));
    this.watch = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.watch.unref();
  }

  /** Whether a worker is free. */
  get free(): boolean {
    return this.seats.some((s) => s.running === undefined);
  }

  get running(): Running[] {
    return this.seats.flatMap(({ running, control }) => (running ? [{ job: running.job, progress: control.now }] : []));
  }

  /** Performs a job on a free worker. Never rejects: what goes wrong is an answer. */
  run(job: Job): Promise<Answer> {
    const seat = this.seats.find((s) => s.running === undefined);
    if (!seat) throw new Error('no worker is free');
    return new Promise((resolve) => {
      seat.control.reset();
      seat.running = { job, answer: resolve, beats: seat.control.beats, seenAt: performance.now() };
      this.workerOf(seat).postMessage(job);
    });
  }

  /** Asks every running job to end. */
  stop(reason: Exclude<StopReason, 'none'>): void {
    for (const s of this.seats) s.control.stop(reason);
  }

  /** Waits until the checkpoints of cut runs are written, but not longer than this. */
  async saved(timeoutMs: number): Promise<void> {
    if (this.saving === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.onSaved = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private noteSaved(checkpoint: string): void {
    if (checkpoint !== '') this.checkpoints.push(checkpoint);
    if (--this.saving === 0) this.onSaved();
  }

  /** Ends all workers at once; jobs under way are answered as skipped. */
  async end(reason: 'interrupt' | 'time' | 'error' = 'error'): Promise<void> {
    clearInterval(this.watch);
    await Promise.all(
      this.seats.map(async (seat) => {
        const { worker } = seat;
        seat.worker = undefined;
        this.settle(seat, { kind: 'skipped', reason, tookMs: 0 });
        await worker?.terminate();
      }),
    );
  }

  private workerOf(seat: Seat): Worker {
    if (seat.worker) return seat.worker;
    const workerData: WorkerStart = { control: seat.control.buffer };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData, stdout: true, stderr: true });
    seat.worker = worker;
    const { onOutput } = this.options;
    for (const stream of [worker.stdout, worker.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text: string) => onOutput?.(text));
    }
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'saved') this.noteSaved(message.checkpoint);
      else if (seat.worker === worker) {
        if (message.saving) this.saving++;
        this.settle(seat, message.answer);
      }
    });
    const died = (how: string): void => {
      if (seat.worker !== worker) return;
      seat.worker = undefined;
      this.settle(seat, this.failed('RF-WORKER-DIED', how));
      void worker.terminate();
    };
    worker.on('error', (e) => died(`the worker thread failed: ${oneLine(e)}`));
    worker.on('messageerror', (e) => died(`the worker's answer cannot be read: ${oneLine(e)}`));
    worker.on('exit', (code) =>
      died(`the worker thread ended by itself, with code ${code}: does the suite call process.exit?`),
    );
    return worker;
  }

  private failed(code: 'RF-WORKER-DIED' | 'RF-SUITE-HANGS', says: string): Answer {
    return { kind: 'error', code, blame: BLAME[code], says, tookMs: 0 };
  }

  private settle(seat: Seat, answer: Answer): void {
    const { running } = seat;
    seat.running = undefined;
    running?.answer(answer);
  }

  /** Looks for workers that give no sign of life. */
  private look(): void {
    const now = performance.now();
    for (const seat of this.seats) {
      const { running, control } = seat;
      if (!running) continue;
      if (running.beats !== control.beats) {
        running.beats = control.beats;
        running.seenAt = now;
      } else if (now - running.seenAt > this.options.patienceMs) {
        const { worker } = seat;
        const stopped = control.stopReason;
        seat.worker = undefined;
        seat.control = new Control();
        if (stopped !== 'none') seat.control.stop(stopped);
        const seconds = Math.round(this.options.patienceMs / 1000);
        this.settle(
          seat,
          this.failed(
            'RF-SUITE-HANGS',
            `no sign of life for ${seconds} s; a step, a guard or the module itself does not return`,
          ),
        );
        void worker?.terminate();
      }
    }
  }
}
