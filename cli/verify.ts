/** `ringfence verify`: runs the suites' campaigns, tells of each claim when it is settled, and writes the report. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { env } from 'node:process';
import { Campaign, type CampaignState, type SourceError } from '../explore/campaign/campaign.js';
import { chooseScopes } from '../explore/campaign/scope.js';
import { isSettled, settle } from '../reports/claims.js';
import { compactLines, fitsInFull, settledLines } from '../reports/compact.js';
import { problemsOf } from '../reports/problems.js';
import { makeReport, type Report, reportText } from '../reports/report.js';
import { checkFolder, saveReport } from '../reports/save.js';
import { inShard } from '../reports/shards.js';
import { claimLines, reportLines, summary, whereOf } from '../reports/terminal.js';
import { counted, printable } from '../reports/text.js';
import { ratesOf, timingsText } from '../reports/timings.js';
import { Console } from './console.js';
import { complain, EXIT, failWith } from './exit.js';
import { shown } from './folder.js';
import { onInterrupt } from './interrupt.js';
import { hasArchitectures, writeMatrix } from './matrix.js';
import { DEFAULTS, type VerifyOptions } from './options.js';
import { ProgressLine } from './progressLine.js';
import { makeDocuments } from './report.js';
import { retell } from './retold.js';
import { suitesFor } from './suites.js';
import { exitCodeOfReport } from './verdict.js';
import { version } from './version.js';

/** Findings and replay lines that are printed when there are many. */
const MAX_TOLD = 10;

/** Runs the command; the exit code. */
export async function verify(args: readonly string[], o: VerifyOptions): Promise<number> {
  const out = new Console(o);
  const aborted = new AbortController();
  let campaign: Campaign | undefined;
  const release = onInterrupt(() => {
    out.clear();
    aborted.abort();
    campaign?.interrupt();
  });
  const onOutput = (text: string): void => out.note(text.trimEnd());
  const began = performance.now();
  if (env.NODE_V8_COVERAGE)
    out.note('the engine loses the coverage of worker threads, so this run shows none; see "Coverage" in README.md');
  try {
    checkFolder(o.out);
    const running = { workers: o.workers, patienceMs: o.patience, onOutput };
    const { suites, errors } = await suitesFor(args, running, aborted.signal);
    if (aborted.signal.aborted) return EXIT.interrupted;
    const shard = o.shard && { ...o.shard, suites: suites.map((s) => s.name) };
    const chosen = chooseScopes(o.shard ? inShard(suites, o.shard) : suites, o.scope);
    const elapsed = performance.now() - began;
    campaign = new Campaign(chosen, {
      ...running,
      timeMs: o.time === undefined ? undefined : Math.max(1, o.time - elapsed),
      runs: o.runs,
      seed: o.seed,
      checkpoints: join(o.out, 'checkpoints'),
      resume: o.resume,
    });
    const state = await watch(campaign, out, o);
    return await finish(state, errors, out, { ...o, ...(shard && { whole: shard }) }, performance.now() - began);
  } catch (thrown) {
    out.clear();
    return aborted.signal.aborted ? EXIT.interrupted : failWith(thrown);
  } finally {
    release();
  }
}

/** Runs the campaign with a progress line, and tells of each claim as soon as it is settled. */
async function watch(campaign: Campaign, out: Console, o: VerifyOptions): Promise<CampaignState> {
  const line = new ProgressLine(campaign, o.time, timingsBefore(o.out));
  const timer = setInterval(() => out.progress(line.text()), 200);
  const told = new Set<string>();
  campaign.onAnswer = (run, _job, answer) => {
    if (answer.kind === 'skipped') return;
    run.chosen.suite.claims.forEach((_, i) => {
      const key = `${run.chosen.suite.name}/${i}`;
      if (told.has(key) || !isSettled(run, i)) return;
      told.add(key);
      const main = run.answers.get(`${run.chosen.suite.name}/exhaustive`);
      const exhaustive = main?.kind === 'exhaustive' ? main : null;
      const where = whereOf({ exhaustive, scopeName: run.chosen.scopeName }, ratesOf(run));
      const tell = o.verbose ? claimLines : settledLines;
      out.lines(tell(run.chosen.suite.name, settle(run, i), where, out.page));
    });
  };
  try {
    return await campaign.run();
  } finally {
    clearInterval(timer);
    out.clear();
  }
}

async function finish(
  state: CampaignState,
  errors: readonly SourceError[],
  out: Console,
  o: VerifyOptions & { readonly whole?: NonNullable<Report['shard']> },
  wallMs: number,
): Promise<number> {
  const inputs = { version, seed: o.seed, runs: o.runs, timeMs: o.time, ...(o.whole && { shard: o.whole }) };
  const { report, traces } = makeReport(state, errors, inputs);
  const text = reportText(report);
  const rates = new Map(state.runs.map((r) => [r.chosen.suite.name, ratesOf(r)]));
  const tell = o.verbose || fitsInFull(report.suites) ? reportLines : compactLines;
  out.lines(tell(report, out.page, rates));
  out.always(['', paintSummary(report, out)]);
  out.json(text);
  for (const e of report.errors) complain(e.code, about(e.module, e.says));
  for (const s of report.suites) if (s.error) complain(s.error.code, about(s.name, s.error.says));
  let code = exitCodeOfReport(report);
  try {
    // What was measured or made of an earlier run says nothing of the specification as it is now.
    for (const name of ['fastpath.json', 'matrix.json', 'matrix.md']) rmSync(join(o.out, name), { force: true });
    if (hasArchitectures(report)) writeMatrix(report, o.out);
    // Whoever interrupts does not want to wait for pictures.
    const retold = state.stopped === 'interrupt' ? undefined : await retell(report, traces, DEFAULTS);
    const documents = makeDocuments(report, traces, o.out, retold);
    saveReport(o.out, { report: text, traces, timings: timingsText(state, o.workers, wallMs), documents });
    const folder = shown(o.out);
    const breaches = report.suites.flatMap((s) => s.findings);
    // Whoever wants few words wants these.
    if (o.quiet && !o.json) {
      const wrong = problemsOf(report).filter((p) => p.level === 'error' && p.kind !== 'error');
      out.always(wrong.slice(0, MAX_TOLD).map((p) => printable(`${p.suite}: ${p.says}`)));
    }
    out.lines([`report: ${join(folder, 'report.html')}, took ${(wallMs / 1000).toFixed(1)} s on ${o.workers} workers`]);
    for (const f of breaches.slice(0, MAX_TOLD))
      out.always([`replay: npx ringfence replay ${join(folder, 'traces', f.trace)}`]);
    if (state.checkpoints.length > 0) {
      out.always([
        `${counted(state.checkpoints.length, 'unfinished run')} kept; to go on, give the same command and --resume`,
      ]);
    }
  } catch (thrown) {
    // The result was printed; a breach is still the more important news.
    const failed = failWith(thrown);
    if (code === EXIT.holds || code === EXIT.interrupted) code = failed;
  }
  return code;
}

/** Says whom it is about, unless it does so itself. */
function about(who: string, says: string): string {
  return says.includes(who) ? says : `${who}: ${says}`;
}

function paintSummary(report: Report, out: Console): string {
  const { style } = out.page;
  const paint = { holds: style.green, broken: style.red, error: style.red, partial: style.yellow }[report.verdict];
  return paint(summary(report));
}

/** How long jobs took in the previous run, by id: the best guess of how long they take now. */
function timingsBefore(folder: string): ReadonlyMap<string, number> {
  const path = join(folder, 'timings.json');
  if (!existsSync(path)) return new Map();
  try {
    const read: unknown = JSON.parse(readFileSync(path, 'utf8'));
    const jobs = typeof read === 'object' && read !== null && 'jobs' in read ? read.jobs : undefined;
    if (!Array.isArray(jobs)) return new Map();
    return new Map(
      jobs.flatMap((j): [string, number][] =>
        typeof j?.id === 'string' && typeof j?.tookMs === 'number' ? [[j.id, j.tookMs]] : [],
      ),
    );
  } catch {
    return new Map();
  }
}
