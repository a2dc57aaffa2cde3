/** A suite's jobs in this thread: for tests, where a suite is in hand and no module could be loaded by name. */
import type { Suite } from '../../drivers/suite.js';
import type { SuiteRun } from './campaign.js';
import { Control } from './control.js';
import { concerns, failNthJobs, planJobs, type RandomBudget, type SuiteJob } from './jobs.js';
import { describe } from './loading.js';
import { perform } from './perform.js';

/** Performs the jobs of one suite when they are asked for, each once. */
export class InlineRun {
  readonly run: SuiteRun;

  /**
   * @param scopeName one of the suite's scopes
   * @param control what each job is controlled by
   */
  constructor(
    private readonly suite: Suite,
    scopeName: string,
    random: RandomBudget,
    private readonly control: (job: SuiteJob) => Control = () => new Control(),
  ) {
    const scope = suite.scope[scopeName];
    if (!scope)
      throw new RangeError(`${suite.name} has no scope '${scopeName}'; it has ${Object.keys(suite.scope).join(', ')}`);
    const description = describe({ kind: 'embedded' }, suite);
    const jobs = planJobs(description, scope, scopeName === 'default', random, undefined);
    this.run = { chosen: { suite: description, scope, scopeName }, jobs, answers: new Map() };
  }

  /** Performs what the claim's verdict needs. */
  async claim(index: number): Promise<void> {
    // Jobs may be added while they are performed.
    for (let i = 0; i < this.run.jobs.length; i++) {
      const job = this.run.jobs[i];
      if (job && concerns(job, this.run.chosen.suite, index)) await this.perform(job);
    }
  }

  /** Performs everything. */
  async all(): Promise<SuiteRun> {
    for (let i = 0; i < this.run.jobs.length; i++) {
      const job = this.run.jobs[i];
      if (job) await this.perform(job);
    }
    return this.run;
  }

  private async perform(job: SuiteJob): Promise<void> {
    const { answers, jobs, chosen } = this.run;
    if (answers.has(job.id)) return;
    const { answer } = await perform(job, this.control(job), [this.suite]);
    answers.set(job.id, answer);
    if (chosen.suite.failures === 'any' || (job.kind !== 'exhaustive' && job.kind !== 'fail-nth')) return;
    if (answer.kind === 'exhaustive' || answer.kind === 'fail-nth') jobs.push(...failNthJobs(job, answer));
  }
}
