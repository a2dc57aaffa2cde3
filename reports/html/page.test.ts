/** The parts of the page that can be wrong without a browser: escaping, packing within a budget, lines that belong together. */
import { beforeAll, describe, expect, it } from 'vitest';
import { readTrace } from '../../explore/traceFile.js';
import { sampleSheet } from '../samples/fastpathSheet.js';
import { hugeSample } from '../samples/hugeSample.js';
import { brokenLendingSuite, lendingSuite } from '../samples/lendingSuite.js';
import { type Sample, sampleReport } from '../samples/sampleReport.js';
import { together } from '../text.js';
import { historyOf, valueAfter } from './client/history.js';
import { embedJson, html } from './markup.js';
import { lanesOf, packTraces } from './pack.js';
import { reportPage } from './page.js';
import type { AttackReport } from './targetSection.js';

describe('markup', () => {
  it('escapes what is put in, but for markup', () => {
    expect(html`<p title="${'"><b>'}">${'a<b>&'}${html`<i>${1}</i>`}${[null, false, 'x']}</p>`.text).toBe(
      '<p title="&#34;&#62;&#60;b&#62;">a&#60;b&#62;&#38;<i>1</i>x</p>',
    );
    expect(html`${'\u0007\u202e\ud800'}`.text).toBe('??\ufffd');
    expect(html`${'x'.repeat(3_000)}`.text).toMatch(/x \[1000 characters cut\]$/);
  });

  it('embeds JSON that cannot end its element', () => {
    const value = ['</script><!--', '\u2028\u2029', '&'];
    const { text } = embedJson(value);
    expect(text).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('packed traces', () => {
  let broken: Sample;
  beforeAll(async () => {
    broken = await sampleReport([brokenLendingSuite()]);
  });

  const views = (s: Sample) =>
    [...s.traces].map(([name, text]) => ({ name, title: name, trace: readTrace(text), retold: undefined }));

  it('keep every step, choice and change', () => {
    const [view] = views(broken);
    const { pack, left } = packTraces(view ? [view] : []);
    expect(left).toEqual([]);
    const [trace] = pack.traces;
    const says = trace?.steps.map((s) => pack.texts[s[3] ?? -1]);
    expect(says).toEqual(view?.trace.steps.map((s) => s.says));
    const cells = trace ? historyOf(trace) : [];
    const changed = view?.trace.steps.flatMap((s) => s.changes) ?? [];
    expect(cells.flatMap((c) => c.at)).toHaveLength(changed.length);
    for (const cell of cells) {
      const own = changed.filter((c) => c.row === pack.texts[cell.row] && c.field === pack.texts[cell.field]);
      expect(pack.texts[valueAfter(cell, -1).value]).toBe(own[0]?.from);
      expect(pack.texts[valueAfter(cell, 99).value]).toBe(own.at(-1)?.to);
    }
  });

  it('stay within the budget, and say which stayed out', () => {
    const all = views(broken);
    const first = JSON.stringify(packTraces(all.slice(0, 1)).pack).length;
    const { pack, left } = packTraces(all, first);
    expect(pack.traces.map((t) => t.name)).toEqual([all[0]?.name]);
    expect(left.map((v) => v.name)).toEqual(all.slice(1).map((v) => v.name));
    expect(JSON.stringify(pack).length).toBeLessThanOrEqual(first);
  });

  it('have lanes from guest to VMM', () => {
    const step = { operation: '', step: '', choices: [], says: '', status: '', fault: '', changes: [] };
    const agents = ['vmm', 'tm', 'device 10', 'device 9', 'iommu', 'domain 1', 'vmm', ''];
    const lanes = lanesOf({ steps: agents.map((agent) => ({ ...step, agent })) });
    expect(lanes).toEqual(['domain 1', 'device 9', 'device 10', 'iommu', 'vmm', 'tm']);
  });
});

describe('the page', () => {
  it('is equal bytes for equal inputs, and small even when the report is not', async () => {
    const sample = await sampleReport([lendingSuite({ name: 'kept' }), brokenLendingSuite()]);
    const again = await sampleReport([lendingSuite({ name: 'kept' }), brokenLendingSuite()]);
    expect(reportPage(again)).toBe(reportPage(sample));
    expect(Buffer.byteLength(reportPage(hugeSample(sample, 10_000, 20_000)))).toBeLessThan(5_000_000);
  });

  it('shows what was measured beside the claims of the suite that it was measured of', async () => {
    const sample = await sampleReport([lendingSuite({ name: 'lending' }), lendingSuite({ name: 'vtd' })]);
    const attack: AttackReport = {
      format: 'ringfence-attack',
      version: 1,
      target: 'qemu-vtd',
      verdict: 'holds',
      qemuVersion: '7.2.22',
      programs: 12_345,
      steps: 67_890,
      inputs: { seed: 1, timeMs: 1_000 },
      controls: [],
      findings: [],
      known: [],
      coverage: {},
    };
    const page = reportPage({ ...sample, fastpath: sampleSheet(0), attacks: [attack] });
    const claims = page.slice(page.indexOf('<section id="claims">'), page.indexOf('<section id="findings">'));
    const [, first = '', second = ''] = claims.split('data-suite=');
    expect(first).toContain('<b>Allocation gate</b> <span class="good">operations: 1 allocate nothing');
    expect(first).not.toContain('Real target');
    expect(second).toContain('<b>Allocation gate</b> <span class="quiet">not measured');
    expect(second).toContain('in lockstep with QEMU 7.2.22, 12,345 programs, 0 new disagreements');
    expect(page).not.toContain('no real implementation was driven');
    const leaking = reportPage({ ...sample, fastpath: sampleSheet(16) });
    expect(leaking).toContain('<b>Allocation gate</b> <span class="bad">operations: 1 allocate<');
    expect(leaking).toContain('no real implementation was driven');
  });

  it('lists a trace that is damaged without showing it', async () => {
    const sample = await sampleReport([brokenLendingSuite()]);
    const traces = new Map([...sample.traces.keys()].map((name) => [name, '{']));
    const page = reportPage({ ...sample, traces });
    expect(page).toContain('device 0 writes frame 0');
    expect(page).not.toContain('id="viewer"');
  });

  it('tells lines that begin alike as one', () => {
    expect(together(['never: a', 'alone', 'never: b', 'never: a'])).toEqual(['never: a, b', 'alone']);
  });
});
