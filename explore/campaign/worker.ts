/** The worker thread: performs the jobs that it is sent, one at a time. */
import { parentPort, workerData } from 'node:worker_threads';
import { Control } from './control.js';
import { explain } from './errors.js';
import type { Job } from './jobs.js';
import { perform } from './perform.js';
import type { Answer } from './results.js';

/** What a worker is started with. */
export interface WorkerStart {
  readonly control: SharedArrayBuffer;
}

/** What a worker sends: the answer, and, when it still had a checkpoint to write, where it was written ('' when it could not be). */
export type WorkerMessage =
  | { readonly type: 'answer'; readonly answer: Answer; readonly saving: boolean }
  | { readonly type: 'saved'; readonly checkpoint: string };

const control = new Control((workerData as WorkerStart).control);
const send = (message: WorkerMessage): void => parentPort?.postMessage(message);

parentPort?.on('message', (job: Job) => {
  perform(job, control).then(
    ({ answer, save }) => {
      send({ type: 'answer', answer, saving: save !== undefined });
      if (save) send({ type: 'saved', checkpoint: attempt(save) });
    },
    (thrown: unknown) => {
      const answer: Answer = { kind: 'error', ...explain(thrown, 'RF-SUITE-THREW'), tookMs: 0 };
      send({ type: 'answer', answer, saving: false });
    },
  );
});

/** A checkpoint that cannot be written costs the continuation, not the result. */
function attempt(save: () => string): string {
  try {
    return save();
  } catch {
    return '';
  }
}
