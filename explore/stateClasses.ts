/**
 * State classes: what a property's premise was when an operation ended. A state belongs to the class of every witness that holds in it,
 * or to none. The machine counts outcomes into the counters of the class set of the state it leaves, so that a transition costs nothing
 * more; what is asked of each expanded state is its witnesses.
 */
import { GATE_OUTCOMES, type Machine, OUTCOMES } from '../model/kernel/index.js';
import type { AnyProperty, UntypedProperty } from '../properties/property.js';

/** Witnesses beyond these are no classes: a set of classes is an integer. */
const MAX_CLASSES = 30;
/** Sets of classes that are told apart; transitions out of states with others are counted in no class. */
const MAX_SETS = 256;
/** Slots of the table of sets: a power of two, sparse. */
const SLOTS = 1024;

/** How often an operation ended how, by the class of the state that it left; the last number is of states in no class. */
export interface ClassCounts {
  readonly ok: readonly number[];
  readonly refused: readonly number[];
  readonly blocked: readonly number[];
}

export class StateClasses {
  /** `I1 reach: a frame is in a TLB and no longer in the tables` */
  readonly names: readonly string[];
  private readonly tests: readonly ((m: Machine) => boolean)[];
  /** Sets by slot, and the number of each plus one. */
  private readonly slotSet = new Int32Array(SLOTS);
  private readonly slotNumber = new Int32Array(SLOTS);
  private readonly sets: number[] = [];
  private readonly counters: Uint32Array[] = [];
  /** What is in no class that is told apart, and what the machine had counted before. */
  private readonly rest: Uint32Array;

  constructor(
    private readonly m: Machine,
    properties: readonly AnyProperty[],
  ) {
    const all = (properties as readonly UntypedProperty[]).flatMap((p) =>
      Object.entries(p.witnesses).map(([name, test]) => ({ name: `${p.id} ${p.name}: ${name}`, test })),
    );
    const told = all.slice(0, MAX_CLASSES);
    this.names = told.map((w) => w.name);
    this.tests = told.map((w) => w.test);
    this.rest = m.outcomes;
  }

  /** Called with the state that is about to be expanded in `m.before`: what follows is counted for its classes. */
  enter(): void {
    let set = 0;
    for (let i = 0; i < this.tests.length; i++) if (this.tests[i](this.m.before)) set |= 1 << i;
    let slot = (Math.imul(set, 0x9e3779b1) >>> 22) & (SLOTS - 1);
    while (this.slotNumber[slot] !== 0 && this.slotSet[slot] !== set) slot = (slot + 1) & (SLOTS - 1);
    const number = this.slotNumber[slot];
    this.m.outcomes = number !== 0 ? this.counters[number - 1] : this.addSet(set, slot);
  }

  private addSet(set: number, slot: number): Uint32Array {
    if (this.sets.length >= MAX_SETS) return this.rest;
    const counters = new Uint32Array(this.rest.length);
    this.sets.push(set);
    this.counters.push(counters);
    this.slotSet[slot] = set;
    this.slotNumber[slot] = this.sets.length;
    return counters;
  }

  /** Ends the counting: the machine's own counters hold everything again. By operation, in the machine's order. */
  finish(): ClassCounts[] {
    const { m, names } = this;
    const counts = m.operations.map(({ index }) => this.countsOf(index, names.length));
    for (const c of this.counters) for (let i = 0; i < c.length; i++) this.rest[i] += c[i] ?? 0;
    m.outcomes = this.rest;
    return counts;
  }

  private countsOf(operation: number, classes: number): ClassCounts {
    const make = (): number[] => new Array<number>(classes + 1).fill(0);
    const counts = { ok: make(), refused: make(), blocked: make() };
    this.counters.forEach((c, n) => {
      for (let o = 0; o < OUTCOMES; o++) {
        const times = c[operation * OUTCOMES + o] ?? 0;
        if (times === 0) continue;
        const of = o === 0 ? counts.ok : o < GATE_OUTCOMES ? counts.refused : counts.blocked;
        const set = this.sets[n] ?? 0;
        if (set === 0) of[classes] = (of[classes] ?? 0) + times;
        for (let i = 0; i < classes; i++) if ((set >> i) & 1) of[i] = (of[i] ?? 0) + times;
      }
    });
    return counts;
  }
}
