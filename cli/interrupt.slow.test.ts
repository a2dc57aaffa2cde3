/** Ctrl-C: over in a second, nothing lost, and the run can go on. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Report } from '../reports/report.js';
import { fixture, freshFolder, ringfence } from './testing/run.js';

const folder = freshFolder();
afterAll(folder.remove);
const file = (name: string): string => join(folder.path, 'ringfence-report', name);
// More states than the test has time for.
const long = ['verify', fixture('door'), '--scope', 'guest=5,room=7', '--runs', '0', '--workers', '1'];
const checkpoint = 'checkpoints/door-custom.checkpoint';

describe('an interrupted run', () => {
  it('ends within a second, keeps what is known, and goes on where it stopped', async () => {
    const ended = await ringfence(long, { cwd: folder.path, interruptAfterMs: 5000 });
    expect(ended.code).toBe(130);
    expect(ended.tookMs).toBeLessThan(1000);
    expect(ended.stdout).toContain('PARTIAL (partial: interrupted)');
    expect(ended.stdout).toContain('--resume');
    const report: Report = JSON.parse(readFileSync(file('report.json'), 'utf8'));
    expect(report).toMatchObject({ verdict: 'partial', partial: 'interrupt' });
    const before = report.suites[0].exhaustive?.states ?? 0;
    expect(before).toBeGreaterThan(1000);
    expect(existsSync(file(checkpoint))).toBe(true);

    const again = await ringfence([...long, '--resume'], { cwd: folder.path, interruptAfterMs: 6000 });
    expect(again.code).toBe(130);
    const later: Report = JSON.parse(readFileSync(file('report.json'), 'utf8'));
    expect(later.suites[0].exhaustive?.states).toBeGreaterThan(before);
  });

  it('a checkpoint that is cut off, or of another specification, is refused', async () => {
    truncateSync(file(checkpoint), 1000);
    const cut = await ringfence([...long, '--resume'], { cwd: folder.path });
    expect(cut).toMatchObject({ code: 3 });
    expect(cut.stderr).toMatch(/^RF-CHECKPOINT: .* cut off/);
    writeFileSync(file(checkpoint), 'nonsense');
    const bad = await ringfence([...long, '--resume'], { cwd: folder.path });
    expect(bad.stderr).toMatch(/^RF-CHECKPOINT: .* is not a checkpoint/);
  });

  it('goes on to the same figures as a run that was not interrupted', async () => {
    const args = ['verify', fixture('commit'), '--scope', 'large', '--runs', '0', '--workers', '1', '--out', 'whole'];
    const first = await ringfence([...args, '--time', '1.5'], { cwd: folder.path });
    expect([0, 3]).toContain(first.code);
    const second = await ringfence([...args, '--resume'], { cwd: folder.path });
    expect(second.code).toBe(0);
    const report: Report = JSON.parse(readFileSync(join(folder.path, 'whole/report.json'), 'utf8'));
    expect(report.suites[0].exhaustive).toMatchObject({ verdict: 'complete', states: 1_745_408 });
    expect(report.suites[0].claims[0].verdict).toBe('proved within scope');
  });
});
