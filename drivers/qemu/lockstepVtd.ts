/**
 * QEMU's VT-d as a lockstep target: performs the steps of a program and reports memory, faults and completions. Steps without a request wait
 * for the next one that has, so that a batch is one or two round trips.
 */
import type { UnitCapability } from '../../model/vtd/entries.js';
import type { LockstepTarget } from '../target.js';
import { bufferOffset, fragmentsOf } from './aims.js';
import { FRAME_BYTES, type Sinks } from './layout.js';
import type { VtdTarget } from './machine.js';
import { Mirror } from './mirror.js';
import { LENGTH, requestsOf, type Step } from './program.js';
import type { Capability } from './registers.js';
import { Software } from './software.js';
import type { FaultReading } from './vtd.js';

/** What is seen after a batch of steps. */
export interface VtdObservation extends FaultReading {
  readonly invalidated: readonly boolean[];
  /** Each mirrored frame at the place that a part of a write names; parts are counted through all requests of the step. */
  readonly windows: readonly { readonly frame: number; readonly part: number; readonly bytes: Uint8Array }[];
  /** At the end of a program: all frames, and what the devices read. */
  readonly tables?: Uint8Array;
  readonly data?: Uint8Array;
  readonly sinks?: Sinks['sinks'];
}

/** What the walker must know of a unit, from its capability registers. QEMU has one width (`aw-bits`) for guest and host addresses. */
export function unitOf(c: Capability): UnitCapability {
  return {
    hostBits: c.addressBits,
    guestBits: c.addressBits,
    widths: (c.threeLevel ? 2 : 0) | (c.fourLevel ? 4 : 0),
    superpages: (c.superpage2M ? 1 : 0) | (c.superpage1G ? 2 : 0),
    passThrough: c.passThrough,
    deviceTlb: (c.ecapLo & 4) !== 0,
    snoopControl: (c.ecapLo & 0x80) !== 0,
  };
}

/** A live machine, in the shape that lockstep drives. */
export class LockstepVtd implements LockstepTarget<Step, VtdObservation> {
  private readonly software: Software;
  private readonly frames: readonly number[];
  private requests: [number, number] = [0, 0];
  private clean = false;

  /**
   * @param omits steps that this target claims to have performed and has not: a defect put in on purpose, to show that it is found.
   */
  constructor(
    private readonly target: VtdTarget,
    private readonly omits: (step: Step) => boolean = () => false,
  ) {
    this.software = new Software(target.map, [target.devices[0].rid, target.devices[1].rid]);
    this.frames = new Mirror(target.map).frames;
  }

  async reset(): Promise<void> {
    if (!this.clean) await this.target.reset();
    this.clean = false;
    this.requests = [0, 0];
    this.software.setUp((address, lo, hi) => this.target.writeEntry(address, lo, hi));
  }

  async perform(steps: readonly Step[]): Promise<VtdObservation> {
    const { target } = this;
    for (const step of steps) this.queue(step);
    const last = steps.at(-1);
    const requests = last === undefined ? [] : requestsOf(last);
    if (requests.length === 0) return { ...(await target.step()), windows: [] };
    const sent = requests.map((r) => ({ ...r, ...fragmentsOf(r, target.map) }));
    // A read changes nothing; at the end of the program everything is looked at anyway.
    const places = sent
      .flatMap((r) => r.fragments.map((f) => ({ ...f, writes: r.direction === 'write' })))
      .flatMap((f, part) =>
        f.writes ? this.frames.map((frame) => ({ frame, part, offset: f.offset, length: f.length })) : [],
      );
    const seen = await target.step(
      sent.map(({ device, direction, lo, hi }) => ({
        ...{ device, direction, lo, hi, lengthBytes: LENGTH, bufferOffset: bufferOffset(this.requests[device]++) },
      })),
      places.map((p) => ({ address: p.frame * FRAME_BYTES + p.offset, lengthBytes: p.length })),
    );
    const windows = places.flatMap((p, i) => {
      const bytes = seen.memory[i];
      return bytes === undefined ? [] : [{ frame: p.frame, part: p.part, bytes }];
    });
    return { ...seen, windows };
  }

  async finish(steps: readonly Step[]): Promise<VtdObservation> {
    const seen = await this.perform(steps);
    const { tables, data } = await this.target.readAll();
    const { sinks } = await this.target.reset();
    this.clean = true;
    return { ...seen, tables, data, sinks };
  }

  private queue(step: Step): void {
    const { target } = this;
    if (this.omits(step)) return;
    switch (step.do) {
      case 'invalidate':
        target.invalidate(this.software.request(step.flush), step.by);
        break;
      case 'translate':
        target.setTranslation(step.on);
        break;
      case 'latch root':
        target.setRootTable(target.map.tables);
        break;
      default:
        this.software.perform((address, lo, hi) => target.writeEntry(address, lo, hi), step);
    }
  }
}
