/** The store of visited states against a plain map: before it has learnt to pack, after it, and when states come that do not fit. */
import { beforeAll, describe, expect, it } from 'vitest';
import { CHUNK_BITS } from './lookUp.js';
import { StateStore } from './store.js';

const WORDS = 8;
/** More than the states from which the store learns, and than one chunk holds. */
const STATES = 20_000;

/** State number `i`: a counter over several bytes, a reference, a constant, and from some number on a bit that was never seen. */
function stateOf(i: number): Int32Array {
  const s = new Int32Array(WORDS).fill(0x01020304);
  s[0] = (i & 7) | (((i >>> 3) & 7) << 8) | (((i >>> 6) & 7) << 16) | (((i >>> 9) & 7) << 24);
  s[2] = ((i >>> 12) % 3 === 2 ? 255 : (i >>> 12) % 3) | ((i >>> 12) << 8);
  s[3] = i > 9_000 ? 0x00400000 : 0;
  s[5] = i > 15_000 ? -1 : 5;
  return s;
}

function filled(): StateStore {
  const store = new StateStore(WORDS);
  for (let i = 0; i < STATES; i++) if (store.add(stateOf(i), i - 1) !== i) throw new Error(`state ${i} was known`);
  return store;
}

describe('the store', () => {
  let store: StateStore;
  beforeAll(() => {
    store = filled();
  });
  const into = new Int32Array(WORDS);

  function holdsAll(s: StateStore): void {
    expect(s.count).toBe(STATES);
    for (let i = 0; i < STATES; i++) {
      const state = stateOf(i);
      s.load(i, into);
      if (into.some((w, k) => w !== state[k]) || s.find(state) !== i || s.parent(i) !== i - 1 || !s.equals(i, state)) {
        expect.fail(`state ${i} is lost or changed`);
      }
    }
  }

  it('gives every state back, under its id, with its parent', () => holdsAll(store));

  it('knows every state when it comes again', () => {
    for (let i = 0; i < STATES; i++) if (store.add(stateOf(i), -1) !== -1 - i) expect.fail(`state ${i} is new again`);
    expect(store.count).toBe(STATES);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])('does not take a state with another bit in word %i for one that it has', (k) => {
    const present = new Set(Array.from({ length: STATES }, (_, i) => stateOf(i).join()));
    for (let i = 0; i < STATES; i += 37) {
      for (let bit = 0; bit < 32; bit++) {
        const other = stateOf(i);
        other[k] ^= 1 << bit;
        if (!present.has(other.join()) && store.find(other) !== -1) expect.fail(`state ${i}, bit ${bit}`);
      }
    }
    expect(store.count).toBe(STATES);
  });

  it('finds nothing, and adds nothing, when asked for what is not there', () => {
    const empty = new StateStore(WORDS);
    expect(empty.find(stateOf(0))).toBe(-1);
    expect(empty.count).toBe(0);
    expect(empty.add(stateOf(0), -1)).toBe(0);
  });

  it('is the same after it was saved and restored', () => {
    holdsAll(StateStore.restore(WORDS, Buffer.concat([...store.save()])));
    const few = new StateStore(WORDS);
    for (let i = 0; i < 100; i++) few.add(stateOf(i), i - 1);
    const again = StateStore.restore(WORDS, Buffer.concat([...few.save()]));
    for (let i = 100; i < STATES; i++) again.add(stateOf(i), i - 1);
    holdsAll(again);
  });

  it('holds fewer words than the states have', () => {
    expect(store.chunks).toHaveLength(Math.ceil(STATES / (1 << CHUNK_BITS)));
    expect(store.chunks[0]?.length).toBeLessThan((WORDS + 1) << CHUNK_BITS);
  });

  it('gives the path from the first state', () => {
    expect(store.path(3)).toEqual([0, 1, 2, 3]);
  });
});
