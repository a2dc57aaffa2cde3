/**
 * `npm run bench`: our explorer against SPIN and Rumur, on the same two models, in the same run, on one core.
 * Counts must be equal before a rate is printed. Exit codes: 0 counts equal, 1 they differ or the memory target is missed,
 * 2 usage, 3 a peer is missing under --require-peers, or failed. A missed rate never fails the run: timing depends on the machine.
 */
import { arch, cpus } from 'node:os';
import { execPath, exit, stderr, stdout } from 'node:process';
import { fileURLToPath } from 'node:url';
import { compare, type EngineName, type EngineRun, type ModelFigures } from './figures.js';
import { type BenchModel, FULL, modelName, QUICK } from './models.js';
import { type Options, readOptions, USAGE, UsageError } from './options.js';
import { PeerError } from './peerOutput.js';
import { missingPrograms, PEERS, type PeerName, type Verifier, withVerifier } from './peers.js';
import { canPin, lastCore, run } from './process.js';
import { renderModel } from './table.js';

/** One run of ours in a fresh process. Throws PeerError when it ends badly or prints no figures. */
async function runOurs(model: BenchModel, core: number | undefined): Promise<EngineRun> {
  const script = fileURLToPath(new URL('./ours.js', import.meta.url));
  const done = await run(execPath, [script, JSON.stringify(model)], { core });
  if (done.exitCode !== 0) {
    const line = done.text.split('\n').find((l) => /Error/.test(l)) ?? 'no message';
    throw new PeerError('RF-PEER-FAILED', `our own run ended with ${done.exitCode}: ${line.trim()}`);
  }
  return JSON.parse(done.text) as EngineRun;
}

/** Runs all engines in turn, round by round, so that a change of the machine's speed meets all of them. */
async function rounds(model: BenchModel, verifiers: readonly Verifier[], o: Options): Promise<ModelFigures> {
  const core = lastCore();
  const runs = new Map<EngineName, EngineRun[]>([['ringfence', []]]);
  for (const v of verifiers) runs.set(v.peer, []);
  for (let round = 1; round <= o.runs; round++) {
    for (const [engine, results] of runs) {
      stderr.write(`  ${modelName(model)}, round ${round} of ${o.runs}: ${engine}\n`);
      const verifier = verifiers.find((v) => v.peer === engine);
      results.push(verifier ? await verifier.run(core) : await runOurs(model, core));
    }
  }
  return compare(model, runs);
}

/** Compiles the verifiers of all peers, one inside the other so that each cleans up, and runs the rounds. */
function withAll(
  model: BenchModel,
  peers: readonly PeerName[],
  made: readonly Verifier[],
  o: Options,
): Promise<ModelFigures> {
  const [next, ...rest] = peers;
  if (next === undefined) return rounds(model, made, o);
  return withVerifier(next, model, (v) => withAll(model, rest, [...made, v], o));
}

function warnMissing(missing: readonly string[]): void {
  const bar = '*'.repeat(78);
  stderr.write(`${bar}\n* NOT COMPARED with every peer: ${missing.join(', ')} not installed.\n`);
  stderr.write(`* Figures of what is here follow; install with: apt-get install ${missing.join(' ')}\n${bar}\n`);
}

async function bench(o: Options): Promise<number> {
  const missing = [...new Set(PEERS.flatMap(missingPrograms))];
  if (missing.length > 0) {
    if (o.requirePeers) throw new PeerError('RF-PEER-MISSING', `${missing.join(', ')} not installed`);
    warnMissing(missing);
  }
  const peers = PEERS.filter((p) => missingPrograms(p).length === 0);
  const machine = { cpu: cpus()[0]?.model ?? arch(), node: process.version, pinned: canPin() };
  if (!o.json) stdout.write(`${machine.cpu}, Node ${machine.node}, ${machine.pinned ? 'one core' : 'not pinned'}\n\n`);
  const figures: ModelFigures[] = [];
  for (const model of o.quick ? QUICK : FULL) {
    const f = await withAll(model, peers, [], o);
    figures.push(f);
    if (!o.json) stdout.write(`${renderModel(f)}\n\n`);
  }
  if (o.json) stdout.write(`${JSON.stringify({ schema: 1, machine, missing, models: figures }, null, 2)}\n`);
  if (figures.some((f) => f.disagreements.length > 0)) return 1;
  return figures.some((f) => f.memoryTargetMet === false) ? 1 : 0;
}

async function main(): Promise<number> {
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === 'help') {
      stdout.write(`${USAGE}\n`);
      return 0;
    }
    return await bench(options);
  } catch (e) {
    if (e instanceof UsageError) {
      stderr.write(`${e.message}\n${USAGE}\n`);
      return 2;
    }
    if (e instanceof PeerError) {
      stderr.write(`${e.code}: ${e.message}\n`);
      return 3;
    }
    throw e;
  }
}

// Ending through exit() runs the handlers that stop children and remove folders.
process.once('SIGINT', () => exit(130));
process.once('SIGTERM', () => exit(143));
process.exitCode = await main();
