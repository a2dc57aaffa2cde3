/**
 * Symmetry reduction: of all states that differ only by a permutation of interchangeable members, keep one, exactly.
 * Members are first sorted by what their own rows say without naming other members (a signature that no permutation changes); only
 * members that tie are permuted, and the least of the permuted states is the representative.
 */
import { type Machine, NONE, type PlacedField, type Sort, SpecificationError } from '../model/kernel/index.js';
import { hashWords } from './lookUp.js';
import { sameWords } from './store.js';

const RECENT_BITS = 13;
const RECENT_MASK = (1 << RECENT_BITS) - 1;

export interface Canonicalizer {
  /** Writes the representative of `words` into `into`. */
  canonicalize(words: Int32Array, into: Int32Array): void;
}

/** Where one element of a symmetric sort has a value of its own. */
interface PermutedField {
  readonly field: PlacedField;
  /** Position of the sort among the index sorts: -1 when only the values are permuted. */
  readonly dimension: number;
  readonly sizes: readonly number[];
  readonly holds: boolean;
  readonly set: boolean;
}

/**
 * Makes the canonicalizer of one symmetric sort of a machine (schedule `whole`).
 * Throws SpecificationError when the machine's state names members of the sort in a way that cannot be permuted.
 */
export function canonicalizer(machine: Machine, of: Sort): Canonicalizer {
  if (of.symmetricFrom === undefined) throw new SpecificationError(`the sort '${of.name}' is not declared symmetric`);
  if (machine.threadAgents.length > 0) {
    throw new SpecificationError(`symmetry of '${of.name}' is not available under the schedule 'split'`);
  }
  return new SortCanonicalizer(machine, of, of.symmetricFrom);
}

class SortCanonicalizer implements Canonicalizer {
  private readonly size: number;
  private readonly own: readonly PermutedField[];
  private readonly source: Uint8Array;
  private readonly sourceWords: Int32Array;
  private readonly target: Uint8Array;
  private readonly targetWords: Int32Array;
  private readonly order: Int32Array;
  private readonly inverse: Int32Array;
  private readonly signatures: Int32Array;
  /**
   * States canonicalized a moment ago, each followed by its representative: breadth first, most successors were just met as they are, and
   * to know them again costs a hash where the work itself costs dozens of passes over the state.
   */
  private readonly recent: Int32Array;
  private readonly known: Uint8Array;

  constructor(
    machine: Machine,
    of: Sort,
    private readonly from: number,
  ) {
    this.size = machine.size(of);
    const bytes = machine.layout.byteCount;
    this.source = new Uint8Array(bytes);
    this.sourceWords = new Int32Array(this.source.buffer);
    this.target = new Uint8Array(bytes);
    this.targetWords = new Int32Array(this.target.buffer);
    this.order = new Int32Array(this.size);
    this.inverse = new Int32Array(this.size);
    this.signatures = new Int32Array(this.size);
    this.recent = new Int32Array((2 * this.sourceWords.length) << RECENT_BITS);
    this.known = new Uint8Array(1 << RECENT_BITS);
    this.own = machine.layout.fields.flatMap((field): PermutedField[] => {
      const dimensions = field.index.flatMap((s, i) => (s === of ? [i] : []));
      const holds = field.field.holds === of;
      const set = field.field.setOf === of;
      if (dimensions.length > 1) {
        throw new SpecificationError(`symmetry of '${of.name}': the table ${field.table} is indexed by it twice`);
      }
      if (dimensions.length === 0 && !holds && !set) return [];
      if ((holds || set) && field.field.bytes !== 1) {
        throw new SpecificationError(`symmetry of '${of.name}': ${field.table}.${field.name} must be a byte`);
      }
      return [{ field, dimension: dimensions[0] ?? -1, sizes: field.index.map((s) => machine.size(s)), holds, set }];
    });
  }

  canonicalize(words: Int32Array, into: Int32Array): void {
    const { recent, known } = this;
    const n = words.length;
    const slot = hashWords(words, 0, n) & RECENT_MASK;
    const at = slot * 2 * n;
    if (known[slot] !== 0 && sameWords(words, recent, at)) {
      for (let i = 0; i < n; i++) into[i] = recent[at + n + i];
      return;
    }
    this.represent(words, into);
    known[slot] = 1;
    for (let i = 0; i < n; i++) {
      recent[at + i] = words[i];
      recent[at + n + i] = into[i];
    }
  }

  /** Finds the representative by sorting and permuting. */
  private represent(words: Int32Array, into: Int32Array): void {
    this.sourceWords.set(words);
    this.sign();
    const { order, signatures, size, from } = this;
    for (let i = 0; i < size; i++) order[i] = i;
    // Insertion sort by signature: sorts are small.
    for (let i = from + 1; i < size; i++) {
      const e = order[i];
      let j = i - 1;
      while (j >= from && signatures[order[j]] > signatures[e]) {
        order[j + 1] = order[j];
        j--;
      }
      order[j + 1] = e;
    }
    this.apply();
    into.set(this.targetWords);
    this.permuteTies(from, into);
  }

  /** Permutes the elements of equal signature from position `at` on, keeping the least state in `into`. */
  private permuteTies(at: number, into: Int32Array): void {
    const { order, signatures, size } = this;
    if (at >= size) {
      this.apply();
      if (this.isLess(into)) into.set(this.targetWords);
      return;
    }
    let end = at + 1;
    while (end < size && signatures[order[end]] === signatures[order[at]]) end++;
    if (end - at === 1) {
      this.permuteTies(end, into);
      return;
    }
    for (let i = at; i < end; i++) {
      if (this.sameColumn(order[at], order[i]) && i > at) continue;
      this.swap(at, i);
      this.permuteTies(at + 1, into);
      this.swap(at, i);
    }
  }

  private swap(i: number, j: number): void {
    const e = this.order[i];
    this.order[i] = this.order[j];
    this.order[j] = e;
  }

  /**
   * Whether exchanging the two elements changes nothing: no field refers to elements by value, and their rows are equal.
   * Signatures are hashes, so equality is decided on the fields themselves.
   */
  private sameColumn(a: number, b: number): boolean {
    if (a === b) return true;
    for (const p of this.own) {
      if (p.holds) return false;
      const { field, dimension } = p;
      if (dimension < 0) {
        if (p.set) {
          for (let r = 0; r < field.rows; r++) {
            const v = this.source[field.offset + r];
            if (((v >> a) & 1) !== ((v >> b) & 1)) return false;
          }
        }
        continue;
      }
      if (p.set) return false;
      const inner = innerSize(p);
      const outer = field.rows / (inner * this.size);
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < inner * field.field.bytes; i++) {
          const base = field.offset + o * this.size * inner * field.field.bytes;
          const width = inner * field.field.bytes;
          if (this.source[base + a * width + i] !== this.source[base + b * width + i]) return false;
        }
      }
    }
    return true;
  }

  private sign(): void {
    const { signatures, size, source } = this;
    for (let e = 0; e < size; e++) signatures[e] = 0;
    for (const p of this.own) {
      const { field, dimension } = p;
      const bytes = field.field.bytes;
      if (dimension >= 0 && !p.holds && !p.set) {
        const width = innerSize(p) * bytes;
        const outer = field.rows / (innerSize(p) * size);
        for (let o = 0; o < outer; o++) {
          const base = field.offset + o * size * width;
          for (let e = 0; e < size; e++) {
            let h = signatures[e];
            for (let i = 0; i < width; i++) h = Math.imul(h ^ source[base + e * width + i], 0x01000193) + 1;
            signatures[e] = h;
          }
        }
      } else if (dimension < 0 && p.set) {
        for (let r = 0; r < field.rows; r++) {
          const v = source[field.offset + r];
          for (let e = 0; e < size; e++) signatures[e] = Math.imul(signatures[e] ^ ((v >> e) & 1), 0x01000193) + 1;
        }
      } else if (dimension < 0 && p.holds) {
        for (let r = 0; r < field.rows; r++) {
          const v = source[field.offset + r];
          for (let e = 0; e < size; e++) signatures[e] = Math.imul(signatures[e] ^ (v === e ? 1 : 0), 0x01000193) + 1;
        }
      }
    }
  }

  /** Writes the source, permuted so that element order[i] becomes element i, into the target. */
  private apply(): void {
    const { source, target, order, inverse, size } = this;
    this.targetWords.set(this.sourceWords);
    for (let i = 0; i < size; i++) inverse[order[i]] = i;
    for (const p of this.own) {
      const { field, dimension } = p;
      const bytes = field.field.bytes;
      if (dimension >= 0) {
        const width = innerSize(p) * bytes;
        const outer = field.rows / (innerSize(p) * size);
        for (let o = 0; o < outer; o++) {
          const base = field.offset + o * size * width;
          for (let i = 0; i < size; i++) {
            for (let b = 0; b < width; b++) target[base + i * width + b] = source[base + order[i] * width + b];
          }
        }
      }
      if (p.holds) {
        for (let r = 0; r < field.rows; r++) {
          const v = target[field.offset + r];
          if (v !== NONE && v < size) target[field.offset + r] = inverse[v];
        }
      } else if (p.set) {
        for (let r = 0; r < field.rows; r++) {
          const v = target[field.offset + r];
          let w = size < 8 ? v & ~((1 << size) - 1) : 0;
          for (let e = 0; e < size; e++) if ((v >> e) & 1) w |= 1 << inverse[e];
          target[field.offset + r] = w;
        }
      }
    }
  }

  private isLess(than: Int32Array): boolean {
    for (let i = 0; i < than.length; i++) {
      if (this.targetWords[i] !== than[i]) return this.targetWords[i] < than[i];
    }
    return false;
  }
}

/** Rows of one element's block: the product of the index sorts after the symmetric one. */
function innerSize(p: PermutedField): number {
  let n = 1;
  for (let i = p.dimension + 1; i < p.sizes.length; i++) n *= p.sizes[i];
  return n;
}
