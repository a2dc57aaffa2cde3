// The attack on a live QEMU: it holds as it is, and it finds every defect that is put in.

import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TargetError } from '../drivers/qemu/errors.js';
import { programs } from '../drivers/qemu/generate.js';
import { allKnown, knownFor } from '../drivers/qemu/known.js';
import { LockstepVtd, unitOf, type VtdObservation } from '../drivers/qemu/lockstepVtd.js';
import { VtdTarget } from '../drivers/qemu/machine.js';
import { VtdOracle } from '../drivers/qemu/oracle.js';
import type { Step } from '../drivers/qemu/program.js';
import { readLockstepTrace, writeLockstepTrace } from '../drivers/qemu/traceFile.js';
import { attackQemuVtd, ENDS_QEMU, oracleFor, replayOnQemuVtd } from './attackQemuVtd.js';
import { runLockstep, runProgram } from './lockstep.js';

/** Memory is not what it should be; the other mechanisms are about fault records. */
const BREACHES = ['forbidden write', 'forbidden read', 'stray write', 'permitted write lost'];

describe('attack qemu-vtd', () => {
  it('holds, but for what is known, with all controls shown', async () => {
    let progress = 0;
    const result = await attackQemuVtd({ timeMs: 60_000, runs: 1_500, seed: 1, onProgress: () => progress++ });
    expect(result.findings).toEqual([]);
    expect(result.controls.filter((c) => !c.holds)).toEqual([]);
    expect(result.controls).toHaveLength(3);
    expect(result).toMatchObject({ verdict: 'holds', interrupted: false });
    expect(result.steps).toBeGreaterThan(1_000);
    expect(result.known.map((k) => k.id)).toContain('iotlb-not-tagged-with-domain');
    expect(result.known.map((k) => k.id)).toContain('denial-by-iotlb-not-recorded');
    expect(progress).toBeGreaterThan(1);
    for (const seen of [
      'dma write page: arrived',
      'dma read page: blocked and recorded',
      'dma write data frame: blocked and recorded',
    ]) {
      expect(result.coverage[seen]).toBeGreaterThan(0);
    }
  });

  it.each([
    ['page-selective invalidations', (s: Step) => s.do === 'invalidate' && s.flush.scope === 'page'],
    ['context invalidations', (s: Step) => s.do === 'invalidate' && s.flush.cache === 'context'],
    ['unmapping', (s: Step) => s.do === 'unmap'],
    ['detaching', (s: Step) => s.do === 'attach' && s.to === 'nothing'],
  ] as const)('finds omitted %s, as a short program that shows it again', async (_name, omits) => {
    const result = await attackQemuVtd({ timeMs: 60_000, runs: 600, seed: 5, omits });
    expect(result.verdict).toBe('broken');
    const breaches = result.findings.filter((f) => BREACHES.includes(f.mechanism));
    expect(breaches.length).toBeGreaterThan(0);
    for (const f of result.findings) {
      expect(f).toMatchObject({ replay: 'agrees', minimal: true });
      expect(f.trace.steps.length).toBeLessThanOrEqual(8);
    }
    const [first] = breaches;
    if (first === undefined) return;
    const trace = readLockstepTrace(writeLockstepTrace(first.trace));
    expect((await replayOnQemuVtd(trace, { omits })).disagreement?.mechanism).toBe(first.mechanism);
    expect((await replayOnQemuVtd(trace)).disagreement).toBeUndefined();
  });

  it('shows each known disagreement with its trace, and reports it when it is not known', async () => {
    const target = await VtdTarget.start({ addressBits: 48, tableFrames: 11 });
    try {
      for (const entry of allKnown()) {
        const strict = await runProgram(entry.trace, new LockstepVtd(target), oracleFor(target, false));
        expect(strict.disagreement?.known).toEqual([]);
        const relaxed = await runProgram(entry.trace, new LockstepVtd(target), oracleFor(target));
        expect([...relaxed.known.keys()]).toEqual([entry.id]);
        expect(relaxed.disagreement).toBeUndefined();
      }
    } finally {
      target.stop();
    }
  });

  it('finds an oracle that is wrong, and the breach with the IOMMU off in a single step', async () => {
    const find = (target: VtdTarget, oracle: VtdOracle) =>
      runLockstep<Step, VtdObservation>(new LockstepVtd(target), oracle, {
        ...{ programs, seed: 1, runs: 300, timeMs: 60_000 },
      });
    const target = await VtdTarget.start({ addressBits: 48, tableFrames: 11 });
    try {
      const rids = [target.devices[0].rid, target.devices[1].rid] as const;
      const unit = { ...unitOf(target.capability), superpages: 0 };
      const wrong = new VtdOracle({ unit, map: target.map, rids, known: knownFor(target.info.version) });
      const { findings } = await find(target, wrong);
      expect(findings.map((f) => f.mechanism)).toContain('forbidden write');
      for (const f of findings) expect(f.program.some((s) => s.do === 'superpage')).toBe(true);
    } finally {
      target.stop();
    }
    const open = await VtdTarget.start({ addressBits: 48, tableFrames: 11, withIommu: false });
    try {
      const { findings } = await find(open, oracleFor(open));
      const breach = findings.find((f) => f.mechanism === 'forbidden write');
      expect(breach?.program).toHaveLength(1);
    } finally {
      open.stop();
    }
  });

  it('takes a program that ends QEMU again on a fresh machine for a finding', async () => {
    const omits = (s: Step): boolean => {
      if (s.do === 'latch root') throw new TargetError('RF-QEMU-DIED', 'put in by the test');
      return false;
    };
    const result = await attackQemuVtd({ timeMs: 60_000, runs: 500, seed: 1, omits });
    expect(result.verdict).toBe('broken');
    expect(result.findings.map((f) => [f.mechanism, f.trace.steps])).toEqual([[ENDS_QEMU, [{ do: 'latch root' }]]]);
  });

  it('ends with a target error when QEMU is missing, or killed in the middle', async () => {
    await expect(attackQemuVtd({ timeMs: 100, seed: 1, qemuPath: '/nonexistent/qemu' })).rejects.toMatchObject({
      code: 'RF-QEMU-MISSING',
    });
    const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
    try {
      const mortal = join(folder, 'qemu');
      // The shell becomes QEMU, so that whoever kills the one has killed the other; what it leaves behind kills it after two seconds.
      writeFileSync(
        mortal,
        '#!/bin/sh\n(sleep 2; grep -q qemu /proc/$$/comm && kill -9 $$) >/dev/null 2>&1 </dev/null &\nexec qemu-system-x86_64 "$@"\n',
      );
      chmodSync(mortal, 0o755);
      await expect(attackQemuVtd({ timeMs: 30_000, seed: 1, qemuPath: mortal })).rejects.toMatchObject({
        code: 'RF-QEMU-DIED',
      });
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
