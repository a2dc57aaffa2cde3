/**
 * The look-up of a state among those visited, generated for each packing: words in local variables, no inner loops. It runs once a
 * transition, and is most of an exploration's time.
 */
import type { Packing } from './packing.js';

export const CHUNK_BITS = 14;
export const CHUNK_MASK = (1 << CHUNK_BITS) - 1;
/** A slot holds an id plus one in its low bits, and hash bits above them, which save most comparisons with other states. */
const ID_BITS = 26;
export const ID_MASK = (1 << ID_BITS) - 1;
/**
 * States seen a moment ago, in a table small enough for the processor's own cache. Breadth first, most known successors were found by a
 * sibling just before; to meet them here spares two visits to main memory, which cost more than all the rest of a transition.
 */
export const RECENT_BITS = 12;
const RECENT_MASK = (1 << RECENT_BITS) - 1;
/** What a look-up says of a state that is not there and is not to be added. */
export const NOT_THERE = -0x80000000;

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

/** What the generated look-up sees of a store. */
export interface Tables {
  /** The states, packed, each followed by its parent. */
  readonly chunks: Int32Array[];
  /** A packed state and its id plus one (0: nothing there yet), by hash. */
  readonly recent: Int32Array;
  /** Where the look-up leaves a packed state that is to be added. */
  readonly packed: Int32Array;
  readonly slots: Int32Array;
  readonly slotMask: number;
  /** Keeps `packed`, which the look-up did not find; returns its id. */
  insert(parent: number, slot: number, tag: number): number;
  /** Adds a state that the packing does not hold. */
  widen(words: Int32Array, parent: number): number;
}

/** Code made for one packing. */
export interface Generated {
  /** Id of a state that was added, -1 - id of one that was known, or NOT_THERE. */
  lookUp(tables: Tables, words: Int32Array, parent: number, adding: boolean): number;
  /** Enters the states of a chunk, of which the first has the id `first`, in an empty part of the hash table. */
  enter(slots: Int32Array, chunk: Int32Array, states: number, first: number): void;
}

/** The code for states that are packed so. Its hash is `hashWords` of the packed words. */
export function generatedFor(packing: Packing): Generated {
  const source = sourceFor(packing);
  const known = generated.get(source);
  if (known !== undefined) return known;
  if (generated.size >= MOST_GENERATED) generated.clear();
  const made = new Function(source)() as Generated;
  generated.set(source, made);
  return made;
}

/** What was made before, by its source: a suite's counterparts are mostly packed like the suite, and the code is warm by then. */
const generated = new Map<string, Generated>();
const MOST_GENERATED = 256;

function sourceFor(packing: Packing): string {
  const n = packing.count;
  const each = (line: (i: number) => string, between = ' '): string =>
    Array.from({ length: n }, (_, i) => line(i)).join(between);
  const equal = (array: string, at: string): string => each((i) => `${array}[${at} + ${i}] === p${i}`, ' && ');
  const hash = `
      let h = 0x2545f491;
      ${each((i) => `h = Math.imul(h ^ p${i}, 0x5bd1e995); h ^= h >>> 15;`)}
      h = Math.imul(h ^ (h >>> 13), 0x27d4eb2f);
      h ^= h >>> 16;`;
  return `
    function lookUp(t, words, parent, adding) {
      ${packing.packCode(`adding ? t.widen(words, parent) : ${NOT_THERE}`)}
      ${hash}
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
      ${each((i) => `recent[seen + ${i}] = p${i};`)}
      if (known !== 0) {
        recent[seen + ${n}] = known;
        return -known;
      }
      if (!adding) {
        recent[seen + ${n}] = 0;
        return ${NOT_THERE};
      }
      const packed = t.packed;
      ${each((i) => `packed[${i}] = p${i};`)}
      recent[seen + ${n}] = t.count + 1;
      return t.insert(parent, slot, tag);
    }
    function enter(slots, chunk, states, first) {
      const mask = slots.length - 1;
      for (let s = 0, at = 0; s < states; s++, at += ${n + 1}) {
        ${each((i) => `const p${i} = chunk[at + ${i}];`)}
        ${hash}
        let slot = h & mask;
        while (slots[slot] !== 0) slot = (slot + 1) & mask;
        slots[slot] = (h & ${~ID_MASK}) | (first + s + 1);
      }
    }
    return { lookUp, enter };`;
}
