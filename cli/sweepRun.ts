/**
 * `npm run sweep`: tries generated mutants of the suites (explore/sweep) and writes `sweep.json`. Fails when a mutant survives without
 * a reason, or has a reason and is noticed. Options: sweepOptions.ts.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { argv, exit, stdout } from 'node:process';
import { z } from 'zod';
import { architectureSuites } from '../drivers/architectures/index.js';
import { embeddedSuites } from '../drivers/catalogue.js';
import { CampaignError } from '../explore/campaign/errors.js';
import { Sweep, type SweepFile, targetsOf } from '../explore/sweep/sweep.js';
import { EXIT, failWith } from './exit.js';
import { readSweepOptions, type SweepOptions, USAGE } from './sweepOptions.js';

const FILE = 'sweep.json';
const shape = z.strictObject({
  killed: z.record(z.string(), z.string()),
  survivors: z.record(z.string(), z.string()),
  untried: z.array(z.string()),
});

function read(): SweepFile {
  return existsSync(FILE)
    ? shape.parse(JSON.parse(readFileSync(FILE, 'utf8')))
    : { killed: {}, survivors: {}, untried: [] };
}

function write(file: SweepFile): void {
  writeFileSync(`${FILE}.new`, `${JSON.stringify(file, null, 2)}\n`);
  renameSync(`${FILE}.new`, FILE);
}

/** Tries the mutants that are asked for, and keeps what is known of the others; the exit code. */
function run(options: SweepOptions): number {
  const core = embeddedSuites.filter((s) => options.all || !architectureSuites.includes(s));
  const suites = options.suites.length > 0 ? embeddedSuites.filter((s) => options.suites.includes(s.name)) : core;
  const partial = options.suites.length > 0 || options.mutants.length > 0;
  const known = read();
  const killed: Record<string, string> = partial ? { ...known.killed } : {};
  const survivors: Record<string, string> = partial ? { ...known.survivors } : {};
  const untried = new Set(known.untried);
  const problems: string[] = [];
  const sweep = new Sweep();
  const wanted = (name: string): boolean =>
    options.mutants.length === 0 || options.mutants.some((text) => name.includes(text));
  // What nothing is known of comes first: an interrupted run has then seen all that is new.
  const targets = targetsOf(suites)
    .filter((t) => !t.unseen && wanted(t.name))
    .sort((a, b) => Number(a.name in known.survivors) - Number(b.name in known.survivors));
  if (targets.length === 0)
    throw new CampaignError('RF-OPTION', `no mutant's name contains '${options.mutants.join("' or '")}'`);
  for (const [i, target] of targets.entries()) {
    const before = known.killed[target.name];
    if (before !== undefined && options.resume) {
      killed[target.name] = before;
      continue;
    }
    const answer = sweep.try(target, before);
    const reason = known.survivors[target.name] ?? '';
    untried.delete(target.name);
    delete (answer.killed ? survivors : killed)[target.name];
    if (answer.killed) {
      killed[target.name] = answer.by;
      if (reason !== '') problems.push(`${target.name}: has a reason to survive, but ${answer.by}`);
    } else {
      survivors[target.name] = reason;
      if (reason === '')
        problems.push(`${target.name}: survives in ${target.suites.map((x) => x.suite.name).join(', ')}`);
    }
    stdout.write(`${i + 1}/${targets.length} ${target.name}: ${answer.killed ? answer.by : `SURVIVES ${answer.by}`}\n`);
    if (i % 16 === 15) {
      // So far: what was known, as far as this run has not found otherwise.
      const noticed = { ...known.killed, ...killed };
      for (const name of Object.keys(survivors)) delete noticed[name];
      const others = Object.entries({ ...known.survivors, ...survivors }).filter(([name]) => !(name in noticed));
      write({ killed: noticed, survivors: Object.fromEntries(others), untried: [...untried] });
    }
  }
  write({ killed, survivors, untried: partial ? [...untried] : [] });
  for (const p of problems) stdout.write(`${p}\n`);
  stdout.write(
    `${targets.length} mutants tried; ${Object.keys(killed).length} noticed, ${Object.keys(survivors).length} survive\n`,
  );
  return problems.length > 0 ? EXIT.broken : EXIT.holds;
}

try {
  const options = readSweepOptions(argv.slice(2));
  if (options === 'help') {
    stdout.write(`${USAGE}\n`);
    exit(EXIT.holds);
  }
  exit(run(options));
} catch (thrown) {
  exit(failWith(thrown));
}
