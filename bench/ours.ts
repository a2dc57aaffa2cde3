/**
 * One run of our own explorer on one model, in a process of its own: `node ours.js '{"kind":"two-phase","n":8}'` prints one line of
 * JSON, an EngineRun. The clock covers the exploration only, as SPIN's does; compiling hot code is inside it, starting Node is not.
 */
import { argv, resourceUsage, stdout } from 'node:process';
import { pathToFileURL } from 'node:url';
import { type ExhaustiveOptions, exploreExhaustively } from '../explore/exhaustive.js';
import { build, type Machine } from '../model/kernel/index.js';
import {
  type DescriptorRing,
  descriptorRing,
  noEmptySlotTaken,
  noLostWakeUp,
} from '../model/textbook/descriptorRing.js';
import { twoPhaseCommit } from '../model/textbook/twoPhaseCommit.js';
import { type AnyProperty, invariant } from '../properties/property.js';
import type { EngineRun } from './figures.js';
import { type BenchModel, checkModel, modelName } from './models.js';

/** The claims that the peers' versions of the ring assert. Deadlock is looked for by all, in both models. */
const RING_CLAIMS: readonly AnyProperty[] = [
  invariant<DescriptorRing>('ring-wake', 'wake', {
    states: 'no consumer sleeps on unconsumed requests with no interrupt to come',
    holds: noLostWakeUp,
    witnesses: { 'requests wait': (m) => m.prod.index[0] !== m.cons.index[0] },
  }),
  invariant<DescriptorRing>('ring-slot', 'slot', {
    states: 'a request in hand is one that was written',
    holds: noEmptySlotTaken,
    witnesses: { 'a slot was filled': (m) => m.producer.prodPvt[0] !== 0 },
  }),
];

function machineOf(m: BenchModel): { machine: Machine; properties: readonly AnyProperty[] } {
  switch (m.kind) {
    case 'two-phase':
      return { machine: build(twoPhaseCommit, { scope: { rm: m.n } }), properties: [] };
    case 'ring': {
      const scope = { ring: m.pairs, slot: m.size, index: m.index, payload: m.payloads };
      return { machine: build(descriptorRing, { scope }), properties: RING_CLAIMS };
    }
  }
}

/**
 * Explores a model of the bench to the end: every state, every transition, no reduction.
 * Throws an Error when the exploration was cut short, found a violation, or left a witness unreached.
 */
export function exploreOurs(model: BenchModel, options: ExhaustiveOptions = {}): EngineRun {
  checkModel(model);
  const { machine, properties } = machineOf(model);
  const begin = process.hrtime.bigint();
  const found = exploreExhaustively(machine, { properties, frameCondition: false, ...options });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const problem =
    found.findings[0]?.why ??
    found.witnesses.find((w) => !w.reached)?.witness ??
    (found.verdict === 'complete' ? undefined : `cut short by ${found.truncatedBy}`);
  if (problem !== undefined) throw new Error(`our run of ${modelName(model)} gives no figure: ${problem}`);
  return {
    states: found.states,
    transitions: found.transitions,
    seconds,
    vectorBytes: found.stateBytes,
    storeBytes: found.bytes,
    peakBytes: resourceUsage().maxRSS * 1024,
  };
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  stdout.write(`${JSON.stringify(exploreOurs(JSON.parse(argv[2] ?? '') as BenchModel))}\n`);
}
