/**
 * The two models of the bench, their sizes, and what is known of their counts from outside any explorer.
 * The guard and effect tables that all three versions follow are in bench/README.md.
 */

/** Two-phase commit with `n` resource managers. */
export interface TwoPhase {
  readonly kind: 'two-phase';
  /** 1 to 9. */
  readonly n: number;
}

/** Independent descriptor rings, each with one producer and one consumer. */
export interface Ring {
  readonly kind: 'ring';
  /** Slots of a ring; a power of two. */
  readonly size: number;
  /** Indices run modulo this power of two, at least size + 2. */
  readonly index: number;
  /** Different requests: 1 or 2. */
  readonly payloads: number;
  /** Rings: 1 to 3. */
  readonly pairs: number;
}

export type BenchModel = TwoPhase | Ring;

/**
 * What every engine must agree on.
 * `states` counts the initial state. `transitions` counts each firing of each enabled action instance in each reachable state,
 * those that change nothing included, plus one for the initial state.
 */
export interface Counts {
  readonly states: number;
  readonly transitions: number;
}

export const FULL: readonly BenchModel[] = [
  { kind: 'two-phase', n: 8 },
  { kind: 'ring', size: 2, index: 4, payloads: 1, pairs: 2 },
];

export const QUICK: readonly BenchModel[] = [
  { kind: 'two-phase', n: 5 },
  { kind: 'ring', size: 4, index: 8, payloads: 2, pairs: 1 },
];

/** Name of a model with its size, as tables and messages show it. */
export function modelName(m: BenchModel): string {
  switch (m.kind) {
    case 'two-phase':
      return `two-phase commit ${m.n}`;
    case 'ring':
      return `descriptor ring ${m.size}/${m.index}/${m.payloads} x ${m.pairs}`;
  }
}

/** Throws a RangeError that names the parameter when a size is outside what the three versions can express. */
export function checkModel(m: BenchModel): void {
  const within = (name: string, value: number, low: number, high: number): void => {
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new RangeError(`${name} of ${modelName(m)} must be a whole number from ${low} to ${high}`);
    }
  };
  const powerOfTwo = (name: string, value: number): void => {
    if ((value & (value - 1)) !== 0) throw new RangeError(`${name} of ${modelName(m)} must be a power of two`);
  };
  switch (m.kind) {
    case 'two-phase':
      within('n', m.n, 1, 9);
      return;
    case 'ring':
      within('size', m.size, 1, 64);
      within('index', m.index, m.size + 2, 128);
      within('payloads', m.payloads, 1, 2);
      within('pairs', m.pairs, 1, 3);
      powerOfTwo('size', m.size);
      powerOfTwo('index', m.index);
      return;
  }
}

/** Published counts of two-phase commit (Lamport's TwoPhase), by n; agreed by four other checkers. */
const TWO_PHASE: Readonly<Record<number, Counts>> = {
  3: { states: 288, transitions: 1_146 },
  5: { states: 8_832, transitions: 58_146 },
  7: { states: 296_448, transitions: 2_744_706 },
  8: { states: 1_745_408, transitions: 18_507_778 },
  9: { states: 10_340_352, transitions: 123_558_402 },
};

/** Counts of a single ring, by size/index/payloads; several rings follow by arithmetic. */
const ONE_RING: Readonly<Record<string, Counts>> = {
  '2/4/1': { states: 1_092, transitions: 2_145 },
  '2/4/2': { states: 2_928, transitions: 6_037 },
  '4/8/1': { states: 11_856, transitions: 25_321 },
  '4/8/2': { states: 90_272, transitions: 203_865 },
};

/**
 * The known counts of a model, or undefined when the size is not in the tables.
 * Rings are independent: `p` of them have s^p states, and each of a ring's f firings happens beside s^(p-1) states of the others.
 */
export function knownCounts(m: BenchModel): Counts | undefined {
  switch (m.kind) {
    case 'two-phase':
      return TWO_PHASE[m.n];
    case 'ring': {
      const one = ONE_RING[`${m.size}/${m.index}/${m.payloads}`];
      if (!one) return undefined;
      const others = one.states ** (m.pairs - 1);
      return { states: others * one.states, transitions: 1 + m.pairs * others * (one.transitions - 1) };
    }
  }
}
