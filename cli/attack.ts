/** `ringfence attack`: lets random attacks loose on a real target, in lockstep with its specification. */
import { createHash } from 'node:crypto';
import { join, relative } from 'node:path';
import { type LockstepTrace, readLockstepTrace, writeLockstepTrace } from '../drivers/qemu/traceFile.js';
import { type AttackResult, attackQemuVtd, replayOnQemuVtd } from '../explore/attackQemuVtd.js';
import { CampaignError } from '../explore/campaign/errors.js';
import { checkFolder, saveReport } from '../reports/save.js';
import { counted, grouped, hang, printable } from '../reports/text.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { onInterrupt } from './interrupt.js';
import { nearest } from './nearest.js';
import type { CommonOptions } from './options.js';
import { TARGETS } from './targets.js';
import { version } from './version.js';

export interface AttackOptions extends CommonOptions {
  readonly qemu: string;
  readonly time: number;
  readonly runs?: number;
  readonly seed: number;
}

/** Runs the command; the exit code. */
export async function attack(target: string, o: AttackOptions): Promise<number> {
  const out = new Console(o);
  let stop = false;
  const release = onInterrupt(() => {
    // A target may take longer than a user will wait: it is ended when the process is, so nothing is left behind.
    if (stop) return;
    stop = true;
    setTimeout(() => process.exit(EXIT.interrupted), 900).unref();
  });
  try {
    checkTarget(target);
    const folder = join(o.out, `attack-${target}`);
    checkFolder(folder);
    const result = await attackQemuVtd({
      qemuPath: o.qemu,
      timeMs: o.time,
      seed: o.seed,
      runs: o.runs,
      onProgress: (p) => {
        const left = Math.max(0, Math.round(o.time / 1000 - p.seconds));
        const rate = grouped(p.programs / Math.max(0.001, p.seconds));
        out.progress(
          `${counted(p.programs, 'program')}, ${counted(p.steps, 'step')} | ${rate} programs/s | ${left} s left`,
        );
      },
      shouldStop: () => stop,
    });
    const traces = new Map(
      result.findings.map((f) => [traceName(target, f.mechanism, f.trace), writeLockstepTrace(f.trace)]),
    );
    const text = `${JSON.stringify(stable(target, result, o), undefined, 2)}\n`;
    out.json(text);
    out.lines(resultLines(target, result, out));
    out.always([summary(target, result, out)]);
    const { seconds, rates } = result;
    const timings = `${JSON.stringify({ format: 'ringfence-timings', version: 1, seconds, rates }, undefined, 2)}\n`;
    saveReport(folder, { report: text, traces, timings, documents: new Map() });
    out.lines([`report: ${relative(process.cwd(), join(folder, 'report.json'))}`]);
    for (const name of traces.keys()) {
      out.always([`replay: npx ringfence replay ${relative(process.cwd(), join(folder, 'traces', name))}`]);
    }
    return exitCode(result);
  } catch (thrown) {
    out.clear();
    return failWith(thrown);
  } finally {
    release();
  }
}

/** Replays the trace of an attack on a fresh target; the exit code: 1 when they still disagree. */
export async function replayAttack(text: string, o: CommonOptions & { readonly qemu?: string }): Promise<number> {
  const out = new Console(o);
  const trace = readLockstepTrace(text);
  out.lines(trace.told.map((step, i) => `${String(i + 1).padStart(3)} ${printable(step)}`));
  const { performed, disagreement, known } = await replayOnQemuVtd(
    trace,
    o.qemu === undefined ? {} : { qemuPath: o.qemu },
  );
  out.json(
    `${JSON.stringify({ performed: performed.length, disagreement: disagreement ?? null, known: [...known.keys()] }, undefined, 2)}\n`,
  );
  for (const [id, { says }] of known) out.lines(hang('known: ', `${id}: ${printable(says)}`, out.page.width));
  if (disagreement) {
    const says = `after ${counted(performed.length, 'step')}, ${disagreement.mechanism}: ${disagreement.says}`;
    out.always(hang('', `The target still disagrees ${printable(says)}`, out.page.width).map(out.page.style.red));
    return EXIT.broken;
  }
  out.always([out.page.style.green('The target agrees with the specification, known disagreements apart.')]);
  return EXIT.holds;
}

function checkTarget(name: string): void {
  const names = TARGETS.map((t) => t.name);
  if (names.includes(name)) return;
  const near = nearest(name, names);
  const help = near ? `did you mean '${near}'?` : `there is ${names.join(', ')}`;
  throw new CampaignError('RF-TARGET-UNKNOWN', `there is no target '${name}'; ${help}`);
}

function traceName(target: string, mechanism: string, trace: LockstepTrace): string {
  const hash = createHash('sha256').update(writeLockstepTrace(trace)).digest('hex').slice(0, 8);
  return `${target}-${mechanism
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 60)}-${hash}.json`;
}

/** The report without what depends on the clock alone; how many programs fit into the time still does. */
function stable(target: string, r: AttackResult, o: AttackOptions) {
  const { seconds: _seconds, rates: _rates, ...rest } = r;
  const inputs = { seed: o.seed, timeMs: o.time, runs: o.runs ?? null };
  return { format: 'ringfence-attack', version: 1, ringfence: version, target, inputs, ...rest };
}

function resultLines(target: string, r: AttackResult, out: Console): string[] {
  const { width, style } = out.page;
  const lines = [style.bold(`${target}, QEMU ${r.qemuVersion}`), style.bold('CONTROLS')];
  for (const c of r.controls) {
    const paint = c.holds ? style.green : style.red;
    lines.push(...hang(c.holds ? 'ok ' : '!! ', `${c.name}: ${printable(c.found)}`, width).map(paint));
    if (!c.holds) lines.push(...hang('   ', `expected: ${c.expected}`, width));
  }
  lines.push('', style.bold('SEEN'));
  for (const [what, times] of Object.entries(r.coverage))
    lines.push(...hang('   ', `${what}: ${grouped(times)}`, width));
  if (r.known.length > 0) lines.push('', style.bold('KNOWN DISAGREEMENTS'));
  for (const k of r.known) {
    lines.push(
      ...hang('~~ ', `${k.id}: ${printable(k.reason)} (${k.manual}; ${counted(k.programs, 'program')})`, width).map(
        style.yellow,
      ),
    );
  }
  for (const f of r.findings) {
    const proof = f.minimal ? 'no step can be left out' : 'not minimal';
    lines.push(
      '',
      ...hang('!! ', `${f.mechanism}: ${printable(f.says)} (${proof}; replay ${f.replay})`, width).map(style.red),
    );
    for (const [i, step] of f.trace.told.entries()) {
      lines.push(...hang(`  ${String(i + 1).padStart(2)} `, printable(step), width));
    }
  }
  return [...lines, ''];
}

function summary(target: string, r: AttackResult, out: Console): string {
  const { style } = out.page;
  const word = {
    holds: 'HOLDS',
    broken: 'BROKEN',
    'not reproducible': 'NOT REPRODUCIBLE',
    'controls failed': 'CONTROLS FAILED',
  }[r.verdict];
  const cut = r.interrupted ? ' (partial: interrupted)' : '';
  const controls = `${r.controls.filter((c) => c.holds).length} of ${counted(r.controls.length, 'control')} as expected`;
  const rate = `${r.rates.programsPerSecond.toFixed(1)} programs/s`;
  const text = `${word}${cut}: ${target}: ${counted(r.programs, 'program')}, ${counted(r.steps, 'step')} (${rate}); ${controls}; ${counted(r.findings.length, 'new disagreement')}, ${r.known.length} known`;
  return (r.verdict === 'holds' ? style.green : style.red)(text);
}

function exitCode(r: AttackResult): number {
  switch (r.verdict) {
    case 'holds':
      return r.interrupted ? EXIT.interrupted : EXIT.holds;
    case 'broken':
      return EXIT.broken;
    case 'not reproducible':
    case 'controls failed':
      return EXIT.environment;
  }
}
