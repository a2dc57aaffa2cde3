/**
 * The peers of the bench: SPIN and Rumur on the models in bench/peers/, generated, compiled and run in a folder of their own.
 * Exact modes only, one thread, no symmetry; what a run printed is read and judged in peerOutput.ts.
 */
import { existsSync, rmSync } from 'node:fs';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BenchModel, checkModel } from './models.js';
import { checkRumurSource, type PeerCounts, PeerError, readRumur, readSpin } from './peerOutput.js';
import { isInstalled, run } from './process.js';

/** `spin` searches depth first (its default), `spin-bfs` is the same verifier compiled with -DBFS. */
export type PeerName = 'spin' | 'spin-bfs' | 'rumur';
export const PEERS: readonly PeerName[] = ['spin', 'spin-bfs', 'rumur'];

/** How a peer is named in tables, with the flags that matter. */
export const PEER_LABELS: Readonly<Record<PeerName, string>> = {
  spin: 'SPIN (-O2 -DSAFETY)',
  'spin-bfs': 'SPIN (-O2 -DSAFETY -DBFS)',
  rumur: 'Rumur (-O3, 1 thread)',
};

/** One run of one peer. */
export interface PeerRun extends PeerCounts {
  /** The tool's own clock where it has one, else wall clock. Compilation is in neither. */
  readonly seconds: number;
  readonly wallSeconds: number;
  readonly peakBytes: number | undefined;
}

/** A compiled verifier, ready to be run as often as wanted. */
export interface Verifier {
  readonly peer: PeerName;
  readonly model: BenchModel;
  run(core?: number): Promise<PeerRun>;
}

/** Switches the re-test of the ring's final check off: the gate without which a wake-up is lost. */
export interface VerifierOptions {
  readonly withoutRecheck?: boolean;
}

/** The folder of the peers' models: beside this file in the sources, and in the repository when this runs compiled. */
function modelsFolder(): string {
  for (const place of ['./peers/', '../../bench/peers/']) {
    const folder = fileURLToPath(new URL(place, import.meta.url));
    if (existsSync(join(folder, 'ring.pml'))) return folder;
  }
  throw new PeerError('RF-PEER-MISSING', 'the models for SPIN and Rumur are not here: run the bench in the repository');
}

/** The programs of a peer that are not installed here, by name. */
export function missingPrograms(peer: PeerName): readonly string[] {
  const tool = peer === 'rumur' ? 'rumur' : 'spin';
  const missing = isInstalled(tool, peer === 'rumur' ? '--version' : '-V') ? [] : [tool];
  return isInstalled('gcc', '--version') ? missing : [...missing, 'gcc'];
}

async function must(program: string, args: readonly string[], cwd: string): Promise<void> {
  const done = await run(program, args, { cwd, timeoutMs: 120_000 });
  if (done.exitCode !== 0) {
    const line = done.text.split('\n').find((l) => l.trim() !== '') ?? 'no message';
    throw new PeerError('RF-PEER-FAILED', `${program} ended with ${done.exitCode}: ${line.trim()}`);
  }
}

function spinDefines(m: BenchModel, o: VerifierOptions): string[] {
  switch (m.kind) {
    case 'two-phase':
      return [`-DN=${m.n}`];
    case 'ring': {
      const sizes = [`-DSIZE=${m.size}`, `-DINDEX=${m.index}`, `-DPAYLOADS=${m.payloads}`, `-DPAIRS=${m.pairs}`];
      return o.withoutRecheck ? [...sizes, '-DNO_RECHECK'] : sizes;
    }
  }
}

function rumurConstants(m: BenchModel, o: VerifierOptions): Readonly<Record<string, number>> {
  switch (m.kind) {
    case 'two-phase':
      return { N: m.n };
    case 'ring': {
      const gate = o.withoutRecheck ? 0 : 1;
      return { SIZE: m.size, INDEX: m.index, PAYLOADS: m.payloads, PAIRS: m.pairs, RECHECK_GATE: gate };
    }
  }
}

/** SPIN's depth limit. Depth first, a path may pass through every state; those of two-phase commit are at most 3n + 1 long. */
function spinDepth(m: BenchModel, peer: PeerName): number {
  return m.kind === 'two-phase' || peer === 'spin-bfs' ? 10_000 : 2_000_000;
}

async function prepareSpin(peer: PeerName, model: BenchModel, o: VerifierOptions, folder: string): Promise<string[]> {
  await must('spin', [...spinDefines(model, o), '-a', join(modelsFolder(), `${model.kind}.pml`)], folder);
  const search = peer === 'spin-bfs' ? ['-DBFS'] : [];
  await must('gcc', ['-O2', '-DSAFETY', ...search, '-w', '-o', 'verifier', 'pan.c'], folder);
  return [`-m${spinDepth(model, peer)}`, '-n'];
}

async function prepareRumur(model: BenchModel, o: VerifierOptions, folder: string): Promise<string[]> {
  let text = await readFile(join(modelsFolder(), `${model.kind}.m`), 'utf8');
  for (const [name, value] of Object.entries(rumurConstants(model, o))) {
    const replaced = text.replace(new RegExp(`^  ${name}: \\d+;$`, 'm'), `  ${name}: ${value};`);
    if (replaced === text && !text.includes(`  ${name}: ${value};`)) {
      throw new PeerError('RF-PEER-FAILED', `${model.kind}.m has no constant ${name}`);
    }
    text = replaced;
  }
  await writeFile(join(folder, 'model.m'), text);
  const exact = ['--threads', '1', '--bound', '0', '--symmetry-reduction', 'off', '--deadlock-detection', 'stuck'];
  await must('rumur', [...exact, '--output-format', 'machine-readable', '-o', 'verifier.c', 'model.m'], folder);
  checkRumurSource(await readFile(join(folder, 'verifier.c'), 'utf8'));
  const flags = ['-std=c11', '-O3', '-march=native', ...(process.arch === 'x64' ? ['-mcx16'] : [])];
  await must('gcc', [...flags, '-w', '-o', 'verifier', 'verifier.c', '-lpthread'], folder);
  return [];
}

/**
 * Generates and compiles a verifier, hands it to `use`, and removes its folder afterwards, whatever happens.
 * @throws PeerError `RF-PEER-MISSING` or `RF-PEER-FAILED`; `run` also `RF-PEER-OUTPUT`, `RF-PEER-LOSSY`, `RF-PEER-VIOLATION`.
 */
export async function withVerifier<T>(
  peer: PeerName,
  model: BenchModel,
  use: (v: Verifier) => Promise<T>,
  options: VerifierOptions = {},
): Promise<T> {
  checkModel(model);
  const missing = missingPrograms(peer);
  if (missing.length > 0) throw new PeerError('RF-PEER-MISSING', `${missing.join(' and ')} not installed`);
  const folder = await mkdtemp(join(tmpdir(), 'ringfence-bench-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean); // an interrupt leaves nothing behind either
  try {
    const args =
      peer === 'rumur' ? await prepareRumur(model, options, folder) : await prepareSpin(peer, model, options, folder);
    return await use({
      peer,
      model,
      run: async (core) => {
        const done = await run(join(folder, 'verifier'), args, { core, cwd: folder });
        const counts = peer === 'rumur' ? readRumur(done.text) : readSpin(done.text);
        if (done.exitCode !== 0) throw new PeerError('RF-PEER-FAILED', `${peer} ended with ${done.exitCode}`);
        const seconds = counts.ownSeconds ?? done.wallSeconds;
        return { ...counts, seconds, wallSeconds: done.wallSeconds, peakBytes: done.peakBytes };
      },
    });
  } finally {
    process.removeListener('exit', clean);
    clean();
  }
}
