/** The commands that work on reports, and those that set a project up: report, gate, merge, init, completion. */
import { resolve } from 'node:path';
import { stdout } from 'node:process';
import { Argument, type Command } from 'commander';
import { embeddedSuites } from '../drivers/catalogue.js';
import { completionScript, SHELLS, type Shell } from './completion.js';
import { configSchemaText, readConfig } from './config.js';
import { EXIT } from './exit.js';
import { gate } from './gate.js';
import { init } from './init.js';
import { merge } from './merge.js';
import { DEFAULTS } from './options.js';
import { report } from './report.js';
import { TARGETS } from './targets.js';

/** What the program lends to those who add commands. */
export interface Program {
  readonly program: Command;
  /** Adds the options that every command has. */
  readonly common: (command: Command) => Command;
  readonly examples: (...lines: readonly string[]) => string;
  readonly done: (code: number) => void;
}

const absolute = (path: string): string => resolve(path);

export function addReportCommands({ program, common, examples, done }: Program): void {
  common(program.command('report'))
    .description('make the page, JUnit, SARIF and the summary again from report.json, and open the page')
    .option('--open', 'open the page in a browser', false)
    .option('--annotations', 'print workflow commands for the ten worst problems', false)
    .option('--lcov <file>', "line coverage of the specifications, from c8's lcov file", absolute)
    .option('--reasons <file>', 'why branches are never taken; what falls short then fails', absolute)
    .addHelpText('after', examples('report --open', 'report --annotations', 'report --lcov coverage/lcov.info'))
    .action(async (options) => done(await report(options)));

  common(program.command('gate'))
    .description('compare the report with the committed baseline: what was lost, and what is newly broken')
    .option('-b, --baseline <file>', 'the baseline', absolute, resolve(DEFAULTS.baseline))
    .option('--update', 'accept the report as the baseline', false)
    .addHelpText('after', examples('gate', 'gate --baseline ci/baseline.json', 'gate --update'))
    .action(async (options) => done(await gate(options)));

  common(program.command('merge'))
    .description('make one report of the reports of all shards')
    .argument('<report...>', 'report folders, or report.json files')
    .addHelpText('after', examples('merge shard-1 shard-2 shard-3', 'merge artifacts/* --out ringfence-report'))
    .action(async (paths: string[], options) => done(await merge(paths, options)));

  common(program.command('init'))
    .description('write a suite to start from, a config file and a CI workflow')
    .argument('[dir]', 'folder of the project', absolute, resolve('.'))
    .option('--schema', 'print the schema of the config file instead', false)
    .addHelpText('after', examples('init', 'init my-project', 'init --schema'))
    .action(async (folder: string, options) => {
      if (!options.schema) return done(await init(folder, options));
      stdout.write(configSchemaText());
      done(EXIT.holds);
    });

  program
    .command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', examples('completion bash', 'completion zsh', 'completion fish'))
    .action((shell: Shell) => {
      const suites = embeddedSuites.map((s) => s.name);
      const words = {
        verify: suites,
        list: suites,
        fastpath: suites,
        attack: TARGETS.map((t) => t.name),
        completion: SHELLS,
      };
      stdout.write(completionScript(program, shell, words));
      done(EXIT.holds);
    });
}

/**
 * Lets the config file of the working directory fill in what was not typed.
 * @throws CampaignError RF-CONFIG
 */
export function applyConfig(command: Command): void {
  // A project that is being set up, or a shell that is, needs none.
  if (command.name() === 'init' || command.name() === 'completion') return;
  const { suites, time, $schema: _, ...rest } = readConfig(resolve('.'));
  const values: Readonly<Record<string, unknown>> = { ...rest, time };
  for (const [key, value] of Object.entries(values)) {
    const known = command.options.some((o) => o.attributeName() === key);
    const source = command.getOptionValueSource(key);
    if (!known || value === undefined || (source !== undefined && source !== 'default')) continue;
    command.setOptionValueWithSource(key, value, 'config');
  }
  const takesSuites = command.registeredArguments[0]?.name() === 'suite';
  if (suites && takesSuites && command.args.length === 0) command.processedArgs = [suites];
}
