/**
 * Checkpoints of exhaustive explorations: written when a run is interrupted, read to go on. A header line of JSON, then the stored states.
 * Written beside, then renamed, so that an older checkpoint stays whole.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { Machine } from '../model/kernel/index.js';
import type { Progressing } from './exhaustive.js';
import { StateStore } from './store.js';

const FORMAT = 'ringfence-checkpoint';
const VERSION = 1;

const header = z.strictObject({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  /** What is being explored: the machine's specification, options and properties. */
  key: z.string(),
  wordCount: z.int(),
  states: z.int().min(0),
  expanded: z.int().min(0),
  transitions: z.int().min(0),
  depth: z.int().min(0),
  levelEnd: z.int().min(0),
});

/** A checkpoint that cannot be used. */
export class CheckpointError extends Error {
  readonly code = 'RF-CHECKPOINT';
}

/** What identifies an exploration: a checkpoint of another one is refused. */
export function explorationKey(machine: Machine, suite: string): string {
  const { scope, schedule, gatesOff, failures, faults } = machine.options;
  const gates = (gatesOff ?? []).map((g) => g.name);
  return JSON.stringify([suite, machine.hash(), scope, schedule ?? 'whole', gates, failures ?? 'none', faults ?? null]);
}

/** Writes a checkpoint. */
export function saveCheckpoint(path: string, key: string, at: Progressing): void {
  const beside = `${path}.${process.pid}.tmp`;
  const file = openSync(beside, 'w');
  try {
    const { store, expanded, transitions, depth, levelEnd } = at;
    const head = {
      format: FORMAT,
      version: VERSION,
      key,
      wordCount: store.wordCount,
      states: store.count,
      expanded,
      transitions,
      depth,
      levelEnd,
    };
    writeSync(file, `${JSON.stringify(head)}\n`);
    for (const chunk of store.save()) writeAll(file, chunk);
    fsyncSync(file);
  } catch (error) {
    closeSync(file);
    rmSync(beside, { force: true });
    throw error;
  }
  closeSync(file);
  renameSync(beside, path);
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) at += writeSync(file, bytes, at, bytes.byteLength - at);
}

/** Reads a checkpoint of the exploration that `key` identifies. @throws CheckpointError */
export function loadCheckpoint(path: string, key: string): Progressing {
  const bytes = readFileSync(path);
  const end = bytes.indexOf(0x0a);
  let raw: unknown;
  try {
    raw = JSON.parse(bytes.subarray(0, Math.max(0, end)).toString('utf8'));
  } catch {
    raw = undefined;
  }
  const parsed = header.safeParse(raw);
  if (!parsed.success)
    throw new CheckpointError(`${path} is not a checkpoint of this version; remove it to start anew`);
  const head = parsed.data;
  if (head.key !== key) {
    throw new CheckpointError(
      `${path} belongs to another exploration (suite, scope or specification differ); remove it to start anew`,
    );
  }
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset + end + 1, bytes.byteLength - end - 1);
  if (data.byteLength !== head.states * (head.wordCount + 1) * 4) {
    throw new CheckpointError(`${path} is cut off: it should hold ${head.states} states; remove it to start anew`);
  }
  const { expanded, transitions, depth, levelEnd } = head;
  return { store: StateStore.restore(head.wordCount, data), expanded, transitions, depth, levelEnd };
}
