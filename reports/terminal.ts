/** The report as people see it in a terminal: a table of claims, faults by class, and what was not tested. From 40 to 120 columns. */
import { match } from 'ts-pattern';
import type { Explored } from '../explore/campaign/results.js';
import { type ClaimReport, type ClaimVerdict, type CounterpartReport, without } from './claims.js';
import type { FaultReport } from './faultReports.js';
import type { FindingReport, Report, SuiteReport } from './report.js';
import { counted, grouped, hang, printable } from './text.js';

/** Colours, or none: picocolors' functions or the identity. */
export interface Style {
  readonly bold: (s: string) => string;
  readonly dim: (s: string) => string;
  readonly red: (s: string) => string;
  readonly green: (s: string) => string;
  readonly yellow: (s: string) => string;
}

export interface Page {
  readonly width: number;
  readonly style: Style;
}

/** Mark and colour of a verdict. */
export function claimMark(v: ClaimVerdict, style: Style): { mark: string; paint: (s: string) => string } {
  return match(v)
    .with('proved within scope', () => ({ mark: 'ok', paint: style.green }))
    .with('not contained', () => ({ mark: '--', paint: style.dim }))
    .with('sampled', () => ({ mark: '~~', paint: style.yellow }))
    .with('not exercised', () => ({ mark: '??', paint: style.yellow }))
    .with('broken', 'error', () => ({ mark: '!!', paint: style.red }))
    .exhaustive();
}

/** Lines of one claim, with what stands behind it. */
export function claimLines(suite: string, c: ClaimReport, where: string, page: Page): string[] {
  const { mark, paint } = claimMark(c.verdict, page.style);
  const [head = '', ...rest] = hang(`${mark} `, `${suite}: ${printable(c.says)}`, page.width);
  const lines = [paint(head), ...rest.map(paint)];
  const facts = [c.verdict, where, c.evidence.join(' + ') || 'no evidence'];
  lines.push(...hang('   ', facts.filter((f) => f !== '').join('; '), page.width));
  for (const p of c.counterparts) lines.push(...hang('   ', counterpartText(p), page.width));
  for (const b of c.because) lines.push(...hang('   because ', printable(b), page.width));
  return lines;
}

function counterpartText(p: CounterpartReport): string {
  const random = p.random === null ? '' : p.random.found ? `, random ${p.random.shrunkLength}` : ', random: not found';
  const result = match(p.outcome)
    .with('broke', () => `${p.breaks} breaks in ${counted(p.length ?? 0, 'step')}${random}`)
    .with('held', () => `${p.breaks} HOLDS`)
    .with('open', () => 'not run to its end')
    .exhaustive();
  return `${printable(without(p))}: ${result}`;
}

/** `scope small, complete, 12,345 states, 200,000/s`, or what cut it. */
export function whereOf(
  s: { readonly exhaustive: Pick<Explored, 'verdict' | 'truncatedBy' | 'states'> | null; readonly scopeName: string },
  statesPerSecond?: number,
): string {
  const run = s.exhaustive;
  if (!run) return `scope ${s.scopeName}`;
  const cut = run.verdict === 'complete' ? 'complete' : `truncated (${run.truncatedBy})`;
  const rate = statesPerSecond === undefined ? '' : `, ${grouped(statesPerSecond)}/s`;
  return `scope ${s.scopeName}, ${cut}, ${counted(run.states, 'state')}${rate}`;
}

/** The whole report. */
export function reportLines(
  report: Report,
  page: Page,
  statesPerSecond: ReadonlyMap<string, number | undefined> = new Map(),
): string[] {
  const lines = ['', ...claimTable(report, page, statesPerSecond)];
  for (const s of report.suites) for (const f of s.findings) lines.push('', ...findingLines(s, f, page));
  lines.push('', ...faultTable(report, page), '', ...untested(report, page));
  return lines;
}

/** One block a suite: a heading with scope and states, then a row for each claim, as wide as the terminal allows. */
function claimTable(report: Report, page: Page, rates: ReadonlyMap<string, number | undefined>): string[] {
  const { style, width } = page;
  const lines: string[] = [style.bold(hang('', 'CLAIMS', width)[0] ?? '')];
  for (const s of report.suites) {
    const sizes = Object.entries(s.scope)
      .map(([sort, n]) => `${sort} ${n}`)
      .join(', ');
    lines.push(...hang('', `${s.name}: ${printable(s.title)}`, width).map(style.bold));
    lines.push(...hang('  ', `${whereOf(s, rates.get(s.name))} (${sizes}; ${s.schedule})`, width).map(style.dim));
    if (width >= 72) lines.push(...wideRows(s, page));
    else lines.push(...s.claims.flatMap((c) => narrowRow(c, page)));
  }
  return lines;
}

const VERDICT_WIDTH = 20;
const EVIDENCE_WIDTH = 21;

/** Columns: claim, evidence, verdict; each wraps in its own column, and counterparts follow under the evidence. */
function wideRows(s: SuiteReport, page: Page): string[] {
  const claimWidth = page.width - VERDICT_WIDTH - EVIDENCE_WIDTH - 7;
  return s.claims.flatMap((c) => {
    const { mark, paint } = claimMark(c.verdict, page.style);
    const left = hang('', printable(c.says), claimWidth);
    const middle = hang('', c.evidence.join(', ') || 'none', EVIDENCE_WIDTH);
    const right = hang('', c.verdict, VERDICT_WIDTH);
    const height = Math.max(left.length, middle.length, right.length);
    const rows = Array.from({ length: height }, (_, i) => {
      const head = i === 0 ? paint(mark) : '  ';
      const cells = [
        (left[i] ?? '').padEnd(claimWidth),
        (middle[i] ?? '').padEnd(EVIDENCE_WIDTH),
        paint(right[i] ?? ''),
      ];
      return `${head} ${cells.join('  ')}`.trimEnd();
    });
    return [...rows, ...detail(c, page)];
  });
}

function narrowRow(c: ClaimReport, page: Page): string[] {
  const { mark, paint } = claimMark(c.verdict, page.style);
  return [
    ...hang(`${mark} `, printable(c.says), page.width).map(paint),
    ...hang('   ', c.verdict, page.width).map(paint),
    ...hang('   ', c.evidence.join(', ') || 'no evidence', page.width),
    ...detail(c, page),
  ];
}

function detail(c: ClaimReport, page: Page): string[] {
  return [
    ...c.counterparts.flatMap((p) => hang('     ', counterpartText(p), page.width).map(page.style.dim)),
    ...c.because.flatMap((b) => hang('     because ', printable(b), page.width).map(page.style.yellow)),
  ];
}

/** A finding as a person would tell it. */
export function findingLines(s: SuiteReport, f: FindingReport, page: Page): string[] {
  const { style, width } = page;
  const proof = f.minimal ? 'proved minimal' : 'not proved minimal';
  const head = `${s.name}: ${f.property} broken after ${counted(f.length, 'step')} (${proof}, ${f.foundBy}): ${printable(f.why)}`;
  return [
    ...hang('', head, width).map(style.red),
    ...f.steps.flatMap((step, i) => hang(`  ${String(i + 1).padStart(2)} `, printable(step), width)),
  ];
}

/** Per class: injected, reached the boundary, what stopped it, what was never reached. */
function faultTable(report: Report, page: Page): string[] {
  const lines = [page.style.bold('FAULTS')];
  for (const s of report.suites) {
    if (s.faults.length === 0) continue;
    lines.push(...hang('', s.name, page.width));
    for (const f of s.faults) lines.push(...hang(`  ${f.id.padEnd(3)} `, faultText(f), page.width));
  }
  return lines.length > 1 ? lines : [...lines, '  none injected'];
}

function faultText(f: FaultReport): string {
  if (!f.modelled) return `${f.title}: never reached (the machine has no operation for it)`;
  if (f.injected === 0) return `${f.title}: never reached (never enabled)`;
  const stops = [
    ...Object.entries(f.blocked).map(([gate, n]) => `${grouped(n)} blocked by ${printable(gate)}`),
    ...Object.entries(f.refused).map(([error, n]) => `${grouped(n)} refused (${printable(error)})`),
  ];
  if (f.through > 0) stops.push(`${grouped(f.through)} let through`);
  const never = f.never.length > 0 ? `; never: ${f.never.join(', ')}` : '';
  return `${f.title}: ${grouped(f.injected)} injected, ${grouped(f.reached)} stopped at the boundary: ${stops.join(', ')}${never}`;
}

function untested(report: Report, page: Page): string[] {
  const lines = [page.style.bold('NOT TESTED')];
  for (const s of report.suites) {
    for (const line of s.notTested) lines.push(...hang('  - ', `${s.name}: ${printable(line)}`, page.width));
  }
  return lines.length > 1 ? lines : [...lines, '  nothing was left out of these suites'];
}

/** The last line: the answer. */
export function summary(report: Report): string {
  const claims = report.suites.flatMap((s) => s.claims);
  const parts = (
    ['proved within scope', 'not contained', 'sampled', 'not exercised', 'broken', 'error'] as const
  ).flatMap((v) => {
    const n = claims.filter((c) => c.verdict === v).length;
    return n > 0 ? [`${n} ${v}`] : [];
  });
  const counterparts = claims.flatMap((c) => c.counterparts);
  const broke = counterparts.filter((p) => p.outcome === 'broke').length;
  const head = match(report.verdict)
    .with('holds', () => 'HOLDS')
    .with('broken', () => 'BROKEN')
    .with('error', () => 'ERROR')
    .with('partial', () => 'PARTIAL')
    .exhaustive();
  const cut =
    report.partial === 'no' ? '' : ` (partial: ${report.partial === 'time' ? 'the time was up' : 'interrupted'})`;
  return `${head}${cut}: ${counted(claims.length, 'claim')}: ${parts.join(', ') || 'none'}; ${grouped(broke)} of ${counted(counterparts.length, 'counterpart')} broke`;
}
