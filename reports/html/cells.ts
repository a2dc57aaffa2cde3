/** The cells of the claims table: what one kind of evidence is worth for one claim. */
import type { ClaimReport } from '../claims.js';
import type { SuiteReport } from '../report.js';
import { counted } from '../text.js';

export type Worth =
  | 'proved within scope'
  | 'sampled'
  | 'not exercised'
  | 'broken'
  | 'not contained'
  | 'error'
  | 'no concern';

export interface Cell {
  readonly worth: Worth;
  /** Figures behind it. */
  readonly detail: string;
}

const none: Cell = { worth: 'no concern', detail: '' };

/** The columns, in order; the counterparts have a column of their own. */
export const EVIDENCE_COLUMNS = ['Exhaustive', 'Two runs, progress', 'Failures', 'Random'] as const;

export function evidenceCells(s: SuiteReport, c: ClaimReport): readonly Cell[] {
  if (c.expects === 'not contained') return [openCell(c), none, none, none];
  return [exhaustiveCell(s, c), furtherCell(s, c), failureCell(s, c), randomCell(s, c)];
}

function openCell(c: ClaimReport): Cell {
  const detail = c.breach ? `breaks, as expected, in ${counted(c.breach.length, 'step')}: ${c.breach.why}` : '';
  return { worth: c.verdict, detail };
}

function brokenBy(s: SuiteReport, c: ClaimReport, ...by: readonly string[]): Cell | undefined {
  const found = s.findings.filter((f) => by.includes(f.foundBy) && c.properties.includes(f.property));
  if (found.length === 0) return undefined;
  const shortest = Math.min(...found.map((f) => f.length));
  return {
    worth: 'broken',
    detail: `${counted(found.length, 'finding')}, the shortest after ${counted(shortest, 'step')}`,
  };
}

function exhaustiveCell(s: SuiteReport, c: ClaimReport): Cell {
  const broken = brokenBy(s, c, 'exhaustive');
  if (broken) return broken;
  const run = s.exhaustive;
  if (!c.evidence.includes('exhaustive') || !run) {
    const elsewhere = c.evidence.includes('two runs') || c.evidence.includes('progress');
    return elsewhere ? none : { worth: 'not exercised', detail: '' };
  }
  const states = counted(run.states, 'state');
  if (c.missingWitnesses.length > 0) return { worth: 'not exercised', detail: 'its witnesses were not reached' };
  if (run.verdict === 'complete') return { worth: 'proved within scope', detail: `${states}, depth ${run.depth}` };
  return { worth: 'sampled', detail: `${states}, cut short by ${run.truncatedBy}` };
}

function furtherCell(s: SuiteReport, c: ClaimReport): Cell {
  const broken = brokenBy(s, c, 'two runs');
  if (broken) return broken;
  const kinds = c.evidence.filter((e) => e === 'two runs' || e === 'progress');
  if (kinds.length === 0) return none;
  const proved = c.verdict === 'proved within scope';
  return { worth: proved ? 'proved within scope' : 'sampled', detail: kinds.join(', ') };
}

function failureCell(s: SuiteReport, c: ClaimReport): Cell {
  const broken = brokenBy(s, c, 'fail-nth');
  if (broken) return broken;
  if (!c.evidence.includes('fail-nth')) return none;
  const failed = s.failNth.reduce((n, r) => n + r.failed, 0);
  const complete = s.failNth.every((r) => r.verdict === 'complete');
  return { worth: complete ? 'proved within scope' : 'sampled', detail: `${counted(failed, 'injected failure')}` };
}

function randomCell(s: SuiteReport, c: ClaimReport): Cell {
  const broken = brokenBy(s, c, 'random');
  if (broken) return broken;
  if (c.evidence.includes('random') && s.random) {
    return { worth: 'sampled', detail: `${counted(s.random.runs, 'run')}, ${counted(s.random.executed, 'step')}` };
  }
  return s.random === null ? { worth: 'not exercised', detail: '' } : none;
}
