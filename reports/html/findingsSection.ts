/** Findings, worst first, and the frame of the trace viewer that the page's script fills. */
import type { Problem } from '../problems.js';
import { counted, grouped } from '../text.js';
import { html, type Markup } from './markup.js';
import type { TraceView } from './pack.js';

/** Findings that the page lists; all are in report.json. */
export const MAX_FINDINGS = 200;
/** Steps that a finding lists in words. */
const MAX_STEPS = 12;

export function findingsSection(problems: readonly Problem[], embedded: ReadonlySet<string>): Markup {
  const found = problems.filter((p) => p.level === 'error');
  const left = found.length - MAX_FINDINGS;
  return html`<section id="findings"><h2>Findings</h2>
${found.length === 0 && html`<p class="good">none</p>`}
${left > 0 && html`<p class="cut">${grouped(MAX_FINDINGS)} of ${grouped(found.length)} findings are listed, worst first; all are in report.json</p>`}
${found.slice(0, MAX_FINDINGS).map((p, i) => finding(p, embedded, i < 5))}</section>`;
}

function finding(p: Problem, embedded: ReadonlySet<string>, open: boolean): Markup {
  const { trace } = p;
  const left = p.steps.length - MAX_STEPS;
  // The last steps are the breach; of a long trace they are what is told here.
  const from = Math.max(0, left);
  return html`<details class="finding"${open && html` open`}><summary><span class="chip bad">${p.kind}</span> <b>${p.suite}</b> ${p.says}</summary>
${left > 0 && html`<p class="cut">the last ${MAX_STEPS} of ${grouped(p.steps.length)} steps</p>`}
${p.steps.length > 0 && html`<ol start="${from + 1}">${p.steps.slice(from).map((s) => html`<li>${s}</li>`)}</ol>`}
${p.place && html`<p class="quiet">at <code>${p.place.file}:${p.place.line}</code></p>`}
${trace !== null && (embedded.has(trace) ? html`<p><a href="#trace=${encodeURIComponent(trace)}">step through the trace</a></p>` : html`<p class="quiet">traces/${trace}</p>`)}
</details>`;
}

/** The viewer's frame; hidden until the script has a trace to show. */
export function viewerSection(traces: readonly TraceView[], left: readonly TraceView[], folder: string): Markup {
  if (traces.length === 0 && left.length === 0) return html``;
  const cut =
    left.length > 0 &&
    html`<p class="cut">${counted(left.length, 'trace')} not in this page, which would become too large: ${left
      .slice(0, 3)
      .map((v) => v.name)
      .join(', ')}${left.length > 3 && ' and others'}; step through them with <code>npx ringfence replay</code></p>`;
  return html`<section id="traces"><h2>Traces</h2>${cut}
<noscript><p>The trace viewer needs the script in this file; the traces are in words under Findings.</p></noscript>
<div id="viewer" hidden data-folder="${folder}">
<div class="viewer-head"><label for="trace-choice">Trace</label> <select id="trace-choice">${traces.map(
    (t) => html`<option value="${t.name}">${t.title}</option>`,
  )}</select>
<p id="trace-why" class="breach"></p>
<dl class="facts"><div><dt>property</dt><dd id="trace-property"></dd></div><div><dt>machine</dt><dd id="trace-machine"></dd></div>
<div><dt>length</dt><dd id="trace-length"></dd></div></dl>
<p class="replay"><code id="trace-replay"></code> <button type="button" id="trace-copy">copy</button></p></div>
<div class="viewer-bar"><button type="button" id="trace-first" aria-label="first step">|&lt;</button>
<button type="button" id="trace-previous" aria-label="previous step">&lt;</button> <output id="trace-position"></output>
<button type="button" id="trace-next" aria-label="next step">&gt;</button>
<button type="button" id="trace-last" aria-label="last step">&gt;|</button>
<span class="quiet keys">arrow keys, Page Up, Page Down, Home, End</span></div>
<div class="viewer-body"><div class="steps"><div id="trace-lanes" aria-hidden="true"></div>
<div id="trace-steps" tabindex="0" role="listbox" aria-label="steps of the trace"><div id="trace-spacer"><div id="trace-rows"></div></div></div></div>
<div id="trace-detail" aria-live="polite"></div><div id="trace-disabled"></div></div></div></section>`;
}
