/** The progress line: jobs done, what is running and how fast, and the time left. */
import type { Campaign } from '../explore/campaign/campaign.js';
import { grouped } from '../reports/text.js';

export class ProgressLine {
  private readonly began = performance.now();
  private last = { at: 0, work: 0, rate: 0 };
  private readonly seen = new Map<string, number>();

  /**
   * @param timeMs the user's time limit
   * @param before how long each job took in the previous run, in milliseconds
   */
  constructor(
    private readonly campaign: Campaign,
    private readonly timeMs: number | undefined,
    private readonly before: ReadonlyMap<string, number>,
  ) {}

  text(): string {
    const { done, all } = this.campaign.count;
    const { running } = this.campaign;
    const what = running.map(({ job, progress }) => {
      const size =
        progress.states > 0
          ? ` ${grouped(progress.states)} states`
          : progress.runs > 0
            ? ` ${grouped(progress.runs)} runs`
            : '';
      return `${job.id.replace(/^([^/]+)\/.*?(exhaustive|counterpart|random|two-run|breach|fail-nth).*$/, '$1 $2')}${size}`;
    });
    return `${done}/${all} runs | ${grouped(this.rate())} states/s | ${this.left()} left | ${what.join(', ')}`;
  }

  /** States found a second, over the last second. */
  private rate(): number {
    const now = performance.now();
    let work = 0;
    for (const { job, progress } of this.campaign.running) {
      this.seen.set(job.id, Math.max(progress.states, this.seen.get(job.id) ?? 0));
    }
    for (const n of this.seen.values()) work += n;
    if (now - this.last.at > 1000) {
      const rate = this.last.at === 0 ? 0 : ((work - this.last.work) * 1000) / (now - this.last.at);
      this.last = { at: now, work, rate };
    }
    return this.last.rate;
  }

  /** From the previous run's times where there are any; else from the jobs done so far. */
  private left(): string {
    const elapsed = performance.now() - this.began;
    const { done, all } = this.campaign.count;
    let ms = done === 0 ? Number.NaN : (elapsed / done) * (all - done);
    let known = 0;
    let open = 0;
    for (const run of this.campaign.runs) {
      for (const job of run.jobs) {
        const took = this.before.get(job.id);
        if (took === undefined) continue;
        known++;
        if (!run.answers.has(job.id)) open += took;
      }
    }
    if (known >= all * 0.9) ms = open / Math.max(1, this.campaign.running.length);
    if (this.timeMs !== undefined)
      ms = Math.min(Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms, this.timeMs - elapsed);
    return Number.isNaN(ms) ? '?' : `${Math.max(0, Math.round(ms / 1000))} s`;
  }
}
