/**
 * What can go wrong around a campaign, apart from a property that breaks: each with a stable code and one line.
 * `usage` is what the user gave (exit code 2); `environment` is what the machine, a folder or a target did (exit code 3).
 */

export type Blame = 'usage' | 'environment';

/** Codes that users may rely on, with who is to blame. */
export const BLAME = {
  /** No such suite. */
  'RF-SUITE-UNKNOWN': 'usage',
  /** The module cannot be read, throws while it loads, or exports no suite. */
  'RF-SUITE-MODULE': 'usage',
  /** The module was written against another copy of this package. */
  'RF-SUITE-COPY': 'usage',
  /** A specification threw while it was explored. */
  'RF-SUITE-THREW': 'usage',
  /** The specification does not fit together. */
  'RF-SPEC': 'usage',
  /** A step, a guard or the module itself does not return. */
  'RF-SUITE-HANGS': 'environment',
  /** A worker thread ended by itself: out of memory, or the suite ended the process. */
  'RF-WORKER-DIED': 'environment',
  /** A scope that does not exist, or a size that is out of range. */
  'RF-SCOPE': 'usage',
  /** An option with a value that it cannot have. */
  'RF-OPTION': 'usage',
  /** A report that cannot be read, or is of another version. */
  'RF-REPORT': 'usage',
  /** A baseline that is not there, or no baseline. */
  'RF-BASELINE': 'usage',
  /** Shards that do not make a whole. */
  'RF-SHARD': 'usage',
  /** The config file: an unknown key, or a value that it cannot have. */
  'RF-CONFIG': 'usage',
  /** A file that init would overwrite. */
  'RF-INIT': 'usage',
  /** A trace file that cannot be read, or is of another version. */
  'RF-TRACE': 'usage',
  /** No such target. */
  'RF-TARGET-UNKNOWN': 'usage',
  /** The report folder cannot be written. */
  'RF-OUT': 'environment',
  /** The disk is full. */
  'RF-OUT-FULL': 'environment',
  /** A fault of the harness itself. */
  'RF-INTERNAL': 'environment',
  /** The run was interrupted before it had anything to tell. */
  'RF-INTERRUPTED': 'environment',
  /** A checkpoint that cannot be read. */
  'RF-CHECKPOINT': 'environment',
} as const satisfies Record<string, Blame>;

export type ErrorCode = keyof typeof BLAME;

/** An error that a user can meet: one line that says what was wrong and what would be right. */
export class CampaignError extends Error {
  override readonly name = 'CampaignError';

  constructor(
    readonly code: ErrorCode,
    readonly says: string,
  ) {
    super(`${code}: ${says}`);
  }

  get blame(): Blame {
    return BLAME[this.code];
  }
}

/** Code, blame and line of whatever was thrown; errors of other modules that carry a stable code keep it. */
export function explain(thrown: unknown, fallback: ErrorCode): { code: string; blame: Blame; says: string } {
  if (thrown instanceof CampaignError) return { code: thrown.code, blame: thrown.blame, says: thrown.says };
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const says = oneLine(thrown);
  const told = /^(RF-[A-Z-]+): (.*)$/.exec(says);
  if (code === '' && told) return { code: told[1] ?? fallback, blame: 'usage', says: told[2] ?? says };
  if (/^RF-[A-Z-]+$/.test(code)) {
    const known = BLAME[code as ErrorCode] as Blame | undefined;
    const blame = known ?? (code.startsWith('RF-QEMU') ? 'environment' : 'usage');
    return { code, blame, says: says.startsWith(`${code}: `) ? says.slice(code.length + 2) : says };
  }
  return { code: fallback, blame: BLAME[fallback], says };
}

/** The first line of whatever was thrown, without control characters, cut to 300. */
export function oneLine(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  const line = text.split('\n').find((l) => l.trim() !== '') ?? 'no message';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals must not be steered by a suite's message
  return line.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ').slice(0, 300);
}
