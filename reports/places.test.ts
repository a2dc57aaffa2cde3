/** Paths as readers of a repository know them. */
import { expect, it } from 'vitest';
import { rootsAt, toldFrom } from './places.js';

it('begin at the repository where a workflow names it, and at the folder of the run elsewhere', () => {
  const nested = rootsAt('/repo/sub', '/repo');
  expect(toldFrom('suites/a.js', nested)).toBe('sub/suites/a.js');
  expect(toldFrom('../lib/b.js', nested)).toBe('lib/b.js');
  expect(toldFrom('/repo/c.js', nested)).toBe('c.js');
  const alone = { from: '/elsewhere', root: '/elsewhere' };
  expect(rootsAt('/elsewhere', '/repo')).toEqual(alone);
  expect(rootsAt('/elsewhere', '')).toEqual(alone);
  expect(rootsAt('/elsewhere', undefined)).toEqual(alone);
  expect(toldFrom('suites/a.js', alone)).toBe('suites/a.js');
});
