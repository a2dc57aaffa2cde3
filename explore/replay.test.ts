/** Traces survive being written, read and replayed; broken, foreign and hostile ones are refused in one line; checkpoints go on. */
import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { build, drop, type Edit, guardWith } from '../model/kernel/index.js';
import {
  consistent,
  rmChooseToAbort,
  type TwoPhase,
  tmCommit,
  twoPhaseCommit,
} from '../model/textbook/twoPhaseCommit.js';
import { invariant } from '../properties/property.js';
import { CheckpointError, explorationKey, loadCheckpoint, saveCheckpoint } from './checkpoint.js';
import { exploreExhaustively } from './exhaustive.js';
import { replayTrace } from './replay.js';
import { readTrace, TraceFileError, traceFileOf, writeTrace } from './traceFile.js';

const consistency = invariant<TwoPhase>('consistent', 'consistent', {
  states: 'no resource manager commits while another aborts',
  holds: consistent,
  witnesses: {},
});
const hasty = guardWith(tmCommit, 'agent', (m) => m.tm.state[0] === 0);
const machineWith = (...edits: Edit[]) => build(twoPhaseCommit, { scope: { rm: 3 }, edits });

function trace() {
  const machine = machineWith(hasty);
  const { findings } = exploreExhaustively(machine, { properties: [consistency], stopAtFirst: true });
  return traceFileOf(machine, findings[0], { suite: 'two-phase', scopeName: 'small', minimal: 'proved' });
}

describe('trace files', () => {
  it('are read as they were written, and break the property again', () => {
    const read = readTrace(writeTrace(trace()));
    expect(read).toEqual(trace());
    const replayed = replayTrace(machineWith(hasty), read.steps, consistency);
    expect(replayed).toMatchObject({ applies: true, broken: true });
    expect(replayed.steps).toEqual(read.steps);
  });

  it('do not break the right specification, and say where they stop applying', () => {
    const { steps } = trace();
    const healthy = replayTrace(machineWith(), steps, consistency);
    expect(healthy).toMatchObject({ applies: false, broken: false });
    expect(healthy.because).toContain('not enabled here');
    const without = replayTrace(machineWith(hasty, drop(rmChooseToAbort)), steps, consistency);
    expect(without.because).toContain("no operation 'rm.chooseToAbort'");
    const smaller = steps.map((s) => ({ ...s, choices: s.choices.map((c) => ({ ...c, value: 9 })) }));
    expect(replayTrace(machineWith(hasty), smaller, consistency).applies).toBe(false);
  });

  it.each([
    ['', 'RF-TRACE-JSON'],
    [writeTrace(trace()).slice(0, 200), 'RF-TRACE-JSON'],
    ['[]', 'RF-TRACE-FORMAT'],
    ['{"format":"something else"}', 'RF-TRACE-FORMAT'],
    [writeTrace(trace()).replace('"version": 1', '"version": 99'), 'RF-TRACE-VERSION'],
    [writeTrace(trace()).replace('"steps"', '"__proto__"'), 'RF-TRACE-FORMAT'],
    [`${'['.repeat(200_000)}`, 'RF-TRACE-JSON'],
  ])('that are bad are refused in one line (%#)', (json, code) => {
    let caught: unknown;
    try {
      readTrace(json);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TraceFileError);
    expect(caught).toMatchObject({ code });
    expect((caught as Error).message).not.toContain('\n');
  });
});

describe('checkpoints', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringfence-'));
  const machine = build(twoPhaseCommit, { scope: { rm: 5 } });
  const key = explorationKey(machine, 'two-phase');
  const path = join(folder, 'checkpoint');

  it('let an interrupted exploration end as an uninterrupted one', () => {
    const options = { properties: [consistency], mayStop: () => true };
    const half = exploreExhaustively(machine, { ...options, onProgress: () => true });
    expect(half).toMatchObject({ verdict: 'truncated', truncatedBy: 'interrupt' });
    saveCheckpoint(path, key, half.progressing);
    const whole = exploreExhaustively(machine.rebuild(), { ...options, resume: loadCheckpoint(path, key) });
    const { states, transitions, depth, verdict } = exploreExhaustively(machine.rebuild(), options);
    expect(whole).toMatchObject({ states, transitions, depth, verdict });
    expect(states).toBe(8832);
  });

  it('of another exploration, or cut off, are refused', () => {
    expect(() => loadCheckpoint(path, 'another')).toThrow(CheckpointError);
    truncateSync(path, 5000);
    expect(() => loadCheckpoint(path, key)).toThrow(/cut off/);
    rmSync(folder, { recursive: true });
  });
});
