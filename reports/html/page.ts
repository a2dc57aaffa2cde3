/**
 * report.html: one file, no network, nothing but the report and its traces in it. A policy in the page forbids everything else: only the
 * script and the style whose hashes it names run, so that no name of a suite could become code even if it were not escaped.
 */
import { createHash } from 'node:crypto';
import type { FastpathSheet } from '../../explore/fastpath/sheet.js';
import { readTrace, TraceFileError } from '../../explore/traceFile.js';
import type { Matrix } from '../matrix.js';
import { problemsOf } from '../problems.js';
import type { Report } from '../report.js';
import { counted } from '../text.js';
import { claimsSection } from './claimsSection.js';
import { packClasses } from './classes.js';
import { pageScript } from './client/script.js';
import { costSection } from './costSection.js';
import { allocationLine, fastpathSection } from './fastpathSection.js';
import { coverageSection, faultsSection } from './faultsSection.js';
import { findingsSection, viewerSection } from './findingsSection.js';
import { embedJson, html, Markup } from './markup.js';
import { matrixSection } from './matrixSection.js';
import { packTraces, type Retold, type TraceView } from './pack.js';
import { style } from './style.js';
import { type AttackReport, lockstepLine, targetSection } from './targetSection.js';
import { assumptionsSection, topSection, untestedSection } from './topSection.js';

export interface PageInputs {
  readonly report: Report;
  /** Text of the trace files that the report names, by file name. */
  readonly traces: ReadonlyMap<string, string>;
  /** Memory maps and the like, by trace file, where they are known. */
  readonly retold?: ReadonlyMap<string, Retold>;
  /** The folder of the traces as a reader would type it; the replay line starts with it. */
  readonly folder?: string;
  /** What was measured beside the report: bytes on the fast path, lines of code. */
  readonly fastpath?: FastpathSheet;
  readonly lines?: Markup;
  readonly matrix?: Matrix;
  /** What attacks on real targets found. */
  readonly attacks?: readonly AttackReport[];
}

/** Most traces that the choice lists. */
const MAX_TRACES = 2000;

/** The page. Equal inputs give equal bytes. */
export function reportPage(inputs: PageInputs): string {
  const { report } = inputs;
  const problems = problemsOf(report);
  const views = viewsOf(inputs, problems);
  const { pack, shown, left } = packTraces(views.slice(0, MAX_TRACES));
  const out = [...left, ...views.slice(MAX_TRACES)];
  const embedded = new Set(pack.traces.map((t) => t.name));
  const matrix = inputs.matrix && inputs.matrix.architectures.length > 0 ? inputs.matrix : undefined;
  const script = new Markup(pageScript);
  const css = new Markup(style);
  const policy = `default-src 'none'; script-src '${hashOf(pageScript)}'; style-src '${hashOf(style)}'`;
  const gaps = { fastpath: inputs.fastpath === undefined, targets: !inputs.attacks?.length };
  const beside = (suite: string): Markup[] => [
    ...(inputs.fastpath ? [allocationLine(inputs.fastpath, suite)] : []),
    ...(inputs.attacks ?? []).flatMap((a) => lockstepLine(a, suite) ?? []),
  ];
  const cost = matrix && costSection(matrix);
  const links = [
    ['untested', 'Not tested'],
    ['claims', 'Claims'],
    ...(matrix ? [['matrix', 'Containment']] : []),
    ...(cost ? [['cost', 'Cost']] : []),
    ['findings', 'Findings'],
    ...(views.length > 0 ? [['traces', 'Traces']] : []),
    ['faults', 'Attacks'],
    ...(inputs.attacks?.length ? [['target', 'Real target']] : []),
    ...(inputs.fastpath ? [['fastpath', 'Fast path']] : []),
    ['coverage', 'Coverage'],
    ['assumptions', 'Assumptions'],
  ];
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policy)}">
<meta name="color-scheme" content="light dark"><title>Ringfence: ${report.verdict}</title><style>${css}</style></head><body>
${topSection(report, gaps)}
<nav aria-label="sections"><div>${links.map(([id, name]) => html`<a href="#${id}">${name}</a> `)}</div>
<p id="filter-box" hidden><input type="search" id="filter" placeholder="suite, claim, operation ..." aria-label="show only the suites that mention" title="press / to type here"> <output id="filter-count"></output></p></nav>
<main>
${untestedSection(report, gaps)}
${claimsSection(report, embedded, { architectures: matrix?.architectures ?? [], beside })}
${matrix && matrixSection(matrix, embedded)}
${cost}
${findingsSection(problems, embedded)}
${viewerSection(shown, out, inputs.folder ?? 'ringfence-report/traces/')}
${faultsSection(report)}
${inputs.attacks?.map(targetSection)}
${inputs.fastpath && fastpathSection(inputs.fastpath)}
${coverageSection(report, inputs.lines)}
${assumptionsSection(report)}
</main>
<script type="application/json" id="trace-data">${embedJson(pack)}</script>
<script type="application/json" id="class-data">${embedJson(packClasses(report))}</script>
<script>${script}</script></body></html>
`;
  return page.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

/** Traces of findings, worst first, then of what is not contained, then of mutants of published code, then those of counterparts in order. */
function viewsOf(inputs: PageInputs, problems: ReturnType<typeof problemsOf>): TraceView[] {
  const views = new Map<string, TraceView>();
  const add = (name: string | null, title: string): void => {
    const text = name === null ? undefined : inputs.traces.get(name);
    if (name === null || text === undefined || views.has(name)) return;
    try {
      views.set(name, { name, title, trace: readTrace(text), retold: inputs.retold?.get(name) });
    } catch (thrown) {
      // A damaged trace file takes no report down; the finding is listed all the same.
      if (!(thrown instanceof TraceFileError)) throw thrown;
    }
  };
  for (const p of problems) {
    add(p.trace, `${p.suite}: ${p.subject} broken, ${counted(p.length ?? 0, 'step')}`);
    if (views.size > MAX_TRACES) break;
  }
  for (const s of inputs.report.suites) {
    for (const { breach } of s.claims) {
      if (breach) add(breach.trace, `${s.name}: ${breach.property}, not contained, ${counted(breach.length, 'step')}`);
    }
  }
  // The table of mutants links to these.
  for (const { number, finds } of inputs.matrix?.mutants ?? []) {
    const [first] = finds;
    if (first)
      add(
        first.trace,
        `${first.suite}: ${first.breaks} with mutant ${number}, ${first.mutant}, ${counted(first.steps ?? 0, 'step')}`,
      );
  }
  for (const s of inputs.report.suites) {
    for (const p of s.claims.flatMap((c) => c.counterparts)) {
      const how = p.kind === 'gate' ? `${p.off} off` : `mutant ${p.off}`;
      add(p.trace, `${s.name}: ${p.breaks} with ${how}, ${counted(p.length ?? 0, 'step')}`);
    }
  }
  return [...views.values()];
}
