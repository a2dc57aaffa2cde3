/** Everything that is made of a report: the page, JUnit, SARIF and the summary. Equal inputs give equal bytes. */
import type { FastpathSheet } from '../explore/fastpath/sheet.js';
import type { Coverage } from './coverage.js';
import { linesSection } from './html/linesSection.js';
import type { Retold } from './html/pack.js';
import { reportPage } from './html/page.js';
import type { AttackReport } from './html/targetSection.js';
import { junitText } from './junit.js';
import { markdownSummary } from './markdown.js';
import type { Matrix } from './matrix.js';
import type { Roots } from './places.js';
import type { Report } from './report.js';
import { sarifText } from './sarif.js';

export interface DocumentInputs {
  readonly report: Report;
  /** Text of the trace files that the report names, by file name. */
  readonly traces: ReadonlyMap<string, string>;
  /** Memory maps and the like, by trace file. */
  readonly retold: ReadonlyMap<string, Retold>;
  readonly fastpath: FastpathSheet | undefined;
  readonly coverage: Coverage | undefined;
  readonly matrix: Matrix | undefined;
  readonly attacks: readonly AttackReport[];
  /** The report's folder as its reader would type it: `ringfence-report`. */
  readonly folder: string;
  /** Where the report was made, and the folder that source paths are told from. */
  readonly roots: Roots;
}

/** The names of the documents. */
export const DOCUMENTS = ['report.html', 'junit.xml', 'report.sarif', 'summary.md'] as const;

/** The documents' texts, by file name. */
export function documentsOf(o: DocumentInputs): Map<(typeof DOCUMENTS)[number], string> {
  const folder = `${o.folder.replaceAll('\\', '/').replace(/\/$/, '')}/traces/`;
  const page = reportPage({
    report: o.report,
    traces: o.traces,
    retold: o.retold,
    folder,
    ...(o.fastpath && { fastpath: o.fastpath }),
    ...(o.matrix && { matrix: o.matrix }),
    attacks: o.attacks,
    ...(o.coverage && { lines: linesSection(o.coverage) }),
  });
  return new Map([
    ['report.html', page],
    ['junit.xml', junitText(o.report, folder)],
    ['report.sarif', sarifText(o.report, o.roots)],
    ['summary.md', markdownSummary(o.report, folder)],
  ]);
}
