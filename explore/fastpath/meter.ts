/**
 * The meter: bytes that a loop of calls allocates on V8's heap, to the byte. `heapUsed` after minus before, less what reading it costs
 * (the floor, measured). Brackets in which a collection ran are void and repeated. The loop that drives the calls is made afresh for each
 * subject and never optimised, so that inlining into it cannot hide an allocation.
 *
 * Works only in a process with `--expose-gc --allow-natives-syntax`; see flags.ts.
 */
import { GCProfiler } from 'node:v8';

/** Something whose calls are measured. */
export interface Subject {
  /** Performs call i. */
  perform(i: number): void;
}

type Drive = (subject: Subject, order: Int32Array, calls: number) => void;

/** Brackets with a stray collection are repeated so often. */
const VOID_BRACKETS = 10;
/** More collections than that in one bracket are the subject's own doing. */
const STRAY_COLLECTIONS = 2;
/** While V8 still compiles, brackets differ: its code is on the heap too. A large machine takes some thirty to settle. */
const SETTLING_BRACKETS = 120;

/** One HeapNumber: map and value. */
export const HEAP_NUMBER_BYTES = 16;

/** Natives syntax parses only under its flag, so the functions that use it are made from text. */
function neverOptimized(f: Drive): Drive {
  new Function('f', '%NeverOptimizeFunction(f)')(f);
  return f;
}

/** A loop over calls, in the given order, around and around. */
export function freshDrive(): Drive {
  const make = new Function(`return function drive(subject, order, calls) {
    let at = 0;
    const n = order.length;
    for (let i = 0; i < calls; i++) {
      subject.perform(order[at]);
      at = at + 1;
      if (at === n) at = 0;
    }
  }`);
  return neverOptimized(make() as Drive);
}

/** Brackets cannot be measured: the process lacks a flag, or collections run in every one of them. */
export class MeterError extends Error {
  readonly code = 'RF-METER';
}

/** The meter of one subject. */
export class Meter {
  /** Bytes that reading `heapUsed` twice costs. */
  readonly floor: number;
  private readonly drive: Drive;
  /** The next bracket begins with a collection of everything, not of the young generation alone. */
  private stale = true;

  constructor(private readonly subject: Subject) {
    if (typeof globalThis.gc !== 'function') throw new MeterError('the meter needs --expose-gc');
    this.drive = freshDrive();
    this.floor = this.settledFloor();
  }

  /** Has the next bracket begin with a full collection: what comes is another subject. */
  renew(): void {
    this.stale = true;
  }

  /** Performs calls without measuring. */
  warm(order: Int32Array, calls: number): void {
    this.drive(this.subject, order, calls);
  }

  /**
   * Bytes allocated by so many calls. A subject that fills the young generation is measured over fewer calls, and the reading scaled up.
   * @throws MeterError when collections run even in brackets of one call
   */
  bytes(order: Int32Array, calls: number): number {
    const read = this.read(order, calls);
    if (read !== undefined) return read - this.floor;
    if (calls === 1) throw new MeterError('a collection runs in every bracket, even of one call');
    const fewer = calls >> 1;
    return Math.round((this.bytes(order, fewer) * calls) / fewer);
  }

  /** Bytes of three brackets that agree; when none do, the largest reading. */
  steadyBytes(order: Int32Array, calls: number): number {
    let most = 0;
    let last = -1;
    let agreeing = 0;
    for (let i = 0; i < SETTLING_BRACKETS; i++) {
      const now = this.bytes(order, calls);
      agreeing = now === last ? agreeing + 1 : 1;
      last = now;
      if (agreeing === 3) return now;
      most = Math.max(most, now);
    }
    return most;
  }

  /** One bracket, repeated while stray collections run in it; undefined when they do not cease. */
  private read(order: Int32Array, calls: number): number | undefined {
    const { subject, drive } = this;
    for (let i = 0; i < VOID_BRACKETS; i++) {
      const profiler = new GCProfiler();
      this.collect();
      profiler.start();
      const before = process.memoryUsage().heapUsed;
      drive(subject, order, calls);
      const after = process.memoryUsage().heapUsed;
      const collections = profiler.stop().statistics.length;
      if (collections === 0) return after - before;
      this.stale = true;
      if (collections > STRAY_COLLECTIONS) break;
    }
    return undefined;
  }

  /**
   * Empties the young generation, so that no collection comes in a bracket. The old one is collected once a subject, and after a bracket
   * that was void: it costs a hundred times as much, and what subjects leave there in a bracket is seen whether it was collected or not.
   */
  private collect(): void {
    if (this.stale) globalThis.gc?.();
    else globalThis.gc?.({ type: 'minor' });
    this.stale = false;
  }

  private settledFloor(): number {
    let last = -1;
    let agreeing = 0;
    for (let i = 0; i < SETTLING_BRACKETS; i++) {
      const now = this.read(EMPTY, 0) ?? -1;
      agreeing = now === last && now >= 0 ? agreeing + 1 : 1;
      last = now;
      if (agreeing === 3) return now;
    }
    throw new MeterError('the floor of the meter does not settle');
  }
}

const EMPTY = new Int32Array(1);

const FACTOR = 1.37;

/** The negative control: leaks one HeapNumber at one call. */
export class LeakOneNumber implements Subject {
  private readonly box: unknown[] = [{}];

  constructor(private readonly at: number) {}

  perform(i: number): void {
    // The product is the one new object: both factors exist already, and depend on the call, so that nothing is folded.
    if (i === this.at) this.box[0] = FACTOR * (i + 2);
  }
}

/** What the meter reads of the control: 16, or the meter is no good. */
export function readControl(calls: number, warmUp: number): number {
  const meter = new Meter(new LeakOneNumber(calls >> 1));
  const order = Int32Array.from({ length: calls }, (_, i) => i);
  meter.warm(order, Math.max(warmUp, calls));
  return warmUp > 0 ? meter.steadyBytes(order, calls) : meter.bytes(order, calls);
}
