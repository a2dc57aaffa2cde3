/** The attacks on a real target in the page: how much ran, what the controls showed, and where target and specification disagree. */
import { z } from 'zod';
import { counted, grouped } from '../text.js';
import { html, type Markup } from './markup.js';

const attackReport = z.object({
  format: z.literal('ringfence-attack'),
  version: z.literal(1),
  target: z.string(),
  verdict: z.enum(['holds', 'broken', 'not reproducible', 'controls failed']),
  qemuVersion: z.string(),
  programs: z.int(),
  steps: z.int(),
  inputs: z.object({ seed: z.int(), timeMs: z.number() }),
  controls: z.array(z.object({ name: z.string(), expected: z.string(), found: z.string(), holds: z.boolean() })),
  findings: z.array(z.object({ mechanism: z.string(), says: z.string() })),
  known: z.array(z.object({ id: z.string(), manual: z.string(), reason: z.string(), programs: z.int() })),
  coverage: z.record(z.string(), z.int()),
});

/** What `ringfence attack` left beside the report. */
export type AttackReport = z.infer<typeof attackReport>;

/** Reads the attack's report; undefined when it is not one of this version. */
export function readAttackReport(json: string): AttackReport | undefined {
  try {
    return attackReport.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined;
  }
}

/** Suites whose specification is the one that a target was driven against. */
const SPECIFIED: ReadonlyMap<string, RegExp> = new Map([['qemu-vtd', /^vtd(-|$)/]]);

/** What lockstep with the target says of a suite's specification, in a line beside its claims; undefined for another specification. */
export function lockstepLine(a: AttackReport, suite: string): Markup | undefined {
  if (!SPECIFIED.get(a.target)?.test(suite)) return undefined;
  const tone = a.verdict === 'holds' ? 'good' : 'bad';
  return html`<b>Real target</b> <span class="${tone}">${a.verdict}</span>: this specification in lockstep with QEMU ${a.qemuVersion}, ${counted(a.programs, 'program')}, ${counted(a.findings.length, 'new disagreement')}, ${a.known.length} known`;
}

/** The section. */
export function targetSection(a: AttackReport): Markup {
  const kinds = Object.entries(a.coverage).sort(([x], [y]) => x.localeCompare(y, 'en'));
  return html`<section id="target"><h2>Real target: ${a.target}</h2><p class="lead">The same attacks on QEMU ${a.qemuVersion}, in lockstep with the bit-level specification: memory and fault records were compared after every step.</p>
<p><b>${a.verdict}</b>: ${counted(a.programs, 'program')}, ${counted(a.steps, 'step')}, seed ${a.inputs.seed}; ${counted(a.findings.length, 'new disagreement')}, ${a.known.length} known.</p>
<ul>${a.controls.map((c) => html`<li>${c.name}: ${c.found}${!c.holds && html` <b>(expected: ${c.expected})</b>`}</li>`)}</ul>
${a.findings.length > 0 && html`<h3>New disagreements</h3><ul>${a.findings.map((f) => html`<li><b>${f.mechanism}</b>: ${f.says}</li>`)}</ul>`}
${a.known.length > 0 && html`<h3>Known disagreements</h3><ul>${a.known.map((k) => html`<li><b>${k.id}</b> (in ${counted(k.programs, 'program')}): ${k.reason}</li>`)}</ul>`}
<details><summary>${counted(kinds.length, 'kind')} of step and outcome</summary><table class="counts"><tbody>${kinds.map(
    ([kind, n]) => html`<tr><th scope="row">${kind}</th><td>${grouped(n)}</td></tr>`,
  )}</tbody></table></details></section>`;
}
