/** What a reader wants to know in half a minute: the answer, its scope, and what was not tested. */
import { match } from 'ts-pattern';
import type { Report } from '../report.js';
import { summary } from '../terminal.js';
import { counted, grouped } from '../text.js';
import { cutList, scopeText } from './claimsSection.js';
import { html, type Markup } from './markup.js';

const ASSUMED = 'assumed: ';
const MAX_LINES = 30;

/** Further things that were not done, beside those that the suites tell. */
export interface Gaps {
  readonly fastpath: boolean;
  readonly targets: boolean;
}

export function topSection(report: Report): Markup {
  const { tone, head, says } = match(report.verdict)
    .with('holds', () => ({
      tone: 'good',
      head: 'Holds',
      says: 'Nothing broke that was claimed to hold, and every claim was exercised. Read the scope and what was not tested before relying on it.',
    }))
    .with('broken', () => ({
      tone: 'bad',
      head: 'Broken',
      says: 'A property broke, a check turned out to have no teeth, or a claim was checked in vain.',
    }))
    .with('error', () => ({
      tone: 'bad',
      head: 'Error',
      says: 'A suite could not be run to its end. Nothing is claimed for it.',
    }))
    .with('partial', () => ({ tone: 'idle', head: 'Partial', says: 'The run ended before every claim was exercised.' }))
    .exhaustive();
  const claims = report.suites.flatMap((s) => s.claims);
  const of = (verdict: string): number => claims.filter((c) => c.verdict === verdict).length;
  const findings = report.suites.reduce((n, s) => n + s.findings.length, 0);
  const figures: readonly (readonly [string, number, string])[] = [
    ['proved within scope', of('proved within scope'), 'good'],
    ['sampled', of('sampled'), 'part'],
    ['not exercised', of('not exercised'), 'idle'],
    ['broken', of('broken') + of('error'), 'bad'],
    ['findings', findings, 'bad'],
  ];
  return html`<header class="top ${tone}"><p class="kind">Ringfence isolation report</p><h1>${head}</h1><p>${says}</p>
<dl class="figures">${figures.map(
    ([name, n, t]) => html`<div class="${n > 0 ? t : 'none'}"><dt>${name}</dt><dd>${grouped(n)}</dd></div>`,
  )}</dl>
<p class="quiet">${summary(report)}</p>
<p class="quiet">ringfence ${report.ringfence}, seed ${report.inputs.seed}, ${counted(report.inputs.runs, 'random run')} a suite${
    report.inputs.timeMs !== null && html`, limited to ${report.inputs.timeMs / 1000} s`
  }</p>
${
  report.errors.length > 0 &&
  cutList(
    report.errors.map((e) => html`<span class="bad">${e.code}: ${e.says}</span>`),
    'errors',
  )
}
</header>`;
}

/** Lines that begin alike as one: `never performed: domain.create, mmu.pin`. */
export function together(lines: readonly string[]): string[] {
  const groups = new Map<string, Set<string>>();
  for (const line of lines) {
    const colon = line.indexOf(': ');
    const head = colon < 0 ? line : line.slice(0, colon);
    const members = groups.get(head) ?? new Set();
    groups.set(head, members);
    if (colon >= 0) members.add(line.slice(colon + 2));
  }
  return [...groups].map(([head, members]) => (members.size === 0 ? head : `${head}: ${[...members].join(', ')}`));
}

/** Whatever the result does not cover. */
export function untestedSection(report: Report, gaps: Gaps): Markup {
  const general = [
    ...(gaps.targets ? ['no real implementation was driven in lockstep with the specification'] : []),
    ...(gaps.fastpath ? ['allocation on the fast path was not measured'] : []),
  ];
  const blocks = report.suites.map((s) => ({ s, lines: together(s.notTested.filter((l) => !l.startsWith(ASSUMED))) }));
  const open = blocks.filter(({ lines }) => lines.length > 0);
  return html`<section id="untested"><h2>What was not tested</h2>
${general.length > 0 && html`<ul>${general.map((l) => html`<li>${l}</li>`)}</ul>`}
<div class="columns">${open.map(
    ({ s, lines }) =>
      html`<article><h3>${s.name}</h3>${cutList(
        lines.map((l) => html`${l}`),
        'lines',
        MAX_LINES,
      )}</article>`,
  )}</div>
<p>Beyond the scopes nothing is claimed: ${report.suites.map((s, i) => html`${i > 0 && '; '}<b>${s.name}</b> ${scopeText(s.scope)}`)}.</p></section>`;
}

/** What the specification takes for granted. */
export function assumptionsSection(report: Report): Markup {
  const blocks = report.suites.map((s) => ({
    s,
    lines: s.notTested.filter((l) => l.startsWith(ASSUMED)).map((l) => l.slice(ASSUMED.length)),
  }));
  return html`<section id="assumptions"><h2>Assumptions</h2><div class="columns">${blocks.map(
    ({ s, lines }) =>
      html`<article><h3>${s.name}</h3>${
        lines.length > 0
          ? cutList(
              lines.map((l) => html`${l}`),
              'lines',
              MAX_LINES,
            )
          : html`<p>none stated</p>`
      }</article>`,
  )}</div></section>`;
}
