/**
 * Packing of states: a store keeps only the bits that tell its states apart. Bits that have been the same in every state so far are left
 * out, and so is a bit that always had the value of its upper neighbour (a reference is its number, or 255 for none: eight bits of which
 * two or three say something). What the bits are is learnt from the states; a state that does not fit is the reason for a wider packing,
 * never for a loss. The code that packs is generated, because it runs once a transition.
 */

/** What is known of the bits of all states so far. */
export class SeenBits {
  /** The first state: bits are compared with its own. */
  readonly base: Int32Array;
  /** Bits that differ from the base in some state. */
  readonly vary: Int32Array;
  /** Bits that differ from their upper neighbour in some state, once the base is taken away. */
  readonly apart: Int32Array;
  /** How often a state did not fit. The more often, the more room a packing leaves for what may come. */
  widenings = 0;

  constructor(first: Int32Array) {
    this.base = first.slice();
    this.vary = new Int32Array(first.length);
    this.apart = new Int32Array(first.length);
  }

  /** Takes the words of one state in, which stand within `words` from `at` on. */
  look(words: Int32Array, at = 0): void {
    for (let i = 0; i < this.base.length; i++) {
      const x = words[at + i] ^ this.base[i];
      this.vary[i] |= x;
      this.apart[i] |= x ^ (x >>> 1);
    }
  }

  /** Takes in a state that did not fit. */
  widen(words: Int32Array): void {
    this.widenings++;
    for (let i = 0; i < this.base.length; i++) {
      const x = words[i] ^ this.base[i];
      this.vary[i] |= x;
      this.apart[i] |= x ^ (x >>> 1);
    }
  }

  /** Bits of word `i` that must be kept. */
  kept(i: number): number {
    return this.vary[i] & (this.apart[i] | 0x80000000);
  }
}

/** The kept bits of a word, together: to packed word `into`, moved to the left by `shift` (to the right when it is negative). */
interface Place {
  readonly word: number;
  kept: number;
  into: number;
  shift: number;
}

/** Where the kept bits go. */
export interface Packing {
  /** Packed words of one state. */
  readonly count: number;
  /** Statements that declare `p0`, `p1`, ... from the array `words`, or return the value of `misfit` when a state does not fit. */
  packCode(misfit: string): string;
  /** Packs a state that is known to fit. */
  pack(words: Int32Array, into: Int32Array): void;
  /** Writes a packed state, which stands in `packed` from `at` on, into `words`, from `to` on. */
  unpack(packed: Int32Array, at: number, words: Int32Array, to: number): void;
}

/** The packing that keeps what was seen, and what else there is room for. */
export function packingOf(seen: SeenBits): Packing {
  const { places, used } = placesOf(seen);
  for (let spare = 0; spare < seen.widenings && used.length < seen.base.length; spare++) used.push(0);
  fillUp(seen, places, used);
  const count = used.length;
  return {
    count,
    packCode: (misfit) => packCode(seen, places, count, misfit),
    pack: new Function(
      'words',
      'into',
      `${packCode(seen, places, count, 'undefined')}\n${Array.from({ length: count }, (_, i) => `into[${i}] = p${i};`).join(' ')}`,
    ) as Packing['pack'],
    unpack: new Function('packed', 'at', 'words', 'to', unpackCode(seen, places)) as Packing['unpack'],
  };
}

/**
 * Gives the room that is left in the packed words to bits that were not seen yet: of each byte the lowest that is not kept, because values
 * grow from below. A wider packing later means that all states are packed anew.
 */
function fillUp(seen: SeenBits, places: Place[], used: number[]): void {
  for (let bit = 0; bit < 8; bit++) {
    for (const place of places) {
      const more = place.kept | nextBits(place.kept);
      if (more === place.kept) continue;
      used[place.into] &= ~moved(place.kept, place.shift);
      const free = roomFor(more, used);
      if (free !== undefined) {
        seen.vary[place.word] |= more;
        seen.apart[place.word] |= more;
        Object.assign(place, free, { kept: more });
      }
      used[place.into] |= moved(place.kept, place.shift);
    }
  }
}

/** Of each byte the lowest bit that is not among those kept. */
function nextBits(kept: number): number {
  let next = 0;
  for (let byte = 0; byte < 32; byte += 8) {
    const inByte = (kept >>> byte) & 0xff;
    next |= (~inByte & (inByte + 1) & 0xff) << byte;
  }
  return next;
}

/** Keeps all bits where they are. */
export function asItIs(wordCount: number): Packing {
  const seen = new SeenBits(new Int32Array(wordCount));
  seen.vary.fill(-1);
  seen.apart.fill(-1);
  return packingOf(seen);
}

/**
 * Words move as a whole, because two operations for each word cost less than three for each field: a word goes where its kept bits fall
 * between those that are there, at the smallest shift. The fullest words are placed first.
 */
function placesOf(seen: SeenBits): { places: Place[]; used: number[] } {
  const kept = Array.from(seen.base, (_, word) => seen.kept(word));
  const words = kept.map((_, word) => word).filter((word) => kept[word] !== 0 || word === 0);
  const used: number[] = [];
  const places = words
    .sort((a, b) => bitCount(kept[b]) - bitCount(kept[a]))
    .map((word) => {
      const free = roomFor(kept[word], used) ?? { into: used.push(0) - 1, shift: 0 };
      used[free.into] |= moved(kept[word], free.shift);
      return { word, kept: kept[word], ...free };
    });
  return { places, used };
}

/** Where some bits of one word fit in. */
function roomFor(kept: number, used: readonly number[]): { into: number; shift: number } | undefined {
  for (let into = 0; into < used.length; into++) {
    if (used[into] === -1) continue;
    for (const shift of SHIFTS) {
      const there = moved(kept, shift);
      if ((there & used[into]) === 0 && moved(there, -shift) === kept) return { into, shift };
    }
  }
  return undefined;
}

/** 0, 1, -1, 2, -2, ... */
const SHIFTS = Array.from({ length: 63 }, (_, i) => (i & 1 ? (i + 1) >> 1 : -(i >> 1)));

const moved = (bits: number, shift: number): number => (shift >= 0 ? bits << shift : bits >>> -shift) | 0;

function bitCount(bits: number): number {
  let n = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) n++;
  return n;
}

const bits = (length: number): number => (length === 32 ? -1 : (1 << length) - 1);

const shifted = (what: string, by: number): string =>
  by === 0 ? what : by > 0 ? `(${what} << ${by})` : `(${what} >>> ${-by})`;

function packCode(seen: SeenBits, places: readonly Place[], count: number, misfit: string): string {
  const { base, vary } = seen;
  const lines: string[] = [];
  const misfits: string[] = [];
  for (let i = 0; i < base.length; i++) {
    lines.push(`const x${i} = words[${i}]${base[i] === 0 ? '' : ` ^ ${base[i]}`};`);
    if (vary[i] !== -1) misfits.push(`x${i} & ${~vary[i]}`);
    const same = vary[i] & ~seen.kept(i);
    if (same !== 0) misfits.push(`(x${i} ^ (x${i} >>> 1)) & ${same}`);
  }
  if (misfits.length > 0) lines.push(`if ((${misfits.map((m) => `(${m})`).join(' | ')}) !== 0) return ${misfit};`);
  for (let p = 0; p < count; p++) {
    const parts = places
      .filter((w) => w.into === p)
      .map((w) => {
        const kept = seen.vary[w.word] === w.kept ? `x${w.word}` : `(x${w.word} & ${w.kept})`;
        return shifted(kept, w.shift);
      });
    lines.push(`const p${p} = ${parts.length === 0 ? '0' : parts.join(' | ')};`);
  }
  return lines.join('\n');
}

function unpackCode(seen: SeenBits, places: readonly Place[]): string {
  const lines: string[] = [];
  for (let word = 0; word < seen.base.length; word++) {
    const parts = places
      .filter((w) => w.word === word)
      .map((w) => `(${shifted(`packed[at + ${w.into}]`, -w.shift)} & ${w.kept})`);
    lines.push(`let x${word} = ${parts.length === 0 ? '0' : parts.join(' | ')};`);
    // A bit that is left out has the value of its upper neighbour: every such row of bits hangs at a kept one.
    const left = seen.vary[word] & ~seen.kept(word);
    for (let low = 0; low < 32; low++) {
      if (((left >>> low) & 1) === 0) continue;
      let length = 1;
      while ((left >>> (low + length)) & 1) length++;
      lines.push(`x${word} |= -((x${word} >>> ${low + length}) & 1) & ${bits(length) << low};`);
      low += length;
    }
    lines.push(`words[to + ${word}] = x${word}${seen.base[word] === 0 ? '' : ` ^ ${seen.base[word]}`};`);
  }
  return lines.join('\n');
}
