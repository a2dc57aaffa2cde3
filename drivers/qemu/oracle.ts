/**
 * The oracle of the real VT-d: the bit-level specification beside a mirror of guest memory. It follows each step, says what a request may
 * meet (model/vtd/mayUse.ts), and compares that with memory, fault status and fault records of the target.
 *
 * Loose where the manual is: a stale translation may be used until it is invalidated, and need not be; the order of the checks that lead to a
 * fault is open; faults of one source may be compressed into one record.
 */
import type { UnitCapability } from '../../model/vtd/entries.js';
import { decodeContextCommand, decodeDescriptor, decodeIotlbCommand, Request } from '../../model/vtd/invalidation.js';
import { type MayMeet, MayUse, type PageNumber, type Relaxations } from '../../model/vtd/mayUse.js';
import { reasonName } from '../../model/vtd/reasons.js';
import type { Disagreement, LockstepOracle } from '../target.js';
import { allPages, bufferOffset, type DmaStep, type Fragment, fragmentsOf, MAX_REQUESTS } from './aims.js';
import { patternByte } from './edu.js';
import { FRAME_BYTES, type MemoryMap, SINK_FILL } from './layout.js';
import type { VtdObservation } from './lockstepVtd.js';
import { HOLE_FRAME, Mirror } from './mirror.js';
import { DATA_FRAMES, LENGTH, type Step, stepName } from './program.js';
import { contextCommand, type Invalidation, invalidationDescriptor, iotlbCommand } from './registers.js';
import { Software } from './software.js';

/** A known way in which this target parts from the manual. */
export interface KnownDisagreement {
  readonly id: string;
  readonly relaxation: keyof Relaxations;
}

/** A read whose bytes show at the end. */
interface PendingRead {
  readonly step: DmaStep;
  readonly at: number;
  readonly parts: readonly { readonly from: number; readonly meets: readonly (readonly Uint8Array[])[] }[];
}

export interface OracleOptions {
  readonly unit: UnitCapability;
  readonly map: MemoryMap;
  readonly rids: readonly [number, number];
  readonly known: readonly KnownDisagreement[];
}

/** Follows a program in the specification, and judges the target. */
export class VtdOracle implements LockstepOracle<Step, VtdObservation> {
  readonly mirror: Mirror;
  private readonly software: Software;
  private readonly may: MayUse;
  private readonly request = new Request();
  private readonly relaxations: readonly { ids: readonly string[]; relaxed: Relaxations }[];
  private pending: DmaStep | undefined;
  private reads: PendingRead[] = [];
  private requests: [number, number] = [0, 0];
  /** Times each step kind met each outcome. */
  readonly coverage = new Map<string, number>();

  constructor(private readonly options: OracleOptions) {
    this.mirror = new Mirror(options.map);
    this.software = new Software(options.map, options.rids);
    this.may = new MayUse(options.unit, this.mirror, options.rids, allPages(options.map));
    this.relaxations = subsets(options.known).map((some) => ({
      ids: some.map((k) => k.id),
      relaxed: Object.fromEntries(some.map((k) => [k.relaxation, true])),
    }));
  }

  reset(): void {
    this.mirror.reset();
    this.software.setUp((address, lo, hi) => this.mirror.writeEntry(address, lo, hi));
    this.may.clear(this.options.map.tables / FRAME_BYTES, true);
    this.may.refill();
    this.pending = undefined;
    this.reads = [];
    this.requests = [0, 0];
  }

  accepts(step: Step): boolean {
    if (step.do !== 'dma') return true;
    if (this.requests[step.device] >= MAX_REQUESTS) return false;
    const { fragments } = fragmentsOf(step, this.options.map);
    // Without translation a request goes where it says; only addresses that are mirrored can be judged.
    if (!this.may.translating && fragments.some((f) => f.page.hi !== 0)) return false;
    this.mirror.strayed = false;
    const frames = fragments.flatMap((f) => [...this.meet(step, f, this.allRelaxed()).frames]);
    return !this.mirror.strayed && frames.every((f) => f === HOLE_FRAME || this.mirror.frame(f) !== undefined);
  }

  advance(step: Step): boolean {
    switch (step.do) {
      case 'dma':
        this.pending = step;
        this.requests[step.device]++;
        return true;
      case 'invalidate':
        this.may.invalidate(this.decode(step.by, this.software.request(step.flush)));
        break;
      case 'translate':
        this.may.translating = step.on;
        this.may.refill();
        break;
      case 'latch root':
        this.may.refill();
        break;
      default:
        this.software.perform((address, lo, hi) => this.mirror.writeEntry(address, lo, hi), step);
        this.may.refill(...(Software.pagesOf(step) ?? []));
    }
    this.count(step.do, 'done');
    return false;
  }

  judge(seen: VtdObservation): Disagreement | undefined {
    const done = this.judgeSoftware(seen);
    const step = this.pending;
    this.pending = undefined;
    if (done !== undefined || step === undefined) return done;
    const { fragments } = fragmentsOf(step, this.options.map);
    const strict = fragments.map((f) => this.meet(step, f, {}));
    const wrong = this.judgeRequest(step, fragments, strict, seen);
    let known: readonly string[] = [];
    if (wrong !== undefined) {
      const explained = this.relaxations.find(
        ({ relaxed }) =>
          this.judgeRequest(
            step,
            fragments,
            fragments.map((f) => this.meet(step, f, relaxed)),
            seen,
          ) === undefined,
      );
      known = explained?.ids ?? [];
    }
    if (step.direction === 'read') this.expectRead(step, fragments, strict);
    else this.follow(fragments, seen);
    for (const f of fragments) this.may.noteRequest(this.options.rids[step.device], f.page);
    return wrong === undefined ? undefined : { ...wrong, says: `${stepName(step)}: ${wrong.says}`, known };
  }

  finish(seen: VtdObservation): Disagreement | undefined {
    const done = this.judgeSoftware(seen);
    if (done !== undefined) return done;
    for (const read of this.reads) {
      const found = this.judgeRead(read, seen);
      if (found !== undefined) return found;
    }
    if (seen.tables === undefined || seen.data === undefined) return undefined;
    const differs = this.mirror.differs(seen.tables, seen.data);
    if (differs === undefined) return undefined;
    return { mechanism: 'stray write', says: `at the end, ${differs} is not what it should be`, known: [] };
  }

  private meet(step: DmaStep, f: Fragment, relaxed: Relaxations): MayMeet {
    return this.may.request(this.options.rids[step.device], f.page, step.direction === 'write', relaxed);
  }

  private allRelaxed(): Relaxations {
    return this.relaxations.at(-1)?.relaxed ?? {};
  }

  private decode(by: 'queue' | 'registers', invalidation: Invalidation): Request {
    const q = this.request;
    if (by === 'queue') {
      const [w0, w1, w2, w3] = invalidationDescriptor(invalidation);
      decodeDescriptor(w0, w1, w2, w3, q);
    } else if (invalidation.cache === 'context') {
      const [lo, hi] = contextCommand(invalidation);
      decodeContextCommand(lo, hi, q);
    } else {
      const { command, iva } = iotlbCommand(invalidation);
      decodeIotlbCommand(command[1], iva?.[0] ?? 0, iva?.[1] ?? 0, q);
    }
    return q;
  }

  private judgeSoftware(seen: VtdObservation): Disagreement | undefined {
    if (seen.invalidated.includes(false) || seen.queueError) {
      return { mechanism: 'invalidation not completed', says: 'a correct invalidation was not completed', known: [] };
    }
    if (this.pending === undefined && seen.status !== 0) {
      return { mechanism: 'fault without request', says: `fault status ${seen.status} without any request`, known: [] };
    }
    return undefined;
  }

  /** What is wrong with a request's outcome, given what its parts may meet. */
  private judgeRequest(
    step: DmaStep,
    fragments: readonly Fragment[],
    meets: readonly MayMeet[],
    seen: VtdObservation,
  ): { mechanism: string; says: string } | undefined {
    // Parts that were blocked, and parts of which it cannot be told (a read's bytes show later; what a hole takes shows never).
    const blocked: number[] = [];
    const unsure: number[] = [];
    for (let i = 0; i < fragments.length; i++) {
      const meet = meets[i];
      if (step.direction === 'read') {
        if (meet.frames.length === 0) blocked.push(i);
        else if (meet.blocked) unsure.push(i);
        continue;
      }
      const arrived = this.arrivedAt(fragments[i], i, seen);
      if (arrived.length > 1)
        return { mechanism: 'write to several frames', says: `one write changed ${arrived.length} frames` };
      if (arrived.length === 1) {
        if (!meet.frames.includes(arrived[0])) {
          return {
            mechanism: 'forbidden write',
            says: `it changed ${this.frameName(arrived[0])}, which nothing allows`,
          };
        }
        if (!this.isPattern(step, fragments[i], i, seen, arrived[0])) {
          return {
            mechanism: 'wrong bytes',
            says: `it left other bytes than it sent in ${this.frameName(arrived[0])}`,
          };
        }
      } else if (meet.blocked) (meet.frames.includes(HOLE_FRAME) ? unsure : blocked).push(i);
      else if (!meet.frames.includes(HOLE_FRAME)) {
        return {
          mechanism: 'permitted write lost',
          says: `it should have changed ${meet.frames.map((f) => this.frameName(f)).join(' or ')}`,
        };
      }
    }
    return this.judgeRecords(step, fragments, meets, blocked, unsure, seen);
  }

  private judgeRecords(
    step: DmaStep,
    fragments: readonly Fragment[],
    meets: readonly MayMeet[],
    blocked: readonly number[],
    unsure: readonly number[],
    seen: VtdObservation,
  ): { mechanism: string; says: string } | undefined {
    const able = [...blocked, ...unsure];
    for (const r of seen.records) {
      const access = step.direction === r.access && r.sourceId === this.options.rids[step.device];
      const of = able.filter((i) => samePage(fragments[i].page, r.pageLo, r.pageHi));
      if (!access || of.length === 0) {
        return {
          mechanism: 'record without cause',
          says: `a fault is recorded for ${reasonName(r.reason)}, but nothing was to be blocked`,
        };
      }
      if (!of.some((i) => ((meets[i].reasons >>> r.reason) & 1) === 1)) {
        return {
          mechanism: `wrong reason ${r.reason}`,
          says: `the fault is recorded as ${reasonName(r.reason)}, the manual allows ${reasons(meets[of[0]].reasons)}`,
        };
      }
    }
    if (seen.overflow && able.length < 2)
      return { mechanism: 'overflow without cause', says: 'fault overflow after a single fault' };
    const mustTell = blocked.filter((i) => !meets[i].silent);
    if (mustTell.length > 0 && seen.records.length === 0) {
      return {
        mechanism: `silent ${step.direction} denial`,
        says: `it was blocked, but no fault is recorded; expected ${reasons(meets[mustTell[0]].reasons)}`,
      };
    }
    this.count(
      `dma ${step.direction} ${step.aim.at}`,
      outcomeName(fragments.length, blocked.length, seen.records.length),
    );
    return undefined;
  }

  /** Frames whose window for this part has changed. */
  private arrivedAt(f: Fragment, part: number, seen: VtdObservation): number[] {
    return seen.windows.flatMap((w) =>
      w.part === part && !equal(w.bytes, this.mirror.frame(w.frame)?.subarray(f.offset, f.offset + f.length))
        ? [w.frame]
        : [],
    );
  }

  private isPattern(step: DmaStep, f: Fragment, part: number, seen: VtdObservation, frame: number): boolean {
    const bytes = seen.windows.find((w) => w.frame === frame && w.part === part)?.bytes;
    const from = bufferOffset(this.requests[step.device] - 1) + (part === 0 ? 0 : LENGTH - f.length);
    return bytes?.every((b, i) => b === patternByte(step.device, from + i)) ?? false;
  }

  /** The mirror takes over what was written; tables may have changed with it. */
  private follow(fragments: readonly Fragment[], seen: VtdObservation): void {
    let tables = false;
    for (const w of seen.windows) {
      const bytes = this.mirror.frame(w.frame)?.subarray(fragments[w.part]?.offset ?? 0);
      if (bytes === undefined || equal(w.bytes, bytes.subarray(0, w.bytes.length))) continue;
      bytes.set(w.bytes);
      tables ||= w.frame < this.mirror.firstData || this.may.mayWalk(w.frame);
    }
    if (tables) this.may.refill();
  }

  private expectRead(step: DmaStep, fragments: readonly Fragment[], strict: readonly MayMeet[]): void {
    const at = bufferOffset(this.requests[step.device] - 1);
    const bytesOf = (f: Fragment, meet: MayMeet): Uint8Array[] => {
      const found = meet.frames.map((frame) =>
        frame === HOLE_FRAME
          ? new Uint8Array(f.length)
          : (this.mirror.frame(frame)?.slice(f.offset, f.offset + f.length) ?? new Uint8Array(f.length)),
      );
      if (meet.blocked) found.push(new Uint8Array(f.length), new Uint8Array(f.length).fill(SINK_FILL));
      return found;
    };
    const relaxed = [{ relaxed: {} }, ...this.relaxations];
    const parts = fragments.map((f, i) => ({
      from: i === 0 ? 0 : LENGTH - f.length,
      meets: relaxed.map((r, n) => bytesOf(f, n === 0 ? strict[i] : this.meet(step, f, r.relaxed))),
    }));
    this.reads.push({ step, at, parts });
  }

  private judgeRead(read: PendingRead, seen: VtdObservation): Disagreement | undefined {
    const sink = seen.sinks?.[read.step.device];
    if (sink === undefined) return undefined;
    const explains = (n: number): boolean =>
      read.parts.every(({ from, meets }) =>
        (meets[n] ?? []).some((bytes) => equal(sink.subarray(read.at + from, read.at + from + bytes.length), bytes)),
      );
    if (explains(0)) return undefined;
    const by = this.relaxations.find((_, n) => explains(n + 1));
    const got = Buffer.from(sink.subarray(read.at, read.at + LENGTH)).toString('hex');
    return {
      mechanism: 'forbidden read',
      says: `${stepName(read.step)}: it brought bytes that nothing allows: ${got}`,
      known: by?.ids ?? [],
    };
  }

  private frameName(frame: number): string {
    const data = frame - this.mirror.firstData;
    return data >= 0 && data < DATA_FRAMES ? `data frame ${data}` : `table frame ${frame - this.mirror.firstTable}`;
  }

  private count(kind: string, outcome: string): void {
    const key = `${kind}: ${outcome}`;
    this.coverage.set(key, (this.coverage.get(key) ?? 0) + 1);
  }
}

/** All sets of some of these, the smaller ones first: what one explains is not put down to two. */
function subsets<T>(of: readonly T[]): T[][] {
  const sets: T[][] = [];
  for (let bits = 1; bits < 1 << of.length; bits++) sets.push(of.filter((_, i) => ((bits >>> i) & 1) === 1));
  return sets.sort((a, b) => a.length - b.length);
}

function outcomeName(parts: number, blocked: number, records: number): string {
  if (blocked === 0) return records === 0 ? 'arrived' : 'blocked, as it may be';
  if (blocked < parts) return 'arrived in part';
  return records === 0 ? 'blocked without record' : 'blocked and recorded';
}

const samePage = (p: PageNumber, addressLo: number, addressHi: number): boolean =>
  (p.lo << 12) >>> 0 === addressLo >>> 0 && ((p.hi << 12) | (p.lo >>> 20)) >>> 0 === addressHi >>> 0;

function equal(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}

function reasons(set: number): string {
  const names: string[] = [];
  for (let r = 1; r < 16; r++) if (((set >>> r) & 1) === 1) names.push(reasonName(r));
  return names.join(' or ');
}
