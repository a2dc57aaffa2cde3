/**
 * Line and branch coverage of the specifications in the page, beside the coverage of what they mean: folder by folder, and whatever no suite
 * reaches with the reason why.
 */
import type { Coverage, Hole } from '../coverage.js';
import type { FileCoverage, Share } from '../lcov.js';
import { MAX_OPEN } from './claimsSection.js';
import { html, type Markup } from './markup.js';

/** More would make the page slow; the list of reasons has them all. */
const MAX_HOLES = 1000;
const COUNTS = ['Lines', 'Branches', 'Functions'] as const;

const folderOf = (file: string): string => file.slice(0, file.lastIndexOf('/'));
const nameOf = (file: string): string => file.slice(file.lastIndexOf('/') + 1);
const sharesOf = (f: FileCoverage): readonly Share[] => [f.lines, f.branches, f.functions];
const sum = (shares: readonly Share[]): Share =>
  shares.reduce((a, b) => ({ found: a.found + b.found, hit: a.hit + b.hit }), { found: 0, hit: 0 });
const percent = ({ found, hit }: Share): string => (found === 0 ? '-' : `${((100 * hit) / found).toFixed(1)} %`);

/** The section: figures, then a block for each folder. */
export function linesSection(c: Coverage): Markup {
  const folders = [...new Set(c.files.map((f) => folderOf(f.file)))].sort();
  const shown = c.holes.slice(0, MAX_HOLES);
  const left = c.holes.length - shown.length;
  const bare = c.holes.filter((h) => h.reason === null).length;
  return html`<article><h3>Source lines of the specifications, as the suites exercise them</h3>
<p>${c.lines.toFixed(1)} % of lines, ${c.branches.toFixed(1)} % of branches; ${String(c.holes.length)} branches and functions that no suite reaches, ${
    bare > 0 ? html`<span class="idle">${String(bare)} of them without a reason</span>` : 'each with its reason'
  }.</p>
${folders.map((folder) => {
  const files = c.files.filter((f) => folderOf(f.file) === folder);
  const holes = shown.filter((h) => folderOf(h.file) === folder);
  const words = COUNTS.slice(0, 2).map(
    (name, i) => `${percent(sum(files.map((f) => sharesOf(f)[i] ?? f.lines)))} of ${name.toLowerCase()}`,
  );
  return html`<details class="suite"${folders.length <= MAX_OPEN && html` open`}><summary><b>${folder}</b> <span class="quiet">${files.length} files, ${words.join(', ')}${
    holes.length > 0 && html`, ${holes.length} not reached`
  }</span>${holes.some((h) => h.reason === null) && html` <span class="chip idle">without a reason</span>`}</summary>
${holes.length > 0 && holesTable(holes)}${filesTable(files)}</details>`;
})}${left > 0 && html`<p class="cut">and ${left} more that no suite reaches</p>`}</article>`;
}

function filesTable(files: readonly FileCoverage[]): Markup {
  return html`<div class="scroll"><table class="cards counts"><thead><tr><th scope="col">File</th>${COUNTS.map(
    (name) => html`<th scope="col" class="number">${name}</th>`,
  )}</tr></thead><tbody>${files.map(
    (f) =>
      html`<tr><th scope="row"><code>${nameOf(f.file)}</code></th>${sharesOf(f).map(
        (share, i) =>
          html`<td data-label="${COUNTS[i]}" class="number"><span>${percent(share)} <small>${share.hit}/${share.found}</small></span></td>`,
      )}</tr>`,
  )}</tbody></table></div>`;
}

const HEAD = ['Not reached', 'In', 'Why'] as const;

function holesTable(holes: readonly Hole[]): Markup {
  return html`<div class="scroll"><table class="cards"><thead><tr>${HEAD.map((h) => html`<th scope="col">${h}</th>`)}</tr></thead><tbody>${holes.map(
    (h) => html`<tr><th scope="row"><code>${h.text.slice(h.text.lastIndexOf('\n') + 1)}</code></th>
<td data-label="${HEAD[1]}"><code>${nameOf(h.file)}:${h.line}</code> ${h.within}</td>
<td data-label="${HEAD[2]}">${h.reason === null ? html`<span class="idle">no reason given</span>` : h.reason}</td></tr>`,
  )}</tbody></table></div>`;
}
