/** summary.md for a step summary, and annotations for a pull request: short, worst first, and cut where the readers' limits are. */
import { match } from 'ts-pattern';
import { evidenceWords } from './evidenceWords.js';
import { problemsOf } from './problems.js';
import type { Report } from './report.js';
import { summary } from './terminal.js';
import { counted, printable } from './text.js';

/** A step summary may have a mebibyte; comments of a pull request may have 65,536 characters. */
export const MAX_MARKDOWN_BYTES = 64_000;
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
  const rows = report.suites.flatMap((s) =>
    s.claims.map(
      (c) => `| ${markdownText(s.name)} | ${markdownText(c.says)} | ${mark(c.verdict)} | ${evidenceWords(c)} |\n`,
    ),
  );
  if (rows.length > 0)
    blocks.push('### Claims\n\n| suite | claim | verdict | evidence |\n|---|---|---|---|\n', ...rows);
  const open = report.suites.flatMap((s) => s.notTested.map((l) => `- ${markdownText(s.name)}: ${markdownText(l)}\n`));
  if (open.length > 0)
    blocks.push('\n<details><summary>Not tested, and assumed</summary>\n\n', ...open, '\n</details>\n');
  return cutTo(blocks, MAX_MARKDOWN_BYTES);
}

function mark(verdict: string): string {
  return verdict === 'broken' || verdict === 'error' || verdict === 'not exercised' ? `**${verdict}**` : verdict;
}

/** Whole blocks up to the limit, then a line that says what is missing. */
function cutTo(blocks: readonly string[], mostBytes: number): string {
  const reserve = 200;
  let text = '';
  let bytes = 0;
  for (const [i, block] of blocks.entries()) {
    const more = Buffer.byteLength(`${block}\n`);
    if (bytes + more > mostBytes - reserve) {
      const end = text.includes('<details>') ? '\n</details>\n' : '\n';
      return `${text}${end}\n**Cut here: ${counted(blocks.length - i, 'entry', 'entries')} left out; everything is in report.json.**\n`;
    }
    // Rows of a table and lines of a list must follow one another.
    text += block.startsWith('|') || block.startsWith('- ') ? block : `${text === '' ? '' : '\n'}${block}`;
    bytes += more;
  }
  return text;
}

/** Workflow commands that GitHub shows beside the lines of a pull request: at most ten, worst first. */
export function annotations(report: Report): string[] {
  return problemsOf(report)
    .slice(0, MAX_ANNOTATIONS)
    .map((p) => {
      const place = p.place ? `file=${property(p.place.file)},line=${p.place.line},` : '';
      return `::${p.level} ${place}title=${property(`Ringfence: ${p.suite}: ${p.kind}`)}::${data(printable(p.says.slice(0, MAX_TEXT)))}`;
    });
}

const data = (text: string): string => text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
const property = (text: string): string => data(printable(text)).replace(/:/g, '%3A').replace(/,/g, '%2C');
