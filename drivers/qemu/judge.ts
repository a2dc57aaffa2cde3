/**
 * The judgement of requests: what memory and fault registers show, against what the requests may meet. Two devices may have sent at once;
 * then a record of one and the overflow bit for the other tell of both.
 */
import type { MayMeet, PageNumber } from '../../model/vtd/mayUse.js';
import { reasonName } from '../../model/vtd/reasons.js';
import type { Fragment } from './aims.js';
import { patternByte } from './edu.js';
import type { VtdObservation } from './lockstepVtd.js';
import { HOLE_FRAME, type Mirror } from './mirror.js';
import { DATA_FRAMES, type DmaStep, LENGTH } from './program.js';

/** A request that was sent: its parts, the number of the first among all parts of the step, and its place in the device's buffer. */
export interface Sent {
  readonly step: DmaStep;
  readonly rid: number;
  readonly fragments: readonly Fragment[];
  readonly firstPart: number;
  readonly place: number;
}

export interface Wrong {
  readonly mechanism: string;
  readonly says: string;
}

/** What came of one request: parts that were blocked, and parts of which it cannot be told. */
interface Arrival {
  readonly blocked: readonly number[];
  readonly unsure: readonly number[];
}

export type Outcome =
  | 'arrived'
  | 'arrived in part'
  | 'blocked and recorded'
  | 'blocked without record'
  | 'cannot be told';

/** What is wrong with the requests of a step; or what came of each. */
export function judgeRequests(
  sent: readonly Sent[],
  meets: readonly (readonly MayMeet[])[],
  seen: VtdObservation,
  mirror: Mirror,
): Wrong | readonly Outcome[] {
  const arrivals: Arrival[] = [];
  for (let n = 0; n < sent.length; n++) {
    const arrival = arrivalOf(sent[n], meets[n], seen, mirror);
    if ('mechanism' in arrival) return arrival;
    arrivals.push(arrival);
  }
  return judgeRecords(sent, meets, arrivals, seen) ?? sent.map((s, n) => outcomeOf(s, arrivals[n], seen));
}

function arrivalOf(s: Sent, meets: readonly MayMeet[], seen: VtdObservation, mirror: Mirror): Wrong | Arrival {
  const blocked: number[] = [];
  const unsure: number[] = [];
  for (let i = 0; i < s.fragments.length; i++) {
    const meet = meets[i];
    if (s.step.direction === 'read') {
      // A read's bytes show at the end of the program.
      if (meet.frames.length === 0) blocked.push(i);
      else if (meet.blocked) unsure.push(i);
      continue;
    }
    const arrived = changedFrames(s, i, seen, mirror);
    const hole = meet.frames.includes(HOLE_FRAME);
    if (arrived.length > 1)
      return { mechanism: 'write to several frames', says: `it changed ${arrived.length} frames` };
    const [frame] = arrived;
    if (frame !== undefined) {
      const name = frameName(frame, mirror);
      if (!meet.frames.includes(frame))
        return { mechanism: 'forbidden write', says: `it changed ${name}, which nothing allows` };
      if (!isPattern(s, i, seen, frame))
        return { mechanism: 'wrong bytes', says: `it left other bytes than it sent in ${name}` };
    } else if (meet.blocked) (hole ? unsure : blocked).push(i);
    else if (!hole) {
      const names = meet.frames.map((f) => frameName(f, mirror)).join(' or ');
      return { mechanism: 'permitted write lost', says: `it should have changed ${names}` };
    }
  }
  return { blocked, unsure };
}

function judgeRecords(
  sent: readonly Sent[],
  meets: readonly (readonly MayMeet[])[],
  arrivals: readonly Arrival[],
  seen: VtdObservation,
): Wrong | undefined {
  for (const r of seen.records) {
    const n = sent.findIndex((s) => s.rid === r.sourceId && s.step.direction === r.access);
    const able = n < 0 ? [] : [...arrivals[n].blocked, ...arrivals[n].unsure];
    const of = able.filter((i) => samePage(sent[n].fragments[i].page, r.pageLo, r.pageHi));
    if (of.length === 0) {
      return {
        mechanism: 'record without cause',
        says: `a fault is recorded (${reasonName(r.reason)}), but nothing of that kind was to be blocked`,
      };
    }
    if (!of.some((i) => meets[n][i].recorded)) {
      return {
        mechanism: 'record in spite of FPD',
        says: 'a fault is recorded, though the context entry disables that',
      };
    }
    if (!of.some((i) => ((meets[n][i].reasons >>> r.reason) & 1) === 1)) {
      return {
        mechanism: `wrong reason ${r.reason}`,
        says: `the fault is recorded as ${reasonName(r.reason)}, the manual allows ${reasonNames(meets[n][of[0]].reasons)}`,
      };
    }
  }
  const faults = arrivals.reduce((sum, a) => sum + a.blocked.length + a.unsure.length, 0);
  if (seen.overflow && (faults < 2 || seen.records.length === 0)) {
    return {
      mechanism: 'overflow without cause',
      says: 'the overflow bit is set, but the fault records were not full',
    };
  }
  for (let n = 0; n < sent.length; n++) {
    const [untold] = arrivals[n].blocked.filter((i) => !meets[n][i].silent);
    const told = seen.overflow || seen.records.some((r) => r.sourceId === sent[n].rid);
    if (untold === undefined || told) continue;
    return {
      mechanism: `silent ${sent[n].step.direction} denial`,
      says: `it was blocked, but no fault is recorded; expected ${reasonNames(meets[n][untold].reasons)}`,
    };
  }
  return undefined;
}

/** Frames whose window for this part has changed. */
function changedFrames(s: Sent, i: number, seen: VtdObservation, mirror: Mirror): number[] {
  const { offset, length } = s.fragments[i];
  return seen.windows.flatMap((w) =>
    w.part === s.firstPart + i && !sameBytes(w.bytes, mirror.frame(w.frame)?.subarray(offset, offset + length))
      ? [w.frame]
      : [],
  );
}

function isPattern(s: Sent, i: number, seen: VtdObservation, frame: number): boolean {
  const bytes = seen.windows.find((w) => w.frame === frame && w.part === s.firstPart + i)?.bytes;
  const from = s.place + (i === 0 ? 0 : LENGTH - s.fragments[i].length);
  return bytes?.every((b, at) => b === patternByte(s.step.device, from + at)) ?? false;
}

function outcomeOf(s: Sent, { blocked, unsure }: Arrival, seen: VtdObservation): Outcome {
  if (unsure.length > 0) return 'cannot be told';
  if (blocked.length === 0) return 'arrived';
  if (blocked.length < s.fragments.length) return 'arrived in part';
  return seen.records.some((r) => r.sourceId === s.rid) || seen.overflow
    ? 'blocked and recorded'
    : 'blocked without record';
}

export function frameName(frame: number, mirror: Mirror): string {
  const data = frame - mirror.firstData;
  return data >= 0 && data < DATA_FRAMES ? `data frame ${data}` : `table frame ${frame - mirror.firstTable}`;
}

const samePage = (p: PageNumber, addressLo: number, addressHi: number): boolean =>
  (p.lo << 12) >>> 0 === addressLo >>> 0 && ((p.hi << 12) | (p.lo >>> 20)) >>> 0 === addressHi >>> 0;

export function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return b !== undefined && Buffer.compare(a, b) === 0;
}

function reasonNames(set: number): string {
  const names: string[] = [];
  for (let r = 1; r < 16; r++) if (((set >>> r) & 1) === 1) names.push(reasonName(r));
  return names.join(' or ');
}
