/** Where the command writes: lines for people, JSON for programs, and a progress line that only a terminal sees. */
import { env, stderr, stdout } from 'node:process';
import pc from 'picocolors';
import type { Page } from '../reports/terminal.js';
import type { CommonOptions } from './options.js';

const MIN_WIDTH = 40;
const MAX_WIDTH = 120;

export class Console {
  readonly page: Page;
  private progressShown = false;
  private readonly interactive: boolean;

  constructor(private readonly options: Pick<CommonOptions, 'json' | 'quiet' | 'color'>) {
    const colors = options.color && pc.isColorSupported && stdout.isTTY === true;
    const width = stdout.columns ?? (Number(env.COLUMNS) || 80);
    this.page = { width: Math.max(MIN_WIDTH, Math.min(MAX_WIDTH, width)), style: pc.createColors(colors) };
    this.interactive = stderr.isTTY === true && !options.quiet;
    // A reader that has seen enough (`| head`) is no error.
    stdout.on('error', (e: NodeJS.ErrnoException) => {
      if (e.code === 'EPIPE') process.exit(process.exitCode ?? 0);
      throw e;
    });
  }

  /** Lines of the report, unless JSON or nothing is wanted. */
  lines(lines: readonly string[]): void {
    if (this.options.json || this.options.quiet) return;
    this.write(lines);
  }

  /** Lines that even --quiet shows, but --json does not. */
  always(lines: readonly string[]): void {
    if (this.options.json) return;
    this.write(lines);
  }

  json(text: string): void {
    this.clear();
    if (this.options.json) stdout.write(text);
  }

  /** Remarks beside the result. */
  note(text: string): void {
    this.clear();
    if (!this.options.quiet) stderr.write(`${text}\n`);
  }

  /** The progress line; replaced by the next one, gone before any other line. */
  progress(text: string): void {
    if (!this.interactive) return;
    const width = (stderr.columns ?? this.page.width) - 1;
    stderr.write(`\r${text.slice(0, width)}\u001b[K`);
    this.progressShown = true;
  }

  clear(): void {
    if (this.progressShown) stderr.write('\r\u001b[K');
    this.progressShown = false;
  }

  private write(lines: readonly string[]): void {
    this.clear();
    if (lines.length > 0) stdout.write(`${lines.join('\n')}\n`);
  }
}
