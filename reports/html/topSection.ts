/** What a reader wants to know in half a minute: the answer, its scope, and what was not tested. */
import { match } from 'ts-pattern';
import type { Report } from '../report.js';
import { summary } from '../terminal.js';
import { counted, grouped, together } from '../text.js';
import { bySuite, cutList, scopeText } from './claimsSection.js';
import { html, Markup } from './markup.js';

const ASSUMED = 'assumed: ';
const MAX_LINES = 30;

/** Further things that were not done, beside those that the suites tell. */
export interface Gaps {
  readonly fastpath: boolean;
  readonly targets: boolean;
}

export function topSection(report: Report, gaps: Gaps): Markup {
  const { tone, head, says } = match(report.verdict)
    .with('holds', () => ({
      tone: 'good',
      head: 'Holds',
      says: 'Nothing broke that was claimed to hold, and every claim was exercised.',
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
    ['not contained', of('not contained'), 'open'],
    ['sampled', of('sampled'), 'part'],
    ['not exercised', of('not exercised'), 'idle'],
    ['broken', of('broken') + of('error'), 'bad'],
    ['findings', findings, 'bad'],
  ];
  return html`<header class="top ${tone}"><p class="kind">Ringfence isolation report</p><h1>${head}</h1><p>${says}</p>
<dl class="figures">${figures.map(
    ([name, n, t]) => html`<div class="${n > 0 ? t : 'none'}"><dt>${name}</dt><dd>${grouped(n)}</dd></div>`,
  )}</dl>
${
  report.errors.length > 0 &&
  cutList(
    report.errors.map((e) => html`<span class="bad">${e.code}: ${e.says}</span>`),
    'errors',
  )
}
${answers(report, gaps)}
<p class="quiet">${summary(report)}; ringfence ${report.ringfence}, seed ${report.inputs.seed}, ${counted(report.inputs.runs, 'random run')} a suite${
    report.inputs.timeMs !== null && html`, limited to ${report.inputs.timeMs / 1000} s`
  }</p>
</header>`;
}

/** Whatever the result does not cover: counted by kind, then suite by suite. */
export function untestedSection(report: Report, gaps: Gaps): Markup {
  const blocks = report.suites.map((s) => ({ s, lines: together(s.notTested.filter((l) => !l.startsWith(ASSUMED))) }));
  const open = blocks.filter(({ lines }) => lines.length > 0);
  const general = [...gapsOf(gaps).map((text) => html`${text}`), ...kinds(report)];
  return html`<section id="untested"><h2>What was not tested</h2>
${general.length > 0 && html`<ul>${general.map((l) => html`<li>${l}</li>`)}</ul>`}
${bySuite(
  open.length,
  'suites with gaps, each by name',
  html`<div class="columns">${open.map(
    ({ s, lines }) =>
      html`<article data-suite="${s.name}"><h3>${s.name}</h3>${cutList(
        lines.map((l) => html`${l}`),
        'lines',
        MAX_LINES,
      )}</article>`,
  )}</div>`,
)}
${bySuite(
  report.suites.length,
  'scopes, beyond which nothing is claimed',
  html`<ul class="columns">${report.suites.map((s) => html`<li data-suite="${s.name}"><b>${s.name}</b> ${scopeText(s.scope)}</li>`)}</ul>`,
)}</section>`;
}

/** Gaps of all suites by kind; those that weaken a claim first. */
function kinds(report: Report): Markup[] {
  const told: readonly (readonly [string, string])[] = [
    ['cut short by ', 'an exploration was cut short in'],
    ['never reached: ', 'a premise was never reached in'],
    ['no exhaustive run', 'there was no exhaustive run in'],
    ['no counterpart: ', 'a claim has no counterpart in'],
    ['counterpart not run', 'a counterpart was not run to its end in'],
    ['never performed: ', 'some operation was never performed in'],
    ['never failed: ', 'some failure site never failed in'],
    ['random runs did not', 'random runs missed a breach that the exhaustive run found in'],
    ['breaches only: ', 'only breaches were looked for, and nothing is proved, in'],
  ];
  return told.flatMap(([begins, says]) => {
    const names = report.suites.filter((s) => s.notTested.some((l) => l.startsWith(begins))).map((s) => s.name);
    const which = names.length > 3 ? '' : `: ${names.join(', ')}`;
    return names.length > 0 ? [html`${says} ${counted(names.length, 'suite')}${which}`] : [];
  });
}

function gapsOf(gaps: Gaps): string[] {
  return [
    ...(gaps.targets ? ['no real implementation was driven in lockstep with the specification'] : []),
    ...(gaps.fastpath ? ['allocation on the fast path was not measured'] : []),
  ];
}

/** Is it contained, within which scope and on which assumptions, and what was not tested: a sentence each. */
function answers(report: Report, gaps: Gaps): Markup {
  const { suites } = report;
  const claims = suites.flatMap((s) => s.claims);
  const counterparts = claims.flatMap((c) => c.counterparts);
  const proved = claims.filter((c) => c.verdict === 'proved within scope').length;
  const open = claims.filter((c) => c.verdict === 'not contained').length;
  const complete = suites.filter((s) => s.exhaustive?.verdict === 'complete');
  const states = complete.reduce((n, s) => n + (s.exhaustive?.states ?? 0), 0);
  const split = suites.filter((s) => s.schedule === 'split').length;
  const assumed = suites.reduce((n, s) => n + s.notTested.filter((l) => l.startsWith(ASSUMED)).length, 0);
  const never = suites.filter((s) => s.notTested.some((l) => l.startsWith('never '))).length;
  const untested = [
    ...gapsOf(gaps),
    ...(never > 0 ? [`${counted(never, 'suite')} left an operation or a failure untried`] : []),
  ];
  const broke = counterparts.filter((p) => p.outcome === 'broke').length;
  return html`<dl class="answers"><div><dt>Is it contained?</dt><dd>${grouped(proved)} of ${counted(claims.length, 'claim')} proved within scope: ${counted(states, 'reachable state')} visited in ${counted(complete.length, 'complete run')}. With its gate off or a known bug in, the check broke ${grouped(broke)} of ${counted(counterparts.length, 'time')}.${
    open > 0 &&
    html` <a href="#claims" data-filter="not contained">${counted(open, 'claim')}</a> that the designs do not make ${open === 1 ? 'is' : 'are'} shown broken, with a trace.`
  }</dd></div>
<div><dt>Within what?</dt><dd>${ranges(suites)}. Operations are atomic in ${counted(suites.length - split, 'suite')} and interleaved step by step in ${grouped(split)}; ${counted(assumed, 'assumption')} <a href="#assumptions">stated</a>.</dd></div>
<div><dt>What was not tested?</dt><dd>${untested.length > 0 && `${capital(untested.join('; '))}. `}<a href="#untested">All gaps</a></dd></div></dl>`;
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `2 to 4 domains`: the sizes of the sorts that most suites have. */
function ranges(suites: Report['suites']): string {
  const sizes = new Map<string, number[]>();
  for (const s of suites) {
    for (const [sort, n] of Object.entries(s.scope)) if (n > 0) sizes.set(sort, [...(sizes.get(sort) ?? []), n]);
  }
  const most = [...sizes].sort((a, b) => b[1].length - a[1].length).slice(0, 6);
  const told = most.map(([sort, all]) => {
    const [least, top] = [Math.min(...all), Math.max(...all)];
    return `${sort} ${least === top ? top : `${least} to ${top}`}`;
  });
  const names = [...new Set(suites.map((s) => s.scopeName))];
  return `Scope ${names.length > 3 ? 'of the suites' : names.join(', ')}: ${told.join(', ') || 'none'}${sizes.size > 6 ? ' and others' : ''}`;
}

/** What the specification takes for granted. */
export function assumptionsSection(report: Report): Markup {
  const blocks = report.suites.map((s) => ({
    s,
    lines: s.notTested.filter((l) => l.startsWith(ASSUMED)).map((l) => l.slice(ASSUMED.length)),
  }));
  const list = html`<div class="columns">${blocks.map(
    ({ s, lines }) =>
      html`<article data-suite="${s.name}"><h3>${s.name}</h3>${
        lines.length > 0
          ? cutList(
              lines.map((l) => html`${l}`),
              'lines',
              MAX_LINES,
            )
          : html`<p>none stated</p>`
      }</article>`,
  )}</div>`;
  const common = together(blocks.flatMap(({ lines }) => lines.map((l) => html`${l}`.text)));
  const often = [...new Set(common)]
    .map((text) => ({ text, n: blocks.filter(({ lines }) => lines.some((l) => html`${l}`.text === text)).length }))
    .filter(({ n }) => n > 3)
    .sort((a, b) => b.n - a.n)
    .slice(0, 12);
  return html`<section id="assumptions"><h2>Assumptions</h2>
${often.length > 0 && html`<p class="lead">What the specifications take for granted; these are shared by several suites.</p><ul>${often.map(({ text, n }) => html`<li>${new Markup(text)} <small>${counted(n, 'suite')}</small></li>`)}</ul>`}
${bySuite(blocks.length, 'suites, each with what it assumes', list)}</section>`;
}
