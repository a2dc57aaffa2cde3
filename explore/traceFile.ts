/**
 * Trace files: a run with its choices by name, the suite and scope it belongs to, and a hash of the specification. No seed: a trace
 * survives any change of the generator. Reading is defensive: trace files come from other people's machines.
 */
import { z } from 'zod';
import { allGates, type FaultId, type Machine, type Scope } from '../model/kernel/index.js';
import type { Finding } from './exhaustive.js';
import type { TraceStep } from './trace.js';

export const TRACE_FORMAT = 'ringfence-trace';
export const TRACE_VERSION = 1;
/** Larger files are refused before they are parsed, in bytes. */
export const MAX_TRACE_BYTES = 64 * 1024 * 1024;

/** A trace file that cannot be used. The message says what was wrong and what would be right. */
export class TraceFileError extends Error {
  constructor(
    readonly code: 'RF-TRACE-JSON' | 'RF-TRACE-FORMAT' | 'RF-TRACE-VERSION' | 'RF-TRACE-SIZE',
    message: string,
  ) {
    super(message);
  }
}

const text = z.string().max(10_000);
const choice = z.strictObject({ name: text, sort: text, value: z.int().min(0).max(0xffff), says: text });
const change = z.strictObject({ row: text, field: text, from: text, to: text });
const step = z.strictObject({
  operation: text,
  step: text,
  agent: text,
  choices: z.array(choice).max(64),
  says: text,
  status: text,
  fault: text,
  changes: z.array(change).max(100_000),
});

const traceFile = z.strictObject({
  format: z.literal(TRACE_FORMAT),
  version: z.literal(TRACE_VERSION),
  suite: text,
  scopeName: text,
  scope: z.record(text, z.int().min(0).max(65_536)),
  schedule: z.enum(['whole', 'split']),
  /** Names of gates that were off. */
  gatesOff: z.array(text),
  /** Name of the mutant that was in, or ''. */
  mutant: text,
  failures: z.union([z.enum(['none', 'any']), z.strictObject({ nth: z.int().min(1) })]),
  /** Fault classes injected, or null for all that the suite has. */
  faults: z.array(text).nullable(),
  /** Hash of the specification that the run was found on. */
  specification: text,
  property: z.strictObject({ id: text, name: text, states: text }),
  why: text,
  minimal: z.enum(['proved', 'not proved']),
  /** Index of the step since which even the repaired machine would break, or -1 when that is not known. */
  inevitableSince: z.int().min(-1),
  steps: z.array(step).min(1).max(100_000),
});

/** A trace file's content. */
export type TraceFile = Readonly<z.infer<typeof traceFile>>;

/** The content of a trace file for a finding on this machine. */
export function traceFileOf(
  machine: Machine,
  finding: Finding,
  about: {
    suite: string;
    scopeName: string;
    mutant?: string;
    minimal: 'proved' | 'not proved';
    inevitableSince?: number;
  },
): TraceFile {
  const { options } = machine;
  return {
    format: TRACE_FORMAT,
    version: TRACE_VERSION,
    suite: about.suite,
    scopeName: about.scopeName,
    scope: { ...options.scope },
    schedule: options.schedule ?? 'whole',
    gatesOff: (options.gatesOff ?? []).map((g) => g.name),
    mutant: about.mutant ?? '',
    failures: options.failures ?? 'none',
    faults: options.faults ? [...options.faults] : null,
    specification: machine.hash(),
    property: { id: finding.property.id, name: finding.property.name, states: finding.property.states },
    why: finding.why,
    minimal: about.minimal,
    inevitableSince: about.inevitableSince ?? -1,
    steps: finding.trace.map((s) => ({ ...s, choices: [...s.choices], changes: [...s.changes] })),
  };
}

/** JSON text of a trace file, ending in a newline. */
export function writeTrace(trace: TraceFile): string {
  return `${JSON.stringify(trace, undefined, 1)}\n`;
}

/** Parses and validates a trace file. @throws TraceFileError */
export function readTrace(json: string): TraceFile {
  if (json.length > MAX_TRACE_BYTES) {
    throw new TraceFileError(
      'RF-TRACE-SIZE',
      `the trace file has ${json.length} bytes; at most ${MAX_TRACE_BYTES} are read`,
    );
  }
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TraceFileError('RF-TRACE-JSON', `the trace file is not JSON (${oneLine(why)}); is it cut off?`);
  }
  const header = z.looseObject({ format: z.unknown(), version: z.unknown() }).safeParse(raw);
  if (!header.success || header.data.format !== TRACE_FORMAT) {
    throw new TraceFileError('RF-TRACE-FORMAT', `this is not a trace file: its "format" is not "${TRACE_FORMAT}"`);
  }
  if (header.data.version !== TRACE_VERSION) {
    throw new TraceFileError(
      'RF-TRACE-VERSION',
      `the trace file has version ${oneLine(String(header.data.version))}; this Ringfence reads version ${TRACE_VERSION}`,
    );
  }
  const parsed = traceFile.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.length ? issue.path.join('.') : 'the file';
    throw new TraceFileError(
      'RF-TRACE-FORMAT',
      `the trace file is damaged at ${oneLine(where)}: ${oneLine(issue?.message ?? '')}`,
    );
  }
  return parsed.data;
}

const oneLine = (s: string): string => s.replace(/\s+/g, ' ').slice(0, 200);

/** Machine options that a trace was found with; unknown gate names are returned apart. */
export function optionsOf(trace: TraceFile): {
  scope: Scope;
  schedule: 'whole' | 'split';
  gatesOff: ReturnType<typeof allGates>;
  unknownGates: readonly string[];
  failures: TraceFile['failures'];
  faults: readonly FaultId[] | undefined;
} {
  const known = allGates();
  return {
    scope: trace.scope,
    schedule: trace.schedule,
    gatesOff: known.filter((g) => trace.gatesOff.includes(g.name)),
    unknownGates: trace.gatesOff.filter((name) => !known.some((g) => g.name === name)),
    failures: trace.failures,
    faults: trace.faults === null ? undefined : (trace.faults as readonly FaultId[]),
  };
}

/** The told steps of a trace file. */
export function stepsOf(trace: TraceFile): readonly TraceStep[] {
  return trace.steps;
}
