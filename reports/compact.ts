/**
 * The report in brief: a row for each claim, a row for each fault class, and the gaps. Everything that is counted here is told in full by
 * `--verbose`, the JSON and the page.
 */
import type { ClaimReport, CounterpartReport } from './claims.js';
import type { FaultReport } from './faultReports.js';
import type { Report, SuiteReport } from './report.js';
import { claimMark, findingLines, type Page, whereOf } from './terminal.js';
import { counted, grouped, hang, printable } from './text.js';

/** `6 of 6 counterparts broke, in 2 to 7 steps`. */
export function counterpartsInBrief(c: ClaimReport): string {
  const broke = c.counterparts.filter((p) => p.outcome === 'broke');
  if (c.counterparts.length === 0) return '';
  const lengths = broke.flatMap((p) => (p.length === null ? [] : [p.length]));
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  const steps =
    lengths.length === 0 ? '' : `, in ${least === most ? counted(most, 'step') : `${least} to ${most} steps`}`;
  return `${broke.length} of ${counted(c.counterparts.length, 'counterpart')} broke${steps}`;
}

/** One claim as it is settled, on as few lines as it takes. */
export function settledLines(suite: string, c: ClaimReport, where: string, page: Page): string[] {
  const { mark, paint } = claimMark(c.verdict, page.style);
  const facts = [c.verdict, where, counterpartsInBrief(c)].filter((f) => f !== '').join('; ');
  const [head = '', ...rest] = hang(`${mark} `, `${suite}: ${printable(c.says)}`, page.width);
  return [...[head, ...rest].map(paint), ...hang('   ', facts, page.width).map(page.style.dim), ...troubles(c, page)];
}

/** What is not as it should be: these lines are never left out. */
function troubles(c: ClaimReport, page: Page): string[] {
  const open = c.counterparts.filter((p) => p.outcome !== 'broke' || p.random?.found === false);
  return [
    ...open.flatMap((p) => hang('     ', `${printable(p.off)}: ${outcomeOf(p)}`, page.width).map(page.style.yellow)),
    ...(c.verdict === 'not contained' ? [] : c.because).flatMap((b) =>
      hang('     because ', printable(b), page.width).map(page.style.yellow),
    ),
  ];
}

function outcomeOf(p: CounterpartReport): string {
  if (p.outcome === 'held') return `${p.breaks} HOLDS without it`;
  if (p.outcome === 'open') return 'not run to its end';
  return `found by exhaustive search only, not by random runs`;
}

/** Claims, findings, faults by class, and what was not tested. */
export function compactLines(
  report: Report,
  page: Page,
  rates: ReadonlyMap<string, number | undefined> = new Map(),
): string[] {
  const { style, width } = page;
  const lines: string[] = ['', style.bold('CLAIMS')];
  for (const s of report.suites) {
    const where = `${s.name} (${whereOf(s, rates.get(s.name))}, ${s.schedule})`;
    lines.push(...hang('', where, width).map(style.bold));
    for (const c of s.claims) lines.push(...row(c, page));
  }
  for (const s of report.suites) for (const f of s.findings) lines.push('', ...findingLines(s, f, page));
  return [...lines, '', ...faults(report, page), '', ...gaps(report, page)];
}

const EVIDENCE_LETTERS = 'E exhaustive, P progress, T two runs, N fail-nth, R random, G gate off, M mutant, B breach';

function letters(c: ClaimReport): string {
  const letter = {
    exhaustive: 'E',
    progress: 'P',
    'two runs': 'T',
    'fail-nth': 'N',
    random: 'R',
    'gate off': 'G',
    mutant: 'M',
    breach: 'B',
  };
  return c.evidence.map((e) => letter[e]).join('');
}

function row(c: ClaimReport, page: Page): string[] {
  const { mark, paint } = claimMark(c.verdict, page.style);
  const broke = c.counterparts.filter((p) => p.outcome === 'broke').length;
  const right = `${c.verdict.padStart(18)}  ${letters(c).padEnd(5)} ${`${broke}/${c.counterparts.length}`.padStart(5)}`;
  const room = page.width - right.length - 6;
  if (room < 24) {
    return [...hang(`${mark} `, printable(c.says), page.width).map(paint), `   ${right}`, ...troubles(c, page)];
  }
  const left = hang('', printable(c.says), room);
  const rest = left.slice(1).map((l) => `   ${l}`);
  return [`${paint(mark)} ${(left[0] ?? '').padEnd(room)}  ${right}`, ...rest, ...troubles(c, page)];
}

/** All suites together, one row a class. */
function faults(report: Report, page: Page): string[] {
  const classes = new Map<string, FaultReport[]>();
  for (const f of report.suites.flatMap((s) => s.faults)) classes.set(f.id, [...(classes.get(f.id) ?? []), f]);
  const lines = [page.style.bold('FAULTS INJECTED (gates on, all suites)')];
  for (const [id, all] of [...classes].sort(([a], [b]) => Number(a.slice(1)) - Number(b.slice(1)))) {
    const injected = total(all, (f) => f.injected);
    const stops = new Map<string, number>();
    for (const f of all) for (const [gate, n] of Object.entries(f.blocked)) stops.set(gate, (stops.get(gate) ?? 0) + n);
    const refused = total(all, (f) => Object.values(f.refused).reduce((a, b) => a + b, 0));
    const parts = [...stops].map(([gate, n]) => `${grouped(n)} blocked by ${printable(gate)}`);
    if (refused > 0) parts.push(`${grouped(refused)} refused by the interface’s own checks`);
    const through = total(all, (f) => f.through);
    if (through > 0) parts.push(`${grouped(through)} let through, harmlessly as far as the properties see`);
    const told = injected === 0 ? 'never reached' : `${grouped(injected)}: ${parts.join(', ')}`;
    lines.push(...hang(`  ${id.padEnd(3)} `, `${all[0]?.title ?? ''}: ${told}`, page.width));
  }
  return lines.length > 1 ? lines : [...lines, '  none'];
}

const total = (all: readonly FaultReport[], of: (f: FaultReport) => number): number =>
  all.reduce((n, f) => n + of(f), 0);

/** Gaps by kind: those that weaken a claim in full, the others counted. */
function gaps(report: Report, page: Page): string[] {
  const all = report.suites.flatMap((s) => s.notTested.map((line) => [s, line] as const));
  const lines = [page.style.bold('NOT TESTED')];
  const quiet = /^(assumed|never performed|never failed|breaches only): /;
  for (const [s, line] of all) {
    if (!quiet.test(line))
      lines.push(...hang('  - ', `${s.name}: ${printable(line)}`, page.width).map(page.style.yellow));
  }
  const count = (kind: string): number => all.filter(([, line]) => line.startsWith(`${kind}: `)).length;
  const told = [
    [count('assumed'), 'assumption', 'stubbed, scoped, trusted or atomic'],
    [count('never performed'), 'operation', 'in a suite that never performs it'],
    [count('never failed'), 'failure site', 'that never failed'],
    [count('breaches only'), 'suite', 'in which only breaches are looked for, and nothing is proved'],
  ] as const;
  for (const [n, what, why] of told) if (n > 0) lines.push(...hang('  - ', `${counted(n, what)} ${why}`, page.width));
  lines.push(...hang('  ', 'each by name: --verbose, or "notTested" in report.json', page.width).map(page.style.dim));
  lines.push(
    ...hang('  ', `evidence: ${EVIDENCE_LETTERS}; n/m: counterparts that broke`, page.width).map(page.style.dim),
  );
  return lines;
}

/** Whether so few suites ran that all detail fits. */
export function fitsInFull(suites: readonly Pick<SuiteReport, 'name'>[]): boolean {
  return suites.length <= 1;
}
