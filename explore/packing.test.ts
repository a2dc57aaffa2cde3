/** Packing loses nothing: what fits comes back as it was, what does not fit is told, and a wider packing then holds both. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asItIs, type Packing, packingOf, SeenBits } from './packing.js';

const WORDS = 5;

/** Words of bytes as specifications have them: constants, small numbers, references with 255 for none, sets. */
const word = fc
  .tuple(
    ...Array.from({ length: 4 }, () => fc.oneof(fc.constant(7), fc.nat(3), fc.constantFrom(0, 1, 255), fc.nat(255))),
  )
  .map((bytes) => bytes.reduce((w, b, i) => w | (b << (8 * i)), 0));
const state = fc.array(word, { minLength: WORDS, maxLength: WORDS }).map((w) => Int32Array.from(w));
const states = fc.array(state, { minLength: 1, maxLength: 12 });

function learn(from: readonly Int32Array[], widened: readonly Int32Array[] = []): Packing {
  const seen = new SeenBits(from[0] ?? new Int32Array(WORDS));
  for (const s of from) seen.look(s);
  for (const s of widened) seen.widen(s);
  return packingOf(seen);
}

function there(p: Packing, words: Int32Array): Int32Array {
  const packed = new Int32Array(p.count);
  p.pack(words, packed);
  return packed;
}

function back(p: Packing, packed: Int32Array): Int32Array {
  const words = new Int32Array(WORDS + 1).fill(-1);
  p.unpack(Int32Array.from([-1, -1, ...packed]), 2, words, 1);
  return words.subarray(1);
}

/** Whether the generated check lets a state in. */
function fits(p: Packing, words: Int32Array): boolean {
  return new Function('words', `${p.packCode('false')}; return true;`)(words) as boolean;
}

describe('a packing', () => {
  it('gives every state that it was learnt from back', () => {
    fc.assert(
      fc.property(states, (all) => {
        const p = learn(all);
        for (const s of all) {
          expect(fits(p, s)).toBe(true);
          expect(back(p, there(p, s))).toEqual(s);
        }
      }),
    );
  });

  it('lets in what comes back as it was, and nothing else', () => {
    fc.assert(
      fc.property(states, state, (all, other) => {
        const p = learn(all);
        expect(fits(p, other)).toBe(back(p, there(p, other)).every((w, i) => w === other[i]));
      }),
    );
  });

  it('does not let in a bit that parts from the neighbour it stands for', () => {
    // References only: of 255 and 0 a byte keeps one bit or a few, and there is not room for all in the packed words.
    const all = Array.from({ length: 5 }, (_, i) =>
      Int32Array.from({ length: WORDS }, (_, w) => [0, 0xff, 0xff00, 0xff0000, -0x1000000][(i + w) % 5] ?? 0),
    );
    const p = learn(all);
    expect(p.count).toBeLessThan(WORDS);
    let refused = 0;
    for (let w = 0; w < WORDS; w++) {
      for (let bit = 0; bit < 32; bit++) {
        const other = Int32Array.from(all[0] ?? []);
        other[w] ^= 1 << bit;
        expect(fits(p, other)).toBe(back(p, there(p, other)).every((x, i) => x === other[i]));
        if (!fits(p, other)) refused++;
      }
    }
    // Every one of these bits has varied: only a neighbour can be the reason.
    expect(refused).toBeGreaterThan(0);
  });

  it('holds all when it was widened', () => {
    fc.assert(
      fc.property(states, states, (all, later) => {
        const p = learn(all, later);
        for (const s of [...all, ...later]) expect(back(p, there(p, s))).toEqual(s);
      }),
    );
  });

  it('never has more words than the states', () => {
    fc.assert(fc.property(states, states, (all, later) => learn(all, later).count <= WORDS));
  });

  it('keeps a reference to one of two, or none, in two bits', () => {
    const all = [0, 1, 255].map((b) => Int32Array.from([b | (b << 8) | (b << 16) | (b << 24), 0, 0, 0, 0]));
    expect(learn(all).count).toBe(1);
    const [one, two] = [Int32Array.from([0, 0, 0, 0, 0]), Int32Array.from([3, 0, 0, 0, 0])];
    expect(fits(learn([one, Int32Array.from([255, 0, 0, 0, 0])]), two)).toBe(true);
  });

  it('that keeps all as it is lets everything in', () => {
    fc.assert(
      fc.property(state, (s) => {
        expect(fits(asItIs(WORDS), s)).toBe(true);
        expect(there(asItIs(WORDS), s)).toEqual(s);
      }),
    );
  });
});
