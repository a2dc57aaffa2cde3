/**
 * Starts a measuring process, waits for its answer, and says what went wrong when there is none. The processes run compiled JavaScript,
 * without inspector, coverage or loader hooks.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CampaignError, type ErrorCode, oneLine } from '../campaign/errors.js';
import type { Answer, Request } from './protocol.js';

export type AnswerOf<K> = Extract<Answer, { kind: K }>;
type OmitEach<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

export interface ProcessOptions {
  /** Compiled script of the measuring process. */
  readonly child: string;
  /** Folder for requests and answers. */
  readonly folder: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Asks measuring processes; several may run at once. */
export class Processes {
  private requests = 0;

  constructor(private readonly options: ProcessOptions) {}

  /** A file of this measurement that does not exist yet. */
  file(what: string): string {
    return join(this.options.folder, `${this.requests++}-${what}.json`);
  }

  /** Starts a process with the flags and waits for its answer. @throws CampaignError, or the signal's reason */
  async ask<K extends Answer['kind']>(
    request: OmitEach<Request, 'answer'>,
    flags: readonly string[],
    suite: string,
    answerFile = this.file('answer'),
  ): Promise<AnswerOf<K>> {
    const requestFile = this.file('request');
    writeFileSync(requestFile, JSON.stringify({ ...request, answer: answerFile }));
    const stderr = await this.start([...flags, this.options.child, requestFile], suite);
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
    const { timeoutMs, signal } = this.options;
    // Hooks, coverage and inspector come through the environment, and would be measured with the subject.
    const { NODE_OPTIONS: _options, NODE_V8_COVERAGE: _coverage, ...env } = process.env;
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'], signal });
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
