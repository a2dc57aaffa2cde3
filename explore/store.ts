/**
 * The set of visited states: exact, append-only, in order of discovery (which is breadth-first order, so no queue is needed).
 * Memory: the packed state, 4 bytes for the parent, and one 32-bit hash slot at a load between 0.42 and 0.85.
 */

/** Multiplicative hash of 32-bit words; all bits of the result depend on all words. */
export function hashWords(words: Int32Array, from: number, count: number): number {
  let h = 0x2545f491;
  const end = from + count;
  for (let i = from; i < end; i++) {
    h = Math.imul(h ^ words[i], 0x5bd1e995);
    h ^= h >>> 15;
  }
  h = Math.imul(h ^ (h >>> 13), 0x27d4eb2f);
  return h ^ (h >>> 16);
}

/** Whether two states are equal; the second may stand within a longer array, from `at` on. */
export function sameWords(words: Int32Array, others: Int32Array, at = 0): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== others[at + i]) return false;
  return true;
}

const CHUNK_BITS = 14;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;
/** A slot holds an id plus one in its low bits, and hash bits above them, which save most comparisons with other states. */
const ID_BITS = 26;
const ID_MASK = (1 << ID_BITS) - 1;
/** Most states that one store can hold. */
export const MAX_STATES = ID_MASK - 1;

const MAX_LOAD = 0.85;
/**
 * States seen a moment ago, in a table small enough for the processor's own cache. Breadth first, most known successors were found by a
 * sibling just before; to meet them here spares two visits to main memory, which cost more than all the rest of a transition.
 */
const RECENT_BITS = 12;
const RECENT_MASK = (1 << RECENT_BITS) - 1;
/** Words up to which the look-up is written out; longer states are looped over. */
const UNROLLED_WORDS = 24;

/** What the generated look-up sees of a store. */
interface Tables {
  readonly chunks: Int32Array[];
  readonly recent: Int32Array;
  slots: Int32Array;
  slotMask: number;
  insert(words: Int32Array, parent: number, slot: number, tag: number): number;
}
type LookUp = (tables: Tables, words: Int32Array, parent: number) => number;

export class StateStore {
  /** Number of states held. */
  count = 0;
  private readonly stride: number;
  /** The states, each followed by its parent. */
  readonly chunks: Int32Array[] = [];
  slots: Int32Array;
  slotMask: number;
  /** A state and its id plus one (0: nothing there yet), by hash. */
  readonly recent: Int32Array;
  private growAt: number;
  private readonly lookUp: LookUp;

  /** @param wordCount 32-bit words of one state */
  constructor(readonly wordCount: number) {
    this.stride = wordCount + 1;
    this.slots = new Int32Array(1 << 12);
    this.slotMask = this.slots.length - 1;
    this.growAt = Math.floor(this.slots.length * MAX_LOAD);
    this.recent = new Int32Array(this.stride << RECENT_BITS);
    this.lookUp = makeLookUp(wordCount);
  }

  /** Bytes held, all told. */
  get bytes(): number {
    return this.recent.byteLength + this.slots.byteLength + this.chunks.reduce((n, c) => n + c.byteLength, 0);
  }

  private hash(words: Int32Array, from: number): number {
    return hashWords(words, from, this.wordCount);
  }

  /**
   * Adds a state. Returns its new id, or -1 - id when it was known already.
   * @param parent id of the state it was reached from, -1 for an initial state
   */
  add(words: Int32Array, parent: number): number {
    return this.lookUp(this, words, parent);
  }

  /** Keeps a state that the look-up did not find; returns its id. */
  insert(words: Int32Array, parent: number, slot: number, tag: number): number {
    const n = this.wordCount;
    const id = this.count;
    if (id >= MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
    this.count++;
    const chunkIndex = id >>> CHUNK_BITS;
    if (chunkIndex === this.chunks.length) this.chunks.push(new Int32Array(this.stride << CHUNK_BITS));
    const chunk = this.chunks[chunkIndex];
    const at = (id & CHUNK_MASK) * this.stride;
    for (let i = 0; i < n; i++) chunk[at + i] = words[i];
    chunk[at + n] = parent;
    this.slots[slot] = tag | (id + 1);
    if (this.count >= this.growAt) this.grow();
    return id;
  }

  /** Id of a state, or -1. */
  find(words: Int32Array): number {
    const h = this.hash(words, 0);
    const tag = h & ~ID_MASK;
    let slot = h & this.slotMask;
    for (;;) {
      const entry = this.slots[slot];
      if (entry === 0) return -1;
      if ((entry & ~ID_MASK) === tag) {
        const id = (entry & ID_MASK) - 1;
        if (this.equals(id, words)) return id;
      }
      slot = (slot + 1) & this.slotMask;
    }
  }

  equals(id: number, words: Int32Array): boolean {
    const chunk = this.chunks[id >>> CHUNK_BITS];
    const at = (id & CHUNK_MASK) * this.stride;
    for (let i = 0; i < this.wordCount; i++) if (chunk[at + i] !== words[i]) return false;
    return true;
  }

  /** Copies state `id` into `into`. */
  load(id: number, into: Int32Array): void {
    const chunk = this.chunks[id >>> CHUNK_BITS];
    const at = (id & CHUNK_MASK) * this.stride;
    const n = this.wordCount;
    for (let i = 0; i < n; i++) into[i] = chunk[at + i];
  }

  parent(id: number): number {
    return this.chunks[id >>> CHUNK_BITS][(id & CHUNK_MASK) * this.stride + this.wordCount];
  }

  /** Ids from an initial state to `id`. */
  path(id: number): number[] {
    const path: number[] = [];
    for (let at = id; at >= 0; at = this.parent(at)) path.push(at);
    return path.reverse();
  }

  private grow(): void {
    // The old table is dropped first: the states themselves hold all that is needed to build the new one. Small tables grow faster.
    const size = this.slots.length * (this.slots.length < 1 << 18 ? 8 : 2);
    this.slots = new Int32Array(0);
    this.rehash(size);
  }

  private rehash(size: number): void {
    const slots = new Int32Array(size);
    this.slots = slots;
    this.slotMask = size - 1;
    this.growAt = Math.floor(size * MAX_LOAD);
    for (let id = 0; id < this.count; id++) {
      const h = this.hash(this.chunks[id >>> CHUNK_BITS], (id & CHUNK_MASK) * this.stride);
      let slot = h & this.slotMask;
      while (slots[slot] !== 0) slot = (slot + 1) & this.slotMask;
      slots[slot] = (h & ~ID_MASK) | (id + 1);
    }
  }

  /** The states with their parents, one buffer a chunk, for a checkpoint. */
  *save(): Generator<Uint8Array> {
    for (let c = 0; c < this.chunks.length; c++) {
      const states = Math.min(this.count - (c << CHUNK_BITS), 1 << CHUNK_BITS);
      const chunk = this.chunks[c];
      yield new Uint8Array(chunk.buffer, 0, states * this.stride * 4);
    }
  }

  /** Bytes of one state in a checkpoint. */
  get savedStateBytes(): number {
    return this.stride * 4;
  }

  /** Restores what `save` wrote. @param data all chunks, one after the other */
  static restore(wordCount: number, data: Uint8Array): StateStore {
    const store = new StateStore(wordCount);
    store.count = data.byteLength / store.savedStateBytes;
    const chunkBytes = (store.stride * 4) << CHUNK_BITS;
    for (let at = 0; at < data.byteLength; at += chunkBytes) {
      const chunk = new Int32Array(store.stride << CHUNK_BITS);
      new Uint8Array(chunk.buffer).set(data.subarray(at, Math.min(at + chunkBytes, data.byteLength)));
      store.chunks.push(chunk);
    }
    let size = store.slots.length;
    while (store.count >= Math.floor(size * MAX_LOAD)) size *= 2;
    store.rehash(size);
    return store;
  }
}

/**
 * Generates the look-up for states of n words: words in local variables, no inner loops. It runs once a transition, and is most of an
 * exploration's time. Its hash is that of `hashWords`.
 */
function makeLookUp(n: number): LookUp {
  const unrolled = n <= UNROLLED_WORDS;
  const indices = Array.from({ length: n }, (_, i) => i);
  const loop = (body: string): string => `for (let i = 0; i < ${n}; i++) { ${body} }`;
  const mix = (w: string): string => `h = Math.imul(h ^ ${w}, 0x5bd1e995); h ^= h >>> 15;`;
  const equal = (array: string, at: string): string =>
    unrolled ? indices.map((i) => `${array}[${at} + ${i}] === w${i}`).join(' && ') : `same(${array}, ${at}, words)`;
  const body = `
    function same(array, at, words) {
      ${loop('if (array[at + i] !== words[i]) return false;')}
      return true;
    }
    return function lookUp(t, words, parent) {
      ${unrolled ? indices.map((i) => `const w${i} = words[${i}];`).join(' ') : ''}
      let h = 0x2545f491;
      ${unrolled ? indices.map((i) => mix(`w${i}`)).join(' ') : loop(mix('words[i]'))}
      h = Math.imul(h ^ (h >>> 13), 0x27d4eb2f);
      h ^= h >>> 16;
      const recent = t.recent, seen = ((h >>> 13) & ${RECENT_MASK}) * ${n + 1};
      if (${equal('recent', 'seen')} && recent[seen + ${n}] !== 0) return -recent[seen + ${n}];
      const slots = t.slots, mask = t.slotMask, tag = h & ${~ID_MASK};
      let slot = h & mask, known = 0;
      for (let entry = slots[slot]; entry !== 0; entry = slots[slot]) {
        if ((entry & ${~ID_MASK}) === tag) {
          const id = (entry & ${ID_MASK}) - 1;
          const chunk = t.chunks[id >>> ${CHUNK_BITS}], at = (id & ${CHUNK_MASK}) * ${n + 1};
          if (${equal('chunk', 'at')}) { known = id + 1; break; }
        }
        slot = (slot + 1) & mask;
      }
      const id = known === 0 ? t.insert(words, parent, slot, tag) : -known;
      ${unrolled ? indices.map((i) => `recent[seen + ${i}] = w${i};`).join(' ') : loop('recent[seen + i] = words[i];')}
      recent[seen + ${n}] = known === 0 ? id + 1 : known;
      return id;
    }`;
  return new Function(body)() as LookUp;
}
