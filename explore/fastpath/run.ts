/**
 * Drives the fast-path measurement: for each suite a process that records the mix, one for gate A, one for gate B, and one that explains,
 * when a gate reads more than 0. Several suites are measured at once: what a process reads of its own heap does not depend on others.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SuiteSource } from '../campaign/described.js';
import { CampaignError } from '../campaign/errors.js';
import type { Allocation } from './attribution.js';
import { type GateName, knownFlags, v8Options, wantedFlags } from './flags.js';
import { type AnswerOf, Processes } from './process.js';
import { RECORDING, type Recording } from './recording.js';
import { type FastpathSheet, rowOf, type SuiteSheet } from './sheet.js';

export type Stage = 'recording' | 'gate A' | 'gate B' | 'attribution';

export interface FastpathOptions {
  /** Where the suites come from, each with the names wanted; no names: all. Default: all embedded ones. */
  readonly sources?: readonly { readonly source: SuiteSource; readonly names?: readonly string[] }[];
  readonly seed?: number;
  /** Suites that are measured at once; default: one. */
  readonly workers?: number;
  /** Longest that one process may take. */
  readonly timeoutMs?: number;
  /** Compiled script of the measuring process; default: the one beside this file. */
  readonly child?: string;
  /** Told before each process starts, with how many suites are done, of how many. */
  readonly onProgress?: (suite: string, stage: Stage, done: number, all: number) => void;
  /** Told when a suite has been measured; suites that were asked for earlier may still be running. */
  readonly onSuite?: (sheet: SuiteSheet) => void;
  readonly signal?: AbortSignal;
}

/** A suite's recording takes seconds; a step that does not return takes for ever. */
const TIMEOUT_MS = 300_000;

/** Measures the suites. @throws CampaignError when a suite cannot be loaded or measured */
export async function runFastpath(options: FastpathOptions = {}): Promise<FastpathSheet> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-fastpath-'));
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', onAbort, { once: true });
  if (options.signal?.aborted) onAbort();
  try {
    return await new Measurement(options, folder, stop).run();
  } finally {
    // Whatever still runs when one suite has failed is of no use to anybody.
    stop.abort();
    options.signal?.removeEventListener('abort', onAbort);
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Job {
  readonly source: SuiteSource;
  readonly suite: string;
}

interface Measured {
  readonly sheet: SuiteSheet;
  readonly attributedCalls: number;
}

class Measurement {
  private readonly flags: Readonly<Record<GateName, readonly string[]>>;
  private readonly processes: Processes;
  private readonly seed: number;
  private done = 0;
  private all = 0;

  constructor(
    private readonly options: FastpathOptions,
    folder: string,
    stop: AbortController,
  ) {
    const child = options.child ?? fileURLToPath(new URL('./child.js', import.meta.url));
    if (!existsSync(child)) {
      throw new CampaignError(
        'RF-OPTION',
        `${child} is missing; allocation is measured on compiled code: npm run build`,
      );
    }
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.processes = new Processes({ child, folder, timeoutMs, signal: stop.signal });
    const known = v8Options();
    this.flags = { A: knownFlags(wantedFlags('A'), known), B: knownFlags(wantedFlags('B'), known) };
    this.seed = options.seed ?? RECORDING.seed;
  }

  async run(): Promise<FastpathSheet> {
    const jobs = await this.jobs();
    this.all = jobs.length;
    const measured: Measured[] = [];
    let next = 0;
    const work = async (): Promise<void> => {
      for (let at = next++; at < jobs.length; at = next++) {
        const done = await this.measure(jobs[at]);
        measured[at] = done;
        this.done++;
        this.options.onSuite?.(done.sheet);
      }
    };
    const workers = Math.max(1, Math.min(this.options.workers ?? 1, jobs.length));
    await Promise.all(Array.from({ length: workers }, work));
    return {
      schema: 2,
      node: process.versions.node,
      v8: process.versions.v8,
      flagsA: this.flags.A,
      flagsB: this.flags.B,
      seed: this.seed,
      attributedCalls: Math.max(0, ...measured.map((s) => s.attributedCalls)),
      suites: measured.map((s) => s.sheet),
    };
  }

  private async jobs(): Promise<Job[]> {
    const jobs: Job[] = [];
    for (const { source, names } of this.options.sources ?? [{ source: { kind: 'embedded' } }]) {
      const list = await this.processes.ask<'list'>({ kind: 'list', source }, [], '');
      for (const suite of names ?? list.suites) jobs.push({ source, suite });
    }
    return jobs;
  }

  private async measure({ source, suite }: Job): Promise<Measured> {
    const { processes } = this;
    const tell = (stage: Stage): void => this.options.onProgress?.(suite, stage, this.done, this.all);
    tell('recording');
    const recording = processes.file('recording');
    const options = { ...RECORDING, seed: this.seed };
    const recorded = await processes.ask<'record'>({ kind: 'record', source, suite, options }, [], suite, recording);
    tell('gate A');
    const a = await processes.ask<'A'>({ kind: 'A', source, suite, recording }, this.flags.A, suite);
    tell('gate B');
    const b = await processes.ask<'B'>({ kind: 'B', source, suite, recording }, this.flags.B, suite);
    const inA = a.operations.filter((o) => o.bytes !== 0).map((o) => o.operation);
    const inB = b.operations.filter((o) => o.bytes !== 0).map((o) => o.operation);
    const found = new Map<string, readonly Allocation[]>();
    let attributedCalls = 0;
    for (const [gate, operations] of [
      ['B', inB.filter((o) => !inA.includes(o))],
      ['A', inA],
    ] as const) {
      // Operations that are clean one by one may still allocate in the mix, where types change under them.
      const mix = gate === 'B' && inA.length + inB.length === 0 && b.families.some((f) => f.bytes !== 0);
      if (operations.length === 0 && !mix) continue;
      tell('attribution');
      const request = { kind: 'attribute', source, suite, recording, gate, operations, mix } as const;
      const explained = await processes.ask<'attribute'>(request, this.flags[gate], suite);
      attributedCalls = explained.calls;
      for (const o of explained.operations) found.set(o.operation, o.allocations);
    }
    return { sheet: sheetOf(suite, recorded.recording, a, b, found), attributedCalls };
  }
}

function sheetOf(
  suite: string,
  recording: Recording,
  a: AnswerOf<'A'>,
  b: AnswerOf<'B'>,
  found: ReadonlyMap<string, readonly Allocation[]>,
): SuiteSheet {
  const operations = a.operations.map((reading, i) => {
    const steady = b.operations[i];
    const missing = recording.missing[i];
    if (steady === undefined || missing === undefined)
      throw new CampaignError('RF-WORKER-DIED', `the two gates saw different operations of ${suite}`);
    return rowOf(reading, steady, missing, {
      fault: recording.faults[i] || undefined,
      role: recording.roles[i] || undefined,
      outcomes: recording.outcomes[i] ?? [],
      allocations: found.get(reading.operation) ?? [],
    });
  });
  return {
    suite,
    mix: recording.kinds.length,
    controlA: a.control,
    controlB: b.control,
    families: b.families,
    mixAllocations: found.get('') ?? [],
    operations,
  };
}
