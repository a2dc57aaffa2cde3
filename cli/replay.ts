/** `ringfence replay`: tells a trace file step by step, with what each step changed and the memory map after it. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { LOCKSTEP_FORMAT } from '../drivers/qemu/traceFile.js';
import { performAlone } from '../explore/campaign/campaign.js';
import type { SuiteSource } from '../explore/campaign/described.js';
import { CampaignError } from '../explore/campaign/errors.js';
import type { ReplayAnswer } from '../explore/campaign/results.js';
import { MAX_TRACE_BYTES } from '../explore/traceFile.js';
import { counted, hang, printable } from '../reports/text.js';
import { replayAttack } from './attack.js';
import { Console } from './console.js';
import { complain, EXIT, exitCodeOf, failWith } from './exit.js';
import type { CommonOptions } from './options.js';
import { moduleAt } from './suites.js';

export interface ReplayOptions extends CommonOptions {
  readonly module?: string;
  readonly patience: number;
  /** For traces of attacks on QEMU. */
  readonly qemu?: string;
}

/** Runs the command; the exit code: 1 when the property breaks, 0 when it does not (any more), 2 when the trace does not apply. */
export async function replay(path: string, o: ReplayOptions): Promise<number> {
  const out = new Console(o);
  try {
    const source: SuiteSource = o.module === undefined ? { kind: 'embedded' } : moduleAt(o.module);
    const trace = readText(path);
    if (isAttack(trace)) return await replayAttack(trace, o);
    const onOutput = (text: string): void => out.note(text.trimEnd());
    const answer = await performAlone(
      { kind: 'replay', id: 'replay', source, trace },
      { patienceMs: o.patience, onOutput },
    );
    if (answer.kind === 'error') {
      complain(answer.code, answer.says);
      return exitCodeOf(answer.blame);
    }
    if (answer.kind !== 'replay') throw new CampaignError('RF-INTERNAL', `a replay was answered with '${answer.kind}'`);
    const { tookMs: _, ...stable } = answer;
    out.json(`${JSON.stringify(stable, undefined, 2)}\n`);
    out.lines(stepLines(answer, out));
    out.always(verdictLines(answer, out));
    if (!answer.applies) return EXIT.usage;
    return answer.broken ? EXIT.broken : EXIT.holds;
  } catch (thrown) {
    return failWith(thrown);
  }
}

/** Whether the file says early on that it is the trace of an attack on a real target; whatever else it is, its reader will find out. */
function isAttack(text: string): boolean {
  return text.slice(0, 1000).includes(`"${LOCKSTEP_FORMAT}"`);
}

/** A trace file's text. Never reads more than a trace may have. @throws CampaignError RF-TRACE */
function readText(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
    throw new CampaignError(
      'RF-TRACE',
      `${path} cannot be read (${code === 'ENOENT' ? 'no such file' : code}); give a file of ringfence-report/traces`,
    );
  }
  try {
    const info = fstatSync(file);
    if (!info.isFile())
      throw new CampaignError('RF-TRACE', `${path} is not a file; give a file of ringfence-report/traces`);
    if (info.size > MAX_TRACE_BYTES) {
      throw new CampaignError('RF-TRACE', `${path} has ${info.size} bytes; a trace has at most ${MAX_TRACE_BYTES}`);
    }
    const bytes = Buffer.alloc(info.size);
    let at = 0;
    for (let n = -1; n !== 0 && at < bytes.length; at += n) n = readSync(file, bytes, at, bytes.length - at, at);
    return bytes.toString('utf8', 0, at);
  } finally {
    closeSync(file);
  }
}

function stepLines(a: ReplayAnswer, out: Console): string[] {
  const { width, style } = out.page;
  const sizes = Object.entries(a.scope)
    .map(([sort, n]) => `${sort} ${n}`)
    .join(', ');
  const off = [...a.gatesOff.map((g) => `${g} off`), ...(a.mutant ? [`mutant ${a.mutant}`] : [])];
  const lines = hang(
    '',
    `${a.suite} (${sizes})${off.length ? `, with ${off.join(', ')}` : ''}: ${a.property.id} ${a.property.name}`,
    width,
  );
  let shown = '';
  let told = new Set<string>();
  for (const [i, { step, map, disabled }] of a.steps.entries()) {
    const fault = step.fault ? ` {${step.fault}}` : '';
    const doom = i > 0 && i === a.inevitableSince ? '   <- inevitable from here' : '';
    lines.push(
      '',
      ...hang(`${String(i).padStart(3)} `, printable(`${step.says}${fault}${doom}`), width).map(style.bold),
    );
    for (const c of step.changes) {
      lines.push(...hang('      * ', printable(`${c.row}.${c.field}: ${c.from} -> ${c.to}`), width));
    }
    // An unchanged map says nothing new.
    const text = map.join('\n');
    if (text !== shown) lines.push(...map.flatMap((line) => hang('      | ', printable(line), width)).map(style.dim));
    shown = text;
    // As little does what was disabled before.
    lines.push(
      ...disabled
        .filter((line) => !told.has(line))
        .flatMap((line) => hang('      - ', printable(line), width))
        .map(style.dim),
    );
    told = new Set(disabled);
  }
  return lines;
}

function verdictLines(a: ReplayAnswer, out: Console): string[] {
  const { width, style } = out.page;
  const key = `${a.property.id} ${a.property.name}`;
  const lines = [''];
  if (!a.sameSpecification) {
    lines.push(...hang('note: ', 'the specification has changed since the trace was written', width).map(style.yellow));
  }
  if (!a.applies) {
    const where = `stopped applying at step ${a.stoppedAt} of ${a.length}: ${printable(a.because)}`;
    return [...lines, ...hang('', `The trace ${where}`, width).map(style.red)];
  }
  const proof = a.minimal ? 'proved minimal' : 'not proved minimal';
  lines.push(...hang('', `The trace still applies: ${counted(a.length, 'step')}, ${proof}.`, width));
  if (a.broken) lines.push(...hang('', `${key} breaks: ${printable(a.why)}`, width).map(style.red));
  else if (a.propertyKind === 'unknown') lines.push(...hang('', `${key} is no property of the suite any more.`, width));
  else if (a.propertyKind === 'progress' || a.propertyKind === 'noninterference') {
    const what = a.propertyKind === 'progress' ? 'all continuations' : 'two runs side by side';
    lines.push(
      ...hang(
        '',
        `${key} is about ${what}; one run cannot show whether it breaks. Run ringfence verify ${a.suite}.`,
        width,
      ),
    );
  } else lines.push(...hang('', `${key} does not break in it (any more).`, width).map(style.green));
  return lines;
}
