/**
 * Traces as the page carries them: every text once, and steps as lists of numbers that point at texts. A trace of 5,000 steps takes a few
 * hundred kilobytes so; what does not fit the budget stays out, and the page says so.
 */
import type { TraceFile } from '../../explore/traceFile.js';
import { clip } from './markup.js';

/** Bytes of packed traces that a page may carry. */
export const TRACE_BUDGET_BYTES = 3_000_000;
/** Longest text of a trace that goes into the page, in characters. */
const MAX_TEXT = 1000;

/** A trace to be shown. */
export interface TraceView {
  /** File name in traces/. */
  readonly name: string;
  /** As the choice of traces lists it. */
  readonly title: string;
  readonly trace: TraceFile;
  readonly retold: Retold | undefined;
}

/** What only telling a trace again on its machine brings to light. */
export interface Retold {
  /** Lines of the memory map after each step. */
  readonly maps: readonly (readonly string[])[];
  /** What could not happen in the state after each step, and why. */
  readonly disabled: readonly (readonly string[])[];
  /** Step since which the breach was inevitable, or -1. */
  readonly inevitableSince: number;
}

export interface PackedTrace {
  readonly name: string;
  /** A text, as all that many traces have in common. */
  readonly property: number;
  readonly why: number;
  readonly minimal: boolean;
  /** Step since which the breach was inevitable, or -1. */
  readonly inevitable: number;
  /** What the machine was, in two texts: scope and schedule; gates off and mutant. */
  readonly machine: readonly number[];
  /** Texts of the agents: one lane each. */
  readonly lanes: readonly number[];
  /**
   * For each step: operation, step, agent, told, status, fault, number of choices, then name and member of each choice, then row, field,
   * from and to of each change.
   */
  readonly steps: readonly (readonly number[])[];
  readonly maps: readonly (readonly number[])[];
  readonly disabled: readonly (readonly number[])[];
}

export interface Pack {
  readonly texts: readonly string[];
  readonly traces: readonly PackedTrace[];
}

/** Packs traces in the given order until the budget is used up. */
export function packTraces(
  views: readonly TraceView[],
  budgetBytes = TRACE_BUDGET_BYTES,
): { pack: Pack; shown: readonly TraceView[]; left: readonly TraceView[] } {
  const texts: string[] = [];
  const known = new Map<string, number>();
  const traces: PackedTrace[] = [];
  const shown: TraceView[] = [];
  const left: TraceView[] = [];
  let used = 0;
  for (const view of views) {
    const before = texts.length;
    const packed = packOne(view, (text) => {
      const short = clip(text, MAX_TEXT);
      let id = known.get(short);
      if (id === undefined) {
        id = texts.push(short) - 1;
        known.set(short, id);
      }
      return id;
    });
    const bytes = sizeOf(packed) + sizeOf(texts.slice(before));
    if (used + bytes <= budgetBytes) {
      used += bytes;
      traces.push(packed);
      shown.push(view);
      continue;
    }
    left.push(view);
    for (const text of texts.splice(before)) known.delete(text);
  }
  return { pack: { texts, traces }, shown, left };
}

/** Bytes of the JSON; escaping for the page adds at most five for each of the few characters that it concerns. */
function sizeOf(value: unknown): number {
  const json = JSON.stringify(value);
  return Buffer.byteLength(json) + 5 * (json.match(/[<>&\u2028\u2029]/g)?.length ?? 0);
}

function packOne(view: TraceView, id: (text: string) => number): PackedTrace {
  const { trace } = view;
  const scope = Object.entries(trace.scope).map(([sort, n]) => `${sort} ${n}`);
  const changed = [
    ...trace.gatesOff.map((g) => `${g} off`),
    ...(trace.mutant === '' ? [] : [`mutant ${trace.mutant}`]),
  ];
  return {
    name: view.name,
    property: id(`${trace.property.id} ${trace.property.name}: ${trace.property.states}`),
    why: id(trace.why),
    minimal: trace.minimal === 'proved',
    inevitable: Math.max(trace.inevitableSince, view.retold?.inevitableSince ?? -1),
    machine: [[...scope, `schedule ${trace.schedule}`], changed]
      .filter((l) => l.length > 0)
      .map((l) => id(l.join(', '))),
    lanes: lanesOf(trace).map(id),
    steps: trace.steps.map((s) => [
      ...[s.operation, s.step, s.agent, s.says, s.status, s.fault].map(id),
      s.choices.length,
      ...s.choices.flatMap((c) => [id(c.name), id(c.says)]),
      ...s.changes.flatMap((c) => [id(c.row), id(c.field), id(c.from), id(c.to)]),
    ]),
    maps: view.retold?.maps.map((lines) => lines.map(id)) ?? [],
    disabled: view.retold?.disabled.map((lines) => lines.map(id)) ?? [],
  };
}

/** Orders lanes as the path of an access runs: guests, drivers, devices, IOMMU, VMM; what is none of these comes last. */
const LANE_ORDER = [/^(domain|guest|vcpu)/, /^driver/, /^device/, /^(iommu|hardware)/, /^(vmm|control|xen)/];

/** The agents of a trace, in the order of their lanes. */
export function lanesOf(trace: Pick<TraceFile, 'steps'>): string[] {
  const rank = (agent: string): number => {
    const at = LANE_ORDER.findIndex((r) => r.test(agent));
    return at < 0 ? LANE_ORDER.length : at;
  };
  const agents = [...new Set(trace.steps.map((s) => s.agent))].filter((a) => a !== '');
  return agents.sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true }));
}
