/**
 * Reads what SPIN and Rumur print. A run counts only if it was exact, exhaustive and free of errors; anything else is refused by name,
 * because both tools can end with exit code 0 after a search that was cut short or lost states.
 */

export type PeerErrorCode =
  /** The tool, or the C compiler, is not installed. */
  | 'RF-PEER-MISSING'
  /** The tool ended with an error, or was killed. */
  | 'RF-PEER-FAILED'
  /** The output is not what this version of the bench knows how to read. */
  | 'RF-PEER-OUTPUT'
  /** The search was lossy (bit state, hash compaction) or cut short (depth, memory). */
  | 'RF-PEER-LOSSY'
  /** The peer found a violation in the model. */
  | 'RF-PEER-VIOLATION';

/** A peer could not give a figure that may be printed. The message is one line. */
export class PeerError extends Error {
  override readonly name = 'PeerError';
  constructor(
    readonly code: PeerErrorCode,
    message: string,
  ) {
    super(message);
  }
}

/** What a peer said of its own run. */
export interface PeerCounts {
  /** Distinct states, the initial one included. */
  readonly states: number;
  /** Firings of enabled actions plus one for the initial state (see bench/README.md). */
  readonly transitions: number;
  /** The tool's own clock, in seconds; undefined when it has no useful resolution. */
  readonly ownSeconds: number | undefined;
  /** Bytes of one state as the tool holds it, without overhead. */
  readonly vectorBytes: number;
  /** Bytes of the set of visited states, overhead and hash table included; undefined when the tool does not say. */
  readonly storeBytes: number | undefined;
}

const MEGABYTE = 1024 * 1024;

function numberAfter(tool: string, text: string, pattern: RegExp, what: string): number {
  const value = Number(pattern.exec(text)?.[1]);
  if (!Number.isFinite(value)) {
    throw new PeerError('RF-PEER-OUTPUT', `${tool} printed no ${what}; was it another version of the tool?`);
  }
  return value;
}

const SPIN_CUT_SHORT: readonly (readonly [RegExp, string])[] = [
  [/max search depth too small/, 'it reached its depth limit; a larger -m is needed'],
  [/Warning: Search (not completed|incomplete)/, 'it did not complete its search'],
  [/reached -DMEMLIM bound|out of memory/, 'it ran out of memory'],
];

/**
 * Reads the report of a SPIN verifier.
 * @throws PeerError `RF-PEER-VIOLATION`, `RF-PEER-LOSSY` or `RF-PEER-OUTPUT`.
 */
export function readSpin(text: string): PeerCounts {
  const errors = numberAfter('SPIN', text, /errors:\s*(\d+)/, 'error count');
  if (errors > 0) {
    const first = /^pan:\d*:?\s*(.*)$/m.exec(text)?.[1] ?? 'see its output';
    throw new PeerError('RF-PEER-VIOLATION', `SPIN found ${errors} error(s) in the model: ${first}`);
  }
  if (!/^Full statespace search for:$/m.test(text)) {
    const mode = /^(.*) search for:$/m.exec(text)?.[1] ?? 'an unknown';
    throw new PeerError('RF-PEER-LOSSY', `SPIN ran in ${mode} mode; only its full, exact search may be compared`);
  }
  for (const [pattern, why] of SPIN_CUT_SHORT) {
    if (pattern.test(text))
      throw new PeerError('RF-PEER-LOSSY', `SPIN's counts are not those of the whole space: ${why}`);
  }
  const states = numberAfter('SPIN', text, /^\s*(\d+) states, stored/m, 'number of stored states');
  const matched = numberAfter('SPIN', text, /^\s*(\d+) states, matched/m, 'number of matched states');
  const transitions = numberAfter('SPIN', text, /^\s*(\d+) transitions/m, 'number of transitions');
  const atomic = numberAfter('SPIN', text, /^\s*(\d+) atomic steps/m, 'number of atomic steps');
  if (transitions !== states + matched || atomic !== 0) {
    throw new PeerError(
      'RF-PEER-OUTPUT',
      `SPIN's counts do not add up: ${states} + ${matched}, ${transitions}, ${atomic}`,
    );
  }
  const elapsed = numberAfter('SPIN', text, /elapsed time ([\d.e+-]+) seconds/, 'elapsed time');
  const table = numberAfter('SPIN', text, /([\d.]+)\s+memory used for hash table/, 'size of the hash table');
  const stored = numberAfter('SPIN', text, /([\d.]+)\s+actual memory usage for states/, 'memory of the states');
  const padded = numberAfter('SPIN', text, /State-vector (\d+) byte/, 'state vector');
  const packed = /state-vector as stored = (\d+) byte/.exec(text)?.[1];
  return {
    states,
    transitions,
    ownSeconds: elapsed >= 0.1 ? elapsed : undefined,
    vectorBytes: packed === undefined ? padded : Number(packed),
    storeBytes: Math.round((table + stored) * MEGABYTE),
  };
}

/**
 * Refuses a generated Rumur verifier that would leave states out: a depth bound shows in no report, only in its source.
 * @param source the generated C text.
 * @throws PeerError `RF-PEER-LOSSY` or `RF-PEER-OUTPUT`.
 */
export function checkRumurSource(source: string): void {
  if (numberAfter('Rumur', source, /^#define BOUND (\d+)$/m, 'depth bound in its verifier') !== 0) {
    throw new PeerError('RF-PEER-LOSSY', 'the Rumur verifier has a depth bound; only the full search may be compared');
  }
}

/**
 * Reads the machine-readable report of a Rumur verifier. Rumur's clock has whole seconds only, so it is not used.
 * @throws PeerError `RF-PEER-VIOLATION` or `RF-PEER-OUTPUT`.
 */
export function readRumur(text: string): PeerCounts {
  const summary = /<summary states="(\d+)" rules_fired="(\d+)" errors="(\d+)"/.exec(text);
  if (!summary) {
    throw new PeerError('RF-PEER-OUTPUT', 'Rumur printed no summary; was it killed, or another version of the tool?');
  }
  if (summary[3] !== '0') {
    const message = /<message>(.*?)<\/message>/s.exec(text)?.[1] ?? 'see its output';
    throw new PeerError('RF-PEER-VIOLATION', `Rumur found ${summary[3]} error(s) in the model: ${message}`);
  }
  return {
    states: Number(summary[1]),
    transitions: Number(summary[2]) + 1,
    ownSeconds: undefined,
    vectorBytes: numberAfter('Rumur', text, /state_size_bytes="(\d+)"/, 'state size'),
    storeBytes: undefined,
  };
}
