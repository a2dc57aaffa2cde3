/**
 * Novelty: which states random runs have been in, and runs worth going on from. Only a heuristic: states are remembered by hash, some are
 * forgotten, and nothing is concluded from it.
 */
import type { Draw } from './focus.js';
import type { RunStep } from './walk.js';

/** A run that ended in a state not seen before, with that state. */
export interface Prefix {
  readonly initial: readonly number[];
  readonly steps: readonly RunStep[];
  readonly words: Int32Array;
}

const SEEN_BITS = 20;
const POOL = 8192;

export class Novelty {
  /** Hashes of states, direct-mapped: an older one gives way. */
  private readonly seen = new Int32Array(1 << SEEN_BITS);
  private readonly pool: Prefix[] = [];
  private next = 0;

  /** Whether the state is new; it is not afterwards. */
  isNew(words: Int32Array): boolean {
    let h = 0x811c9dc5;
    for (let i = 0; i < words.length; i++) {
      h = Math.imul(h ^ words[i], 0x01000193);
      h ^= h >>> 15;
    }
    const at = h >>> (32 - SEEN_BITS);
    const tag = h | 1;
    if (this.seen[at] === tag) return false;
    this.seen[at] = tag;
    return true;
  }

  /** Keeps a run to go on from; the oldest gives way. */
  keep(prefix: Prefix): void {
    this.pool[this.next] = prefix;
    this.next = (this.next + 1) % POOL;
  }

  /** One of the kept runs, the shorter of two drawn; undefined when there is none. */
  draw(draw: Draw): Prefix | undefined {
    if (this.pool.length === 0) return undefined;
    const a = this.pool[draw(this.pool.length)];
    const b = this.pool[draw(this.pool.length)];
    return a.steps.length <= b.steps.length ? a : b;
  }
}
