/**
 * The oracle of the real VT-d: the bit-level specification beside a mirror of guest memory. It follows each step, says what a request may
 * meet (model/vtd/mayUse.ts), and has that compared with memory, fault status and fault records of the target (judge.ts).
 *
 * Loose where the manual is: a stale translation may be used until it is invalidated, and need not be; the order of the checks that lead to a
 * fault is open; faults of one source may be compressed into one record.
 */
import type { UnitCapability } from '../../model/vtd/entries.js';
import { decodeContextCommand, decodeDescriptor, decodeIotlbCommand, Request } from '../../model/vtd/invalidation.js';
import { type MayMeet, MayUse, type Relaxations } from '../../model/vtd/mayUse.js';
import type { Disagreement, LockstepOracle } from '../target.js';
import { allPages, bufferOffset, type Fragment, fragmentsOf, MAX_REQUESTS } from './aims.js';
import { judgeRequests, type Sent, sameBytes, type Wrong } from './judge.js';
import { FRAME_BYTES, type MemoryMap, SINK_FILL } from './layout.js';
import type { VtdObservation } from './lockstepVtd.js';
import { HOLE_FRAME, Mirror } from './mirror.js';
import { type DmaStep, LENGTH, requestsOf, type Step, stepName } from './program.js';
import { contextCommand, type Invalidation, invalidationDescriptor, iotlbCommand } from './registers.js';
import { Software } from './software.js';

/** A known way in which this target parts from the manual. */
export interface KnownDisagreement {
  readonly id: string;
  readonly relaxation: keyof Relaxations;
}

/** A read whose bytes show at the end: for each part, the bytes that it may have brought, strictly and under each set of relaxations. */
interface PendingRead {
  readonly step: DmaStep;
  readonly at: number;
  readonly parts: readonly { readonly from: number; readonly may: readonly (readonly Uint8Array[])[] }[];
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
  private pending: Step | undefined;
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

  /** Requests are left out whose effect could not be judged: those that may reach memory that is not mirrored. */
  accepts(step: Step): boolean {
    const sent = requestsOf(step);
    if (sent.some((r) => this.requests[r.device] >= MAX_REQUESTS)) return false;
    const requests = sent.map((r) => ({ step: r, fragments: fragmentsOf(r, this.options.map).fragments }));
    this.mirror.strayed = false;
    const relaxed = this.relaxations.at(-1)?.relaxed ?? {};
    for (const r of requests) {
      for (const f of r.fragments) {
        // Without translation a request goes where it says.
        if (!this.may.translating && f.page.hi !== 0) return false;
        for (const frame of this.meet(r.step, f, relaxed).frames) {
          if (frame !== HOLE_FRAME && this.mirror.frame(frame) === undefined) return false;
          // Of two requests at once, neither may change the tables of the other.
          if (requests.length > 1 && (frame < this.mirror.firstData || this.may.mayWalk(frame))) return false;
        }
      }
    }
    const [a, b] = requests;
    return !this.mirror.strayed && (a === undefined || b === undefined || apart(a.fragments, b.fragments));
  }

  advance(step: Step): boolean {
    switch (step.do) {
      case 'dma':
      case 'pair':
        this.pending = step;
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
    const step = this.pending;
    this.pending = undefined;
    const done = judgeSoftware(seen, step !== undefined);
    if (done !== undefined || step === undefined) return done;
    const sent = this.sentBy(step);
    const meetings = (relaxed: Relaxations): MayMeet[][] =>
      sent.map((s) => s.fragments.map((f) => this.meet(s.step, f, relaxed)));
    const strict = meetings({});
    const verdict = judgeRequests(sent, strict, seen, this.mirror);
    const known = isWrong(verdict)
      ? this.relaxations.find(({ relaxed }) => !isWrong(judgeRequests(sent, meetings(relaxed), seen, this.mirror)))?.ids
      : undefined;
    sent.forEach((s, n) => {
      if (s.step.direction === 'read') this.expectRead(s, strict[n]);
    });
    this.follow(sent, seen);
    for (const s of sent) for (const f of s.fragments) this.may.noteRequest(s.rid, f.page);
    if (isWrong(verdict)) return { ...verdict, says: `${stepName(step)}: ${verdict.says}`, known: known ?? [] };
    sent.forEach((s, n) => {
      this.count(`${step.do} ${s.step.direction} ${s.step.aim.at}`, verdict[n] ?? '');
    });
    return undefined;
  }

  finish(seen: VtdObservation): Disagreement | undefined {
    const done = judgeSoftware(seen, false);
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

  /** The requests of a step, with their places in the devices' buffers. */
  private sentBy(step: Step): Sent[] {
    let firstPart = 0;
    return requestsOf(step).map((request) => {
      const { fragments } = fragmentsOf(request, this.options.map);
      const place = bufferOffset(this.requests[request.device]++);
      const sent = { step: request, rid: this.options.rids[request.device], fragments, firstPart, place };
      firstPart += fragments.length;
      return sent;
    });
  }

  private meet(step: DmaStep, f: Fragment, relaxed: Relaxations): MayMeet {
    return this.may.request(this.options.rids[step.device], f.page, step.direction === 'write', relaxed);
  }

  /** The request as hardware decodes it: through the specification's decoder, from the words that the target gets. */
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

  /** The mirror takes over what was written; tables may have changed with it. */
  private follow(sent: readonly Sent[], seen: VtdObservation): void {
    const offsets = sent.flatMap((s) => s.fragments.map((f) => f.offset));
    let tables = false;
    for (const w of seen.windows) {
      const bytes = this.mirror.frame(w.frame)?.subarray(offsets[w.part] ?? 0);
      if (bytes === undefined || sameBytes(w.bytes, bytes.subarray(0, w.bytes.length))) continue;
      bytes.set(w.bytes);
      tables ||= w.frame < this.mirror.firstData || this.may.mayWalk(w.frame);
    }
    if (tables) this.may.refill();
  }

  private expectRead(s: Sent, strict: readonly MayMeet[]): void {
    const bytesOf = (f: Fragment, meet: MayMeet): Uint8Array[] => {
      const nothing = new Uint8Array(f.length);
      const found = meet.frames.map(
        (frame) => this.mirror.frame(frame)?.slice(f.offset, f.offset + f.length) ?? nothing,
      );
      if (meet.blocked) found.push(nothing, new Uint8Array(f.length).fill(SINK_FILL));
      return found;
    };
    const parts = s.fragments.map((f, i) => ({
      from: i === 0 ? 0 : LENGTH - f.length,
      may: [bytesOf(f, strict[i]), ...this.relaxations.map((r) => bytesOf(f, this.meet(s.step, f, r.relaxed)))],
    }));
    this.reads.push({ step: s.step, at: s.place, parts });
  }

  private judgeRead(read: PendingRead, seen: VtdObservation): Disagreement | undefined {
    const sink = seen.sinks?.[read.step.device];
    if (sink === undefined) return undefined;
    const explains = (n: number): boolean =>
      read.parts.every(({ from, may }) =>
        (may[n] ?? []).some((b) => sameBytes(sink.subarray(read.at + from, read.at + from + b.length), b)),
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

  private count(kind: string, outcome: string): void {
    const key = `${kind}: ${outcome}`;
    this.coverage.set(key, (this.coverage.get(key) ?? 0) + 1);
  }
}

const isWrong = (verdict: object): verdict is Wrong => 'mechanism' in verdict;

/** Whether no part of one lies at the offsets of a part of the other. */
function apart(a: readonly Fragment[], b: readonly Fragment[]): boolean {
  return a.every((x) => b.every((y) => x.offset + x.length <= y.offset || y.offset + y.length <= x.offset));
}

function judgeSoftware(seen: VtdObservation, requested: boolean): Disagreement | undefined {
  if (seen.invalidated.includes(false) || seen.queueError) {
    return { mechanism: 'invalidation not completed', says: 'a correct invalidation was not completed', known: [] };
  }
  if (!requested && seen.status !== 0) {
    return { mechanism: 'fault without request', says: `fault status ${seen.status} without any request`, known: [] };
  }
  return undefined;
}

/** All sets of some of these, the smaller ones first: what one explains is not put down to two. */
function subsets<T>(of: readonly T[]): T[][] {
  const sets: T[][] = [];
  for (let bits = 1; bits < 1 << of.length; bits++) sets.push(of.filter((_, i) => ((bits >>> i) & 1) === 1));
  return sets.sort((a, b) => a.length - b.length);
}
