/**
 * The attack on QEMU's VT-d: controls first, then random programs in lockstep with the bit-level specification.
 *
 * Controls show that the attack arrives: a permitted request reaches memory, a forbidden one is blocked and recorded, and with the IOMMU
 * switched off the same forbidden request breaches, and the lockstep says so.
 */

import { TargetError } from '../drivers/qemu/errors.js';
import { programs } from '../drivers/qemu/generate.js';
import { allKnown, type KnownEntry, knownFor } from '../drivers/qemu/known.js';
import { LockstepVtd, unitOf, type VtdObservation } from '../drivers/qemu/lockstepVtd.js';
import { FRAME_BYTES, VtdTarget, type VtdTargetOptions } from '../drivers/qemu/machine.js';
import { VtdOracle } from '../drivers/qemu/oracle.js';
import type { Step } from '../drivers/qemu/program.js';
import { type LockstepTrace, lockstepTraceOf } from '../drivers/qemu/traceFile.js';
import type { LockstepTarget } from '../drivers/target.js';
import {
  type FreshTarget,
  type LockstepProgress,
  type LockstepResult,
  leaveOut,
  type ProgramResult,
  runLockstep,
  runProgram,
} from './lockstep.js';

export interface AttackOptions {
  /** A QEMU binary; without it, `qemu-system-x86_64` on PATH. */
  readonly qemuPath?: string | undefined;
  /** Time for the random programs; controls and shrinking come on top. */
  readonly timeMs: number;
  readonly seed: number;
  /** Most programs. */
  readonly runs?: number | undefined;
  readonly onProgress?: ((progress: LockstepProgress) => void) | undefined;
  /** Asked between programs; true ends the attack, and the result is marked interrupted. */
  readonly shouldStop?: (() => boolean) | undefined;
  /** A defect put in on purpose: steps that the target claims to have performed and has not. Tests show with it that the check can fail. */
  readonly omits?: ((step: Step) => boolean) | undefined;
}

export interface Control {
  readonly name: string;
  readonly expected: string;
  readonly found: string;
  readonly holds: boolean;
}

export interface AttackFinding {
  readonly mechanism: string;
  readonly says: string;
  /** No single step can be left out. */
  readonly minimal: boolean;
  /** Replayed once on a fresh machine. */
  readonly replay: 'agrees' | 'differs';
  /** The program, in a form that can be kept and replayed. */
  readonly trace: LockstepTrace;
}

export interface KnownFound {
  readonly id: string;
  readonly manual: string;
  readonly reason: string;
  readonly programs: number;
  /** A program of this run that met it, without the steps that it did not need. */
  readonly trace: LockstepTrace;
}

export interface AttackResult {
  /** `holds`: no disagreement but known ones, all controls as expected. */
  readonly verdict: 'holds' | 'broken' | 'not reproducible' | 'controls failed';
  readonly qemuVersion: string;
  readonly programs: number;
  readonly steps: number;
  readonly seconds: number;
  readonly rates: { readonly programsPerSecond: number; readonly stepsPerSecond: number };
  readonly interrupted: boolean;
  readonly controls: readonly Control[];
  readonly findings: readonly AttackFinding[];
  readonly known: readonly KnownFound[];
  /** Times each kind of step met each outcome: `dma write page: blocked and recorded`. */
  readonly coverage: Readonly<Record<string, number>>;
}

/** Table frames that programs use, and both widths of tables. */
const MACHINE: VtdTargetOptions = { addressBits: 48, tableFrames: 11 };

const startOptions = (o: Pick<AttackOptions, 'qemuPath'>, withIommu = true): VtdTargetOptions => ({
  ...MACHINE,
  withIommu,
  ...(o.qemuPath === undefined ? {} : { qemuPath: o.qemuPath }),
});

/** An oracle for a machine. */
export function oracleFor(target: VtdTarget, relaxed = true): VtdOracle {
  return new VtdOracle({
    unit: unitOf(target.capability),
    map: target.map,
    rids: [target.devices[0].rid, target.devices[1].rid],
    known: relaxed ? knownFor(target.info.version) : [],
  });
}

/** Lends a machine of its own, and ends it whatever happens. */
async function withTarget<R>(options: VtdTargetOptions, use: (target: VtdTarget) => Promise<R>): Promise<R> {
  const target = await VtdTarget.start(options);
  try {
    return await use(target);
  } finally {
    target.stop();
  }
}

/**
 * Attacks QEMU's VT-d with random programs.
 * @throws TargetError RF-QEMU-* when QEMU is missing, too old, dies (other than by the program itself) or is silent (exit code 3); it is
 * ended on every path.
 */
export async function attackQemuVtd(options: AttackOptions): Promise<AttackResult> {
  const open = await withTarget(startOptions(options, false), openControl);
  return withTarget(startOptions(options), async (target) => {
    const controls = [...(await closedControls(target)), open];
    const oracle = oracleFor(target);
    const version = target.info.version;
    const run = await attackProgram(target, oracle, options);
    const findings = run.findings.map(
      ({ mechanism, says, minimal, replay, program }): AttackFinding => ({
        ...{ mechanism, says, minimal, replay },
        trace: lockstepTraceOf({ targetVersion: version, mechanism, says }, program),
      }),
    );
    const known = allKnown().flatMap((entry): KnownFound[] => {
      const met = run.known.get(entry.id);
      return met === undefined ? [] : [knownFound(entry, version, met)];
    });
    return {
      verdict: verdictOf(controls, findings),
      ...{ qemuVersion: version, programs: run.programs, steps: run.steps, seconds: run.seconds },
      rates: {
        programsPerSecond: run.programs / Math.max(run.seconds, 1e-3),
        stepsPerSecond: run.steps / Math.max(run.seconds, 1e-3),
      },
      ...{ interrupted: run.interrupted, controls, findings, known },
      coverage: Object.fromEntries([...oracle.coverage].sort(([a], [b]) => (a < b ? -1 : 1))),
    };
  });
}

/** Mechanism of a program that ends QEMU: whoever controls a device or its tables could do so. */
export const ENDS_QEMU = 'QEMU ended';

/** The random programs. A QEMU that dies under one, and again under the same one on a fresh machine, is a finding; else it is an error. */
async function attackProgram(
  target: VtdTarget,
  oracle: VtdOracle,
  options: AttackOptions,
): Promise<LockstepResult<Step>> {
  const lend: FreshTarget<Step, VtdObservation> = (use) =>
    withTarget(startOptions(options), (other) => use(new LockstepVtd(other, options.omits)));
  let last: LockstepProgress = { programs: 0, steps: 0, seconds: 0, findings: 0 };
  let fatal: readonly Step[] = [];
  try {
    return await runLockstep<Step, VtdObservation>(new LockstepVtd(target, options.omits), oracle, {
      ...{ programs, seed: options.seed, runs: options.runs, timeMs: options.timeMs, shouldStop: options.shouldStop },
      onProgress: (progress) => {
        last = progress;
        options.onProgress?.(progress);
      },
      onBroken: (program) => {
        fatal = program;
      },
      fresh: lend,
    });
  } catch (why) {
    const dies = async (program: readonly Step[]): Promise<boolean> => {
      try {
        await lend(async (other) => await runProgram(program, other, oracle));
        return false;
      } catch (again) {
        return isDeath(again);
      }
    };
    if (!isDeath(why) || fatal.length === 0 || !(await dies(fatal))) throw why;
    const program = await leaveOut(fatal, dies);
    const finding = { mechanism: ENDS_QEMU, says: why.message, program, minimal: true, replay: 'agrees' } as const;
    return {
      ...{ verdict: 'disagrees', programs: last.programs, steps: last.steps, seconds: last.seconds, interrupted: true },
      ...{ findings: [{ ...finding, seed: options.seed, path: '' }], known: new Map() },
    };
  }
}

const isDeath = (why: unknown): why is TargetError => why instanceof TargetError && why.code === 'RF-QEMU-DIED';

function knownFound(
  { id, manual, reason }: KnownEntry,
  targetVersion: string,
  met: { readonly times: number; readonly says: string; readonly program: readonly Step[] },
): KnownFound {
  return {
    id,
    manual,
    reason,
    programs: met.times,
    trace: lockstepTraceOf({ targetVersion, mechanism: id, says: met.says }, met.program),
  };
}

function verdictOf(controls: readonly Control[], findings: readonly AttackFinding[]): AttackResult['verdict'] {
  if (findings.some((f) => f.replay === 'agrees')) return 'broken';
  if (findings.length > 0) return 'not reproducible';
  return controls.every((c) => c.holds) ? 'holds' : 'controls failed';
}

/** Replays the program of a trace file on a fresh machine. */
export async function replayOnQemuVtd(
  trace: LockstepTrace,
  options: Pick<AttackOptions, 'qemuPath' | 'omits'> = {},
): Promise<ProgramResult<Step>> {
  return withTarget(startOptions(options), async (target) => {
    const driven: LockstepTarget<Step, VtdObservation> = new LockstepVtd(target, options.omits);
    return await runProgram(trace.steps, driven, oracleFor(target));
  });
}

/** A request of device 0 for the frame of another space, by its physical address: nothing allows it. */
const FORBIDDEN: Step = {
  ...{ do: 'dma', device: 0, direction: 'write', offset: 0 },
  aim: { at: 'data frame', frame: 3 },
};
const PERMITTED: Step = {
  ...{ do: 'dma', device: 0, direction: 'write', offset: 0 },
  aim: { at: 'page', page: 0, straddle: false },
};

/** With the IOMMU on: judged by memory and records themselves, not by the oracle. */
async function closedControls(target: VtdTarget): Promise<Control[]> {
  const driven = new LockstepVtd(target);
  const first = target.map.data / FRAME_BYTES;
  const changed = async (step: Step): Promise<{ frames: number[]; records: number }> => {
    await driven.reset();
    const before = await target.readAll();
    const seen = await driven.perform([step]);
    const after = await target.readAll();
    await driven.finish([]);
    const frames: number[] = [];
    for (let f = 0; f < target.map.dataFrames; f++) {
      const part = (b: Uint8Array): Uint8Array => b.subarray(f * FRAME_BYTES, (f + 1) * FRAME_BYTES);
      if (Buffer.compare(part(before.data), part(after.data)) !== 0) frames.push(f);
    }
    if (Buffer.compare(before.tables, after.tables) !== 0) frames.push(-first);
    return { frames, records: seen.records.length };
  };
  const permitted = await changed(PERMITTED);
  const forbidden = await changed(FORBIDDEN);
  const tell = (c: { frames: number[]; records: number }): string =>
    `${c.frames.length === 0 ? 'no frame changed' : `data frame ${c.frames.join(', ')} changed`}, ${c.records} fault record(s)`;
  return [
    {
      ...{
        name: 'a permitted write arrives',
        expected: 'data frame 0 changed, 0 fault record(s)',
        found: tell(permitted),
      },
      holds: permitted.frames.join() === '0' && permitted.records === 0,
    },
    {
      ...{
        name: 'a forbidden write is blocked',
        expected: 'no frame changed, 1 fault record(s)',
        found: tell(forbidden),
      },
      holds: forbidden.frames.length === 0 && forbidden.records === 1,
    },
  ];
}

/** With the IOMMU off, the lockstep itself must report the forbidden write. */
async function openControl(target: VtdTarget): Promise<Control> {
  const { disagreement } = await runProgram([FORBIDDEN], new LockstepVtd(target), oracleFor(target));
  return {
    name: 'with the IOMMU off the forbidden write breaches',
    expected: 'forbidden write',
    found: disagreement === undefined ? 'no breach' : `${disagreement.mechanism}: ${disagreement.says}`,
    holds: disagreement?.mechanism === 'forbidden write',
  };
}
