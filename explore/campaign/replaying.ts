/** Tells a trace file again on the machine that its suite describes. */
import { isMutant, propertiesOf, type Suite } from '../../drivers/suite.js';
import { build, type Machine } from '../../model/kernel/index.js';
import type { AnyProperty, UntypedProperty } from '../../properties/property.js';
import { disabledHere, kindsOfInterest } from '../disabled.js';
import { inevitableSince } from '../inevitable.js';
import { type Replayed, replayTrace } from '../replay.js';
import { optionsOf, readTrace, type TraceFile } from '../traceFile.js';
import { propertyKey } from './described.js';
import { CampaignError } from './errors.js';
import type { ReplayJob } from './jobs.js';
import type { ReplayAnswer } from './results.js';

/** States of a trace of which it is told what was disabled there: the last ones, where the breach comes about. */
const MAX_LOOKED_AT = 60;

/** @throws TraceFileError for a bad file, CampaignError when the suite, its gate or its mutant is not there */
export function performReplay(job: ReplayJob, suites: readonly Suite[]): Omit<ReplayAnswer, 'tookMs'> {
  const trace = readTrace(job.trace);
  const s = suites.find((x) => x.name === trace.suite);
  if (!s) {
    throw new CampaignError(
      'RF-SUITE-UNKNOWN',
      `the trace belongs to the suite '${trace.suite}'; name its module with --module PATH`,
    );
  }
  const { unknownGates, gatesOff, ...options } = optionsOf(trace);
  if (unknownGates.length > 0) {
    throw new CampaignError(
      'RF-TRACE',
      `the trace has the gate '${unknownGates[0]}' off, which ${s.name} no longer has`,
    );
  }
  const mutant = trace.mutant === '' ? undefined : mutantOf(s, trace.mutant);
  const { faults, ...rest } = options;
  const edits = [...(s.edits ?? []), ...(mutant?.edits ?? [])];
  const m = build(s.machine, { ...rest, gatesOff, edits, ...(faults && { faults }) });
  const property = propertiesOf(s).find((p) => propertyKey(p) === propertyKey(trace.property));
  const builtIn = ['frame', 'I10', 'deadlock'].includes(trace.property.id) && property === undefined;
  const kinds = kindsOfInterest(m, trace.steps);
  const last = trace.steps.length - 1;
  const disabled: (readonly string[])[] = [];
  const replayed = replayTrace(m, trace.steps, property, (state) => {
    if (state < last - MAX_LOOKED_AT) return;
    // The last step is to come of itself from the state before it on.
    disabled[state] = disabledHere(m, kinds, state < last - 1 ? trace.steps[last] : undefined);
  });
  return {
    kind: 'replay',
    suite: s.name,
    applies: replayed.applies,
    stoppedAt: replayed.stoppedAt,
    because: replayed.because,
    steps: replayed.steps.map((step, i) => ({
      step,
      map: replayed.maps[i] ?? [],
      disabled: disabled[i] ?? [],
    })),
    length: trace.steps.length - 1,
    property: trace.property,
    propertyKind: property?.kind ?? (builtIn ? '' : 'unknown'),
    broken: replayed.broken,
    why: replayed.why,
    sameSpecification: m.hash() === trace.specification,
    minimal: trace.minimal === 'proved',
    inevitableSince: since(m, replayed, trace, property),
    scope: trace.scope,
    gatesOff: trace.gatesOff,
    mutant: trace.mutant,
  };
}

/** Only a breach that a gate or an edit opened can have been avoidable for a while. */
function since(m: Machine, r: Replayed, trace: TraceFile, property: AnyProperty | undefined): number {
  if (trace.inevitableSince >= 0) return trace.inevitableSince;
  if (!r.broken || !property || (trace.mutant === '' && trace.gatesOff.length === 0)) return -1;
  return inevitableSince(m, r.steps, property as UntypedProperty);
}

function mutantOf(s: Suite, name: string) {
  for (const { off } of s.claims.flatMap((c) => c.without)) if (isMutant(off) && off.name === name) return off;
  throw new CampaignError('RF-TRACE', `the trace has the mutant '${name}' in, which ${s.name} no longer has`);
}
