/** summary.md for a step summary, and annotations for a pull request: short, worst first, and cut where the readers' limits are. */
import { match } from 'ts-pattern';
import { evidenceWords } from './evidenceWords.js';
import { type Roots, toldFrom } from './places.js';
import { problemsOf } from './problems.js';
import type { Report, SuiteReport } from './report.js';
import { summary } from './terminal.js';
import { counted, printable, together } from './text.js';

/** Comments of a pull request may have 65,536 characters; the action puts what the gate says before it, which is below 8,000. */
export const MAX_MARKDOWN_BYTES = 56_000;
export const MAX_ANNOTATIONS = 10;
const MAX_TEXT = 600;

/** Text that means itself: no markup, no mentions, no line breaks. */
export function markdownText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}...` : text;
  return printable(short.replace(/\s+/g, ' '))
    .replace(/\p{Surrogate}/gu, '\ufffd')
    .replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c] ?? c)
    .replace(/[\\`*_{}[\]()#+!|~$@:]/g, (c) => `\\${c}`);
}

/** Text between backquotes; it can hold anything but them. */
const code = (text: string): string => `\`${printable(text).replace(/`/g, "'").slice(0, MAX_TEXT)}\``;

/** @param folder where the traces are, as the replay lines name them */
export function markdownSummary(report: Report, folder = 'ringfence-report/traces/'): string {
  const head = match(report.verdict)
    .with('holds', () => 'holds')
    .with('broken', () => 'BROKEN')
    .with('error', () => 'ERROR')
    .with('partial', () => 'partial')
    .exhaustive();
  const blocks: string[] = [`## Ringfence: ${head}\n\n${markdownText(summary(report))}\n`];
  const problems = problemsOf(report);
  const told = problems.slice(0, MAX_ANNOTATIONS);
  if (told.length > 0)
    blocks.push(
      `### ${counted(problems.length, 'problem')}${problems.length > told.length ? `, the worst ${told.length}` : ''}\n`,
    );
  for (const p of told) {
    const steps = p.steps.slice(0, 12).map((s, i) => `   ${i + 1}. ${markdownText(s)}`);
    if (p.steps.length > 12) steps.push(`\n   ${p.steps.length - 12} more steps`);
    const replay = p.trace === null ? [] : ['', `   ${code(`npx ringfence replay ${folder}${p.trace}`)}`];
    blocks.push(
      [
        `1. **${markdownText(p.suite)}** ${markdownText(p.says)}`,
        ...(steps.length > 0 ? ['', ...steps] : []),
        ...replay,
        '',
      ].join('\n'),
    );
  }
  const urgent = report.suites.flatMap((s) =>
    s.claims
      .filter((c) => URGENT.includes(c.verdict))
      .map((c) => `| ${markdownText(s.name)} | ${markdownText(c.says)} | **${c.verdict}** | ${evidenceWords(c)} |\n`),
  );
  if (urgent.length > 0)
    blocks.push(
      '### Claims that do not hold\n\n| suite | claim | verdict | evidence |\n|---|---|---|---|\n',
      ...urgent,
    );
  const rows = report.suites.map((s) => suiteRow(s));
  if (rows.length > 0)
    blocks.push('### Suites\n\n| suite | claims | explored | counterparts that broke |\n|---|---|---|---|\n', ...rows);
  blocks.push(...folded('Every claim', report.suites.flatMap(claimLines)));
  blocks.push(...folded('Not tested, and assumed', untested(report)));
  return cutTo(blocks, MAX_MARKDOWN_BYTES);
}

const VERDICTS = ['broken', 'error', 'not exercised', 'sampled', 'not contained', 'proved within scope'] as const;
const URGENT: readonly string[] = ['broken', 'error', 'not exercised'];

const mark = (verdict: string, text = verdict): string => (URGENT.includes(verdict) ? `**${text}**` : text);

/** A suite in a row: how many of its claims have which verdict, and how far it was explored. */
function suiteRow(s: SuiteReport): string {
  const verdicts = VERDICTS.flatMap((v) => {
    const n = s.claims.filter((c) => c.verdict === v).length;
    return n > 0 ? [mark(v, `${n} ${v}`)] : [];
  });
  const counterparts = s.claims.flatMap((c) => c.counterparts);
  const broke = counterparts.filter((p) => p.outcome === 'broke').length;
  const run = s.exhaustive;
  const states = run ? `${run.verdict === 'complete' ? '' : 'cut short, '}${counted(run.states, 'state')}` : '-';
  const teeth = counterparts.length > 0 ? `${broke} of ${counterparts.length}` : '-';
  return `| ${markdownText(s.name)} | ${verdicts.join(', ') || 'none'} | ${states} | ${broke < counterparts.length ? `**${teeth}**` : teeth} |\n`;
}

/** The claims of a suite, one line a verdict. */
function claimLines(s: SuiteReport): string[] {
  return VERDICTS.flatMap((v) => {
    const claims = s.claims.filter((c) => c.verdict === v);
    const told = claims.map((c) => markdownText(c.says)).join('; ');
    return claims.length > 0 ? [`- ${markdownText(s.name)}, ${mark(v)}: ${told}\n`] : [];
  });
}

/** What several suites leave out alike, once; the rest by suite. */
function untested(report: Report): string[] {
  const suitesOf = new Map<string, string[]>();
  for (const s of report.suites) {
    for (const line of together(s.notTested.filter((l) => !l.startsWith('assumed: ')))) note(line, s.name);
    for (const line of s.notTested.filter((l) => l.startsWith('assumed: '))) note(line, s.name);
  }
  function note(line: string, suite: string): void {
    suitesOf.set(line, [...(suitesOf.get(line) ?? []), suite]);
  }
  const rank = (line: string): number => (line.startsWith('assumed: ') ? 1 : 0);
  // Of many suites, what a single one assumes is found where that suite is looked up.
  const own = (entry: readonly [string, readonly string[]]): boolean =>
    report.suites.length > MANY_SUITES && rank(entry[0]) === 1 && entry[1].length === 1;
  const left = [...suitesOf].filter(own).length;
  const lines = [...suitesOf]
    .filter((entry) => !own(entry))
    .sort((a, b) => rank(a[0]) - rank(b[0]) || b[1].length - a[1].length)
    .map(([line, suites]) => {
      const who = suites.length > MAX_NAMED ? counted(suites.length, 'suite') : suites.map(markdownText).join(', ');
      return `- ${markdownText(line)} (${who})\n`;
    });
  const rest = `- and ${counted(left, 'assumption')} of a single suite each, beside its claims in report\\.html\n`;
  return left > 0 ? [...lines, rest] : lines;
}

/** From here on a summary does not list what only one suite assumes. */
const MANY_SUITES = 20;

/** Suites that are named beside what they leave out; more are counted. */
const MAX_NAMED = 4;

function folded(title: string, lines: readonly string[]): string[] {
  return lines.length > 0 ? [`\n<details><summary>${title}</summary>\n\n`, ...lines, '\n</details>\n'] : [];
}

/** Whole blocks up to the limit, then a line that says what is missing. */
function cutTo(blocks: readonly string[], mostBytes: number): string {
  const reserve = 200;
  let text = '';
  let bytes = 0;
  for (const [i, block] of blocks.entries()) {
    const more = Buffer.byteLength(`${block}\n`);
    if (bytes + more > mostBytes - reserve) {
      const open = text.split('<details>').length > text.split('</details>').length;
      const end = open ? '\n</details>\n' : '\n';
      return `${text}${end}\n**Cut here: ${counted(blocks.length - i, 'entry', 'entries')} left out; everything is in report.json.**\n`;
    }
    // Rows of a table and lines of a list must follow one another.
    text += block.startsWith('|') || block.startsWith('- ') ? block : `${text === '' ? '' : '\n'}${block}`;
    bytes += more;
  }
  return text;
}

/**
 * Workflow commands that GitHub shows beside the lines of a pull request: at most ten, worst first.
 * @param roots where the report was made, and the folder that paths are told from: the repository's
 */
export function annotations(report: Report, roots: Roots = { from: '/', root: '/' }): string[] {
  return problemsOf(report)
    .slice(0, MAX_ANNOTATIONS)
    .map((p) => {
      const place = p.place ? `file=${property(toldFrom(p.place.file, roots))},line=${p.place.line},` : '';
      return `::${p.level} ${place}title=${property(`Ringfence: ${p.suite}: ${p.kind}`)}::${data(printable(p.says.slice(0, MAX_TEXT)))}`;
    });
}

const data = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
const property = (text: string): string => data(printable(text)).replace(/:/g, '%3A').replace(/,/g, '%2C');
