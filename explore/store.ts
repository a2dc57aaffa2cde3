/**
 * The set of visited states: exact, append-only, in order of discovery (which is breadth-first order, so no queue is needed).
 * Memory: the packed state (packing.ts: the bits that tell states apart), 4 bytes for the parent, and one 32-bit hash slot at a load
 * between 0.42 and 0.85.
 */
import {
  CHUNK_BITS,
  CHUNK_MASK,
  type Generated,
  generatedFor,
  ID_MASK,
  NOT_THERE,
  RECENT_BITS,
  type Tables,
} from './lookUp.js';
import { asItIs, type Packing, packingOf, SeenBits } from './packing.js';

/** Whether two states are equal; the second may stand within a longer array, from `at` on. */
export function sameWords(words: Int32Array, others: Int32Array, at = 0): boolean {
  for (let i = 0; i < words.length; i++) if (words[i] !== others[at + i]) return false;
  return true;
}

/** Most states that one store can hold. */
export const MAX_STATES = ID_MASK - 1;

const MAX_LOAD = 0.85;
/** States kept as they are, before it is learnt from them how to pack. A small exploration ends before that, and saves the trouble. */
const LEARN_FROM = 1024;

export class StateStore implements Tables {
  /** Number of states held. */
  count = 0;
  /** The states, packed, each followed by its parent. */
  chunks: Int32Array[] = [];
  slots: Int32Array;
  slotMask: number;
  recent: Int32Array;
  packed: Int32Array;
  private readonly unpacked: Int32Array;
  private growAt: number;
  private packing: Packing;
  private generated: Generated;
  private stride: number;
  /** What was learnt of the states; undefined as long as they are kept as they are. */
  private seen: SeenBits | undefined;

  /** @param wordCount 32-bit words of one state */
  constructor(readonly wordCount: number) {
    this.slots = new Int32Array(1 << 12);
    this.slotMask = this.slots.length - 1;
    this.growAt = LEARN_FROM;
    this.packing = asItIs(wordCount);
    this.stride = this.packing.count + 1;
    this.generated = generatedFor(this.packing);
    this.recent = new Int32Array(this.stride << RECENT_BITS);
    this.packed = new Int32Array(this.packing.count);
    this.unpacked = new Int32Array(wordCount);
  }

  /** Bytes held, all told. */
  get bytes(): number {
    return this.recent.byteLength + this.slots.byteLength + this.chunks.reduce((n, c) => n + c.byteLength, 0);
  }

  /**
   * Adds a state. Returns its new id, or -1 - id when it was known already.
   * @param parent id of the state it was reached from, -1 for an initial state
   */
  add(words: Int32Array, parent: number): number {
    return this.generated.lookUp(this, words, parent, true);
  }

  /** Id of a state, or -1. */
  find(words: Int32Array): number {
    const found = this.generated.lookUp(this, words, -1, false);
    return found === NOT_THERE ? -1 : -1 - found;
  }

  insert(parent: number, slot: number, tag: number): number {
    const id = this.count;
    if (id >= MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
    this.count++;
    this.append(id, parent);
    this.slots[slot] = tag | (id + 1);
    if (this.count >= this.growAt) this.grow();
    return id;
  }

  /** Puts the packed state at the end of the chunks. */
  private append(id: number, parent: number): void {
    const n = this.stride - 1;
    const chunkIndex = id >>> CHUNK_BITS;
    if (chunkIndex === this.chunks.length) this.chunks.push(new Int32Array(this.stride << CHUNK_BITS));
    const chunk = this.chunks[chunkIndex];
    const at = (id & CHUNK_MASK) * this.stride;
    for (let i = 0; i < n; i++) chunk[at + i] = this.packed[i];
    chunk[at + n] = parent;
  }

  equals(id: number, words: Int32Array): boolean {
    this.load(id, this.unpacked);
    return sameWords(words, this.unpacked);
  }

  /** Copies state `id` into `into`. */
  load(id: number, into: Int32Array): void {
    this.packing.unpack(this.chunks[id >>> CHUNK_BITS], (id & CHUNK_MASK) * this.stride, into, 0);
  }

  parent(id: number): number {
    return this.chunks[id >>> CHUNK_BITS][(id & CHUNK_MASK) * this.stride + this.stride - 1];
  }

  /** Ids from an initial state to `id`. */
  path(id: number): number[] {
    const path: number[] = [];
    for (let at = id; at >= 0; at = this.parent(at)) path.push(at);
    return path.reverse();
  }

  /** A state that does not fit into the packing: there is a wider one from now on. */
  widen(words: Int32Array, parent: number): number {
    if (this.seen === undefined) throw new Error('states that are kept as they are always fit');
    this.seen.widen(words);
    this.repack(this.seen);
    return this.add(words, parent);
  }

  private grow(): void {
    if (this.seen === undefined) {
      this.learn();
      return;
    }
    // The old table is dropped first: the states themselves hold all that is needed to build the new one. Small tables grow faster.
    const size = this.slots.length * (this.slots.length < 1 << 18 ? 8 : 2);
    this.slots = new Int32Array(0);
    this.rehash(size);
  }

  /** Looks at all states, and packs them accordingly. */
  private learn(): void {
    this.load(0, this.unpacked);
    const seen = new SeenBits(this.unpacked);
    for (let id = 1; id < this.count; id++) {
      this.load(id, this.unpacked);
      seen.look(this.unpacked);
    }
    this.seen = seen;
    this.repack(seen);
  }

  private repack(seen: SeenBits): void {
    const { packing, stride, chunks, count } = this;
    this.use(packingOf(seen));
    this.chunks = [];
    for (let id = 0; id < count; id++) {
      const chunk = chunks[id >>> CHUNK_BITS];
      const at = (id & CHUNK_MASK) * stride;
      packing.unpack(chunk, at, this.unpacked, 0);
      this.packing.pack(this.unpacked, this.packed);
      this.append(id, chunk[at + stride - 1]);
      // Each old chunk goes when it has been copied, so that at no time everything is there twice.
      if ((id & CHUNK_MASK) === CHUNK_MASK) chunks[id >>> CHUNK_BITS] = NO_WORDS;
    }
    this.rehash(this.slots.length);
  }

  private use(packing: Packing): void {
    this.packing = packing;
    this.stride = packing.count + 1;
    this.generated = generatedFor(packing);
    this.recent = new Int32Array(this.stride << RECENT_BITS);
    this.packed = new Int32Array(packing.count);
  }

  private rehash(size: number): void {
    const slots = size === this.slots.length ? this.slots.fill(0) : new Int32Array(size);
    this.slots = slots;
    this.slotMask = size - 1;
    this.growAt = Math.floor(size * MAX_LOAD);
    for (let first = 0; first < this.count; first += 1 << CHUNK_BITS) {
      const states = Math.min(this.count - first, 1 << CHUNK_BITS);
      this.generated.enter(slots, this.chunks[first >>> CHUNK_BITS], states, first);
    }
  }

  /** The states as they are, each with its parent, one buffer a chunk, for a checkpoint. */
  *save(): Generator<Uint8Array> {
    const n = this.wordCount + 1;
    for (let first = 0; first < this.count; first += 1 << CHUNK_BITS) {
      const states = Math.min(this.count - first, 1 << CHUNK_BITS);
      const buffer = new Int32Array(states * n);
      const chunk = this.chunks[first >>> CHUNK_BITS];
      for (let i = 0; i < states; i++) {
        this.packing.unpack(chunk, i * this.stride, buffer, i * n);
        buffer[i * n + n - 1] = chunk[(i + 1) * this.stride - 1];
      }
      yield new Uint8Array(buffer.buffer);
    }
  }

  /** Restores what `save` wrote. @param data all chunks, one after the other */
  static restore(wordCount: number, data: Uint8Array): StateStore {
    const store = new StateStore(wordCount);
    const n = wordCount + 1;
    const record = new Int32Array(n);
    const bytes = new Uint8Array(record.buffer);
    const count = data.byteLength / (n * 4);
    const read = (id: number): Int32Array => {
      bytes.set(data.subarray(id * n * 4, (id + 1) * n * 4));
      return record;
    };
    if (count >= LEARN_FROM) {
      const seen = new SeenBits(read(0).subarray(0, wordCount));
      for (let id = 1; id < count; id++) seen.look(read(id));
      store.seen = seen;
      store.use(packingOf(seen));
    }
    for (let id = 0; id < count; id++) {
      store.packing.pack(read(id), store.packed);
      store.append(id, record[n - 1]);
    }
    store.count = count;
    let size = store.slots.length;
    while (count >= Math.floor(size * MAX_LOAD)) size *= 2;
    store.rehash(size);
    if (count < LEARN_FROM) store.growAt = LEARN_FROM;
    return store;
  }
}

const NO_WORDS = new Int32Array(0);
