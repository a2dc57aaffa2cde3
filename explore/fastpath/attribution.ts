/**
 * Attribution: which function allocates what, when a gate reads more than 0. V8's sampling heap profiler at an interval of one byte sees
 * every object. It explains and does not judge: its own work shows in the readings of the gates, so it runs in a process of its own.
 */
import { existsSync, readFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { SourceMap } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Bytes that one function allocated. */
export interface Allocation {
  readonly function: string;
  /** Source file, from the working directory; '' for code that was generated at run time. */
  readonly file: string;
  /** Line of the function in that file, from 1. */
  readonly line: number;
  readonly column: number;
  /** Bytes over all calls. */
  readonly bytes: number;
}

interface ProfileNode {
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
    readonly columnNumber: number;
  };
  readonly selfSize: number;
  readonly children: readonly ProfileNode[];
}

/** Runs the calls under the profiler; what was allocated below the function named `below`, the largest first. */
export function attribute(run: () => void, below: string): readonly Allocation[] {
  const session = new Session();
  session.connect();
  let profile: ProfileNode | undefined;
  session.post('HeapProfiler.startSampling', {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  });
  run();
  session.post('HeapProfiler.stopSampling', (error, result) => {
    if (!error) profile = result.profile.head as ProfileNode;
  });
  session.disconnect();
  const found = new Map<string, Allocation>();
  if (profile) collect(profile, below, false, found);
  return [...found.values()].sort((a, b) => b.bytes - a.bytes || (a.file < b.file ? -1 : 1));
}

function collect(node: ProfileNode, below: string, inside: boolean, found: Map<string, Allocation>): void {
  const frame = node.callFrame;
  if (inside && node.selfSize > 0) {
    const key = `${frame.url}:${frame.lineNumber}:${frame.columnNumber}:${frame.functionName}`;
    const place = sourceOf(frame.url, frame.lineNumber, frame.columnNumber);
    const bytes = (found.get(key)?.bytes ?? 0) + node.selfSize;
    found.set(key, { function: frame.functionName || '(anonymous)', ...place, bytes });
  }
  for (const child of node.children) collect(child, below, inside || frame.functionName === below, found);
}

/** The source position behind a position of compiled JavaScript (0-based, as the profiler gives it), through its source map. */
export function sourceOf(url: string, line: number, column: number): { file: string; line: number; column: number } {
  if (!url.startsWith('file:')) return { file: '', line: line + 1, column: column + 1 };
  const path = fileURLToPath(url);
  const mapPath = `${path}.map`;
  if (existsSync(mapPath)) {
    const entry = new SourceMap(JSON.parse(readFileSync(mapPath, 'utf8'))).findEntry(line, column);
    if ('originalSource' in entry && entry.originalSource) {
      const source = resolve(path, '..', entry.originalSource);
      return { file: relative('.', source), line: entry.originalLine + 1, column: entry.originalColumn + 1 };
    }
  }
  return { file: relative('.', path), line: line + 1, column: column + 1 };
}
