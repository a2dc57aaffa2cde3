/** Steps are found in the sources, on the line where they are written. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { build } from '../model/kernel/index.js';
import { tmCommit, twoPhaseCommit } from '../model/textbook/twoPhaseCommit.js';
import { breachLine, lineOf } from './locations.js';

it('finds the line on which a step is written', () => {
  const found = lineOf(tmCommit.steps.decide);
  expect(found?.file).toBe('model/textbook/twoPhaseCommit.ts');
  const lines = readFileSync('model/textbook/twoPhaseCommit.ts', 'utf8').split('\n');
  const at = lines.findIndex((l) => l.includes('m.tm.state[0] = SENT_COMMIT')) + 1;
  expect(Math.abs((found?.line ?? 0) - at)).toBeLessThanOrEqual(12);
});

it('finds the step that a mechanism names', () => {
  const m = build(twoPhaseCommit, { scope: { rm: 2 } });
  const last = {
    operation: 'tm.commit',
    step: '',
    agent: 'tm',
    choices: [],
    says: '',
    status: 'ok',
    fault: '',
    changes: [],
  };
  expect(breachLine(m, [last], 'tm.commit tm')).toEqual(lineOf(tmCommit.steps.decide));
  expect(breachLine(m, [last], 'nobody')).toBeUndefined();
});

it('tells nothing of functions that have no source', () => {
  expect(lineOf(Math.max)).toBeUndefined();
});
