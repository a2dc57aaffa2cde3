/**
 * Drives the fast-path measurement: for each suite a process that records the mix, one for gate A, one for gate B, and one that explains,
 * when a gate reads more than 0. The processes run compiled JavaScript, without inspector, coverage or loader hooks, one after the other.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SuiteSource } from '../campaign/described.js';
import { CampaignError, type ErrorCode, oneLine } from '../campaign/errors.js';
import type { Allocation } from './attribution.js';
import { type GateName, knownFlags, v8Options, wantedFlags } from './flags.js';
import type { Answer, Request } from './protocol.js';
import { RECORDING, type Recording } from './recording.js';
import { type FastpathSheet, rowOf, type SuiteSheet } from './sheet.js';

export interface FastpathOptions {
  /** Where the suites come from, each with the names wanted; no names: all. Default: all embedded ones. */
  readonly sources?: readonly { readonly source: SuiteSource; readonly names?: readonly string[] }[];
  readonly seed?: number;
  /** Longest that one process may take. */
  readonly timeoutMs?: number;
  /** Compiled script of the measuring process; default: the one beside this file. */
  readonly child?: string;
  /** Told before each process starts. */
  readonly onProgress?: (suite: string, stage: 'recording' | 'gate A' | 'gate B' | 'attribution') => void;
  readonly signal?: AbortSignal;
}

/** A suite's recording takes seconds; a step that does not return takes for ever. */
const TIMEOUT_MS = 300_000;

/** Measures the suites. @throws CampaignError when a suite cannot be loaded or measured */
export async function runFastpath(options: FastpathOptions = {}): Promise<FastpathSheet> {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-fastpath-'));
  try {
    return await new Measurement(options, folder).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

type AnswerOf<K> = Extract<Answer, { kind: K }>;
type OmitEach<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

class Measurement {
  private readonly flags: Readonly<Record<GateName, readonly string[]>>;
  private readonly child: string;
  private readonly seed: number;
  private requests = 0;

  constructor(
    private readonly options: FastpathOptions,
    private readonly folder: string,
  ) {
    this.child = options.child ?? fileURLToPath(new URL('./child.js', import.meta.url));
    if (!existsSync(this.child)) {
      throw new CampaignError(
        'RF-OPTION',
        `${this.child} is missing; allocation is measured on compiled code: npm run build`,
      );
    }
    const known = v8Options();
    this.flags = { A: knownFlags(wantedFlags('A'), known), B: knownFlags(wantedFlags('B'), known) };
    this.seed = options.seed ?? RECORDING.seed;
  }

  async run(): Promise<FastpathSheet> {
    const suites: SuiteSheet[] = [];
    let attributedCalls = 0;
    for (const { source, names } of this.options.sources ?? [{ source: { kind: 'embedded' } }]) {
      const list = await this.ask<'list'>({ kind: 'list', source }, [], '');
      for (const suite of names ?? list.suites) {
        const measured = await this.measure(source, suite);
        suites.push(measured.sheet);
        attributedCalls = Math.max(attributedCalls, measured.attributedCalls);
      }
    }
    return {
      schema: 1,
      node: process.versions.node,
      v8: process.versions.v8,
      flagsA: this.flags.A,
      flagsB: this.flags.B,
      seed: this.seed,
      attributedCalls,
      suites,
    };
  }

  private async measure(source: SuiteSource, suite: string): Promise<{ sheet: SuiteSheet; attributedCalls: number }> {
    const tell = this.options.onProgress;
    tell?.(suite, 'recording');
    const recording = this.file('recording');
    const recorded = await this.ask<'record'>(
      { kind: 'record', source, suite, options: { ...RECORDING, seed: this.seed } },
      [],
      suite,
      recording,
    );
    tell?.(suite, 'gate A');
    const a = await this.ask<'A'>({ kind: 'A', source, suite, recording }, this.flags.A, suite);
    tell?.(suite, 'gate B');
    const b = await this.ask<'B'>({ kind: 'B', source, suite, recording }, this.flags.B, suite);
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
      tell?.(suite, 'attribution');
      const request = { kind: 'attribute', source, suite, recording, gate, operations, mix } as const;
      const explained = await this.ask<'attribute'>(request, this.flags[gate], suite);
      attributedCalls = explained.calls;
      for (const o of explained.operations) found.set(o.operation, o.allocations);
    }
    const sheet = sheetOf(suite, recorded.recording, a, b, found);
    return { sheet, attributedCalls };
  }

  private file(what: string): string {
    return join(this.folder, `${this.requests++}-${what}.json`);
  }

  /** Starts a process with the flags and waits for its answer. */
  private async ask<K extends Answer['kind']>(
    request: OmitEach<Request, 'answer'>,
    flags: readonly string[],
    suite: string,
    answerFile = this.file('answer'),
  ): Promise<AnswerOf<K>> {
    const requestFile = this.file('request');
    writeFileSync(requestFile, JSON.stringify({ ...request, answer: answerFile }));
    const stderr = await this.start([...flags, this.child, requestFile], suite);
    if (!existsSync(answerFile)) {
      throw new CampaignError(
        'RF-WORKER-DIED',
        `the process that measures ${suite || 'suites'} ended without an answer: ${oneLine(stderr)}`,
      );
    }
    const answer = JSON.parse(readFileSync(answerFile, 'utf8')) as Answer;
    if (answer.kind === 'error') throw new CampaignError(answer.code as ErrorCode, answer.says);
    return answer as AnswerOf<K>;
  }

  private start(args: readonly string[], suite: string): Promise<string> {
    const timeoutMs = this.options.timeoutMs ?? TIMEOUT_MS;
    // Hooks, coverage and inspector come through the environment, and would be measured with the subject.
    const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...env } = process.env;
    return new Promise((resolve, reject) => {
      const { signal } = this.options;
      const child = spawn(process.execPath, args, {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
        ...(signal ? { signal } : {}),
      });
      let stderr = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (stderr.length < 4096) stderr += text;
      });
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(
          new CampaignError(
            'RF-SUITE-HANGS',
            `measuring ${suite || 'the suites'} takes more than ${timeoutMs / 1000} s`,
          ),
        );
      }, timeoutMs);
      child.on('error', (e) => {
        clearTimeout(timer);
        reject(e);
      });
      child.on('close', () => {
        clearTimeout(timer);
        resolve(stderr);
      });
    });
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
    if (steady === undefined)
      throw new CampaignError('RF-WORKER-DIED', `the two gates saw different operations of ${suite}`);
    return rowOf(reading, steady, {
      fault: recording.faults[i] || undefined,
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
