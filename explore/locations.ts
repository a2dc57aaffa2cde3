/**
 * Where in the sources a step is written. The engine knows where each function begins; the source map beside the compiled file leads from
 * there to the line that a person wrote.
 */
import { Session } from 'node:inspector';
import type { AnyOperation, Machine } from '../model/kernel/index.js';
import { sourceOf } from './fastpath/attribution.js';
import type { TraceStep } from './trace.js';

export interface SourceLine {
  /** Path with '/', from the working directory. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

interface Position {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** The name under which a function is handed to the engine's own interface. */
const HANDLE = '__ringfenceLocated';

const known = new WeakMap<object, SourceLine>();

/** The line on which a function begins, or undefined when the engine cannot tell. */
export function lineOf(f: (...args: never[]) => unknown): SourceLine | undefined {
  const before = known.get(f);
  if (before) return before;
  const found = ask(f);
  if (found) known.set(f, found);
  return found;
}

function ask(f: (...args: never[]) => unknown): SourceLine | undefined {
  const session = new Session();
  const scripts = new Map<string, string>();
  const globals = globalThis as Record<string, unknown>;
  session.connect();
  try {
    session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
    session.post('Debugger.enable');
    globals[HANDLE] = f;
    let handle: string | undefined;
    session.post('Runtime.evaluate', { expression: `globalThis.${HANDLE}` }, (error, answer) => {
      if (!error) handle = answer.result.objectId;
    });
    if (handle === undefined) return undefined;
    let position: Position | undefined;
    session.post('Runtime.getProperties', { objectId: handle, ownProperties: true }, (error, answer) => {
      if (error) return;
      const found = answer.internalProperties?.find((p) => p.name === '[[FunctionLocation]]');
      position = found?.value?.value as Position | undefined;
    });
    if (position === undefined) return undefined;
    const url = scripts.get(position.scriptId) ?? '';
    const { file, line } = sourceOf(
      url.startsWith('/') ? `file://${url}` : url,
      position.lineNumber,
      position.columnNumber,
    );
    return file === '' ? undefined : { file: file.replaceAll('\\', '/'), line };
  } finally {
    delete globals[HANDLE];
    session.disconnect();
  }
}

/**
 * The line of the step that completed a breach: the one that the last step of the trace names under the schedule `split`, and the first of
 * its operation otherwise.
 * @param mechanism of the finding: begins with the operation's name
 */
export function breachLine(m: Machine, trace: readonly TraceStep[], mechanism: string): SourceLine | undefined {
  const last = trace.at(-1);
  const named = m.operations
    .map((o) => o.op)
    .filter((op) => mechanism === op.name || mechanism.startsWith(`${op.name} `));
  const op = named.sort((a, b) => b.name.length - a.name.length)[0];
  if (!last || !op) return undefined;
  const step = stepOf(op, last.step) ?? Object.values(op.steps)[0];
  return step && lineOf(step);
}

function stepOf(op: AnyOperation, name: string): AnyOperation['steps'][string] | undefined {
  return Object.hasOwn(op.steps, name) ? op.steps[name] : undefined;
}
