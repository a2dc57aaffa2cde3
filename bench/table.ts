/** The bench's figures as text: one table a model, counts first, because a rate means nothing before the counts are equal. */
import {
  type EngineFigures,
  type EngineName,
  type ModelFigures,
  OVERHEAD_TARGET_BYTES,
  RATE_TARGET,
} from './figures.js';
import { PEER_LABELS } from './peers.js';

const LABELS: Readonly<Record<EngineName, string>> = { ringfence: 'Ringfence (Node.js)', ...PEER_LABELS };

const HEADINGS = ['engine', 'states', 'transitions', 'seconds', 'states/s', 'bytes', 'stored', 'peak MB', 'ours is'];

function whole(n: number): string {
  return Math.round(n).toLocaleString('en-GB');
}

function row(e: EngineFigures, ratio: number | undefined): string[] {
  const spread = e.runs > 1 ? ` (${e.secondsMin.toFixed(2)}-${e.secondsMax.toFixed(2)})` : '';
  return [
    LABELS[e.engine],
    whole(e.states),
    whole(e.transitions),
    e.seconds.toFixed(2) + spread,
    whole(e.statesPerSecond),
    String(e.vectorBytes),
    e.bytesPerState === undefined ? '-' : e.bytesPerState.toFixed(1),
    e.peakBytes === undefined ? '-' : whole(e.peakBytes / 1024 / 1024),
    ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
  ];
}

/** Pads cells to columns: the first to the left, the others to the right. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((r) => r[i]?.length ?? 0)));
  return rows
    .map((r) => r.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '))
    .map((line) => line.trimEnd())
    .join('\n');
}

function verdict(met: boolean | undefined, target: string): string[] {
  return met === undefined ? [] : [`${met ? 'met' : 'MISSED'}: ${target}`];
}

/** The table of one model, with its verdicts; ends without a newline. */
export function renderModel(f: ModelFigures): string {
  const table = columns([HEADINGS, ...f.engines.map((e) => row(e, f.ratios[e.engine]))]);
  const lines =
    f.disagreements.length > 0
      ? ['COUNTS DIFFER, so the rates mean nothing:', ...f.disagreements.map((d) => `  ${d}`)]
      : [
          f.engines.length > 1 ? 'counts equal' : 'counts as known; no peer to compare with',
          ...verdict(f.rateTargetMet, `at least ${RATE_TARGET} times SPIN's states a second`),
          ...verdict(f.memoryTargetMet, `at most the packed state and ${OVERHEAD_TARGET_BYTES} bytes a state`),
        ];
  return `${f.model}\n${table}\n${lines.join('\n')}`;
}
