/** The command line: commands, options, help with examples. */
import { resolve } from 'node:path';
import { Argument, Command, CommanderError, Option } from 'commander';
import { RECORDING } from '../explore/fastpath/recording.js';
import { attack } from './attack.js';
import { doctor } from './doctor.js';
import { complain, EXIT } from './exit.js';
import { fastpath } from './fastpath.js';
import { list } from './list.js';
import { matrix } from './matrix.js';
import { nearest } from './nearest.js';
import { DEFAULTS, duration, integer, shard } from './options.js';
import { replay } from './replay.js';
import { addReportCommands, applyConfig } from './reportCommands.js';
import { verify } from './verify.js';
import { version } from './version.js';

const EXIT_CODES = `
Exit codes:
  0    everything holds
  1    a property broke, a counterpart held, a claim was checked in vain, or the fast path allocates
  2    usage: an option, a suite or a trace that is no good
  3    a target or the environment failed, or time was up before all claims were exercised
  130  interrupted, and nothing had broken so far`;

const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((l) => `  $ ringfence ${l}`).join('\n')}`;

/** Options that every command has. */
function common(command: Command): Command {
  return command
    .option('-o, --out <dir>', 'folder of the report', (dir: string) => resolve(dir), resolve(DEFAULTS.out))
    .option('--json', 'print the result as JSON on standard output', false)
    .option('-q, --quiet', 'print the answer only', false)
    .option('--no-color', 'no colours (NO_COLOR is heard as well)');
}

const patience = (): Option =>
  new Option('--patience <seconds>', 'how long a suite may give no sign of life')
    .argParser(duration)
    .default(DEFAULTS.patienceMs, `${DEFAULTS.patienceMs / 1000}`);
const seed = (): Option =>
  new Option('--seed <n>', 'where random runs start').argParser(integer(0, 0x7fffffff)).default(DEFAULTS.seed);

/** Parses the arguments and runs the command they name; the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let code: number = EXIT.holds;
  const program = new Command('ringfence')
    .description(
      'Checks which attacks an isolation architecture contains, under which assumptions, and what breaks without each gate.',
    )
    .version(version, '-V, --version')
    .helpOption('-h, --help', 'help, for each command too')
    .addHelpText(
      'after',
      examples('verify', 'verify memory --scope small', 'attack qemu-vtd --time 60', 'doctor') + EXIT_CODES,
    );

  common(program.command('verify'))
    .description('run suites: all embedded ones, those named, or those that a module of yours exports')
    .argument('[suite...]', 'names, or paths of .js or .mjs modules')
    .option('-s, --scope <scope>', 'small, default, large, or sizes: domain=3,frame=2')
    .addOption(new Option('-t, --time <seconds>', 'time for everything; what is left open is told').argParser(duration))
    .addOption(
      new Option('--runs <n>', 'random runs of each suite; 0: none')
        .argParser(integer(0, 10_000_000))
        .default(DEFAULTS.runs),
    )
    .addOption(seed())
    .addOption(new Option('-w, --workers <n>', 'threads').argParser(integer(1, 64)).default(DEFAULTS.workers))
    .addOption(patience())
    .addOption(new Option('--shard <i/n>', 'only every n-th suite, from the i-th on; see merge').argParser(shard))
    .option('--resume', 'go on from the checkpoints of an interrupted run', false)
    .option('-v, --verbose', 'every counterpart, fault and assumption, suite by suite', false)
    .addHelpText(
      'after',
      examples('verify', 'verify memory iommu --time 5m', 'verify ./dist/my-suite.js --scope frame=3') + EXIT_CODES,
    )
    .action(async (suites: string[], options) => {
      code = await verify(suites, options);
    });

  common(program.command('list'))
    .description('list the suites; those that are named with their claims, faults and scopes')
    .argument('[suite...]', 'names, or paths of modules')
    .option('-v, --verbose', 'claims, faults and scopes of all', false)
    .addOption(patience())
    .addHelpText('after', examples('list', 'list memory', 'list --json ./dist/my-suite.js'))
    .action(async (suites: string[], options) => {
      code = await list(suites, options);
    });

  common(program.command('attack'))
    .description('let the same attacks loose on a real target, in lockstep with its specification')
    .addArgument(new Argument('<target>', "what to attack; see 'ringfence list'"))
    .option('--qemu <path>', 'the QEMU to attack', 'qemu-system-x86_64')
    .addOption(new Option('-t, --time <seconds>', 'time for all programs').argParser(duration).default(60_000, '60'))
    .addOption(new Option('--runs <n>', 'most programs').argParser(integer(1, 10_000_000)))
    .addOption(seed())
    .addHelpText(
      'after',
      examples(
        'attack qemu-vtd',
        'attack qemu-vtd --time 10m --seed 7',
        'attack qemu-vtd --qemu /opt/qemu/bin/qemu-system-x86_64',
      ) + EXIT_CODES,
    )
    .action(async (target: string, options) => {
      code = await attack(target, options);
    });

  common(program.command('fastpath'))
    .description("measure to the byte what the operations of suites allocate on V8's heap")
    .argument('[suite...]', 'names, or paths of .js or .mjs modules')
    .addOption(
      new Option('--seed <n>', 'where the recorded mix of calls starts')
        .argParser(integer(0, 0x7fffffff))
        .default(RECORDING.seed),
    )
    .addOption(
      new Option('-w, --workers <n>', 'suites measured at once').argParser(integer(1, 64)).default(DEFAULTS.workers),
    )
    .addOption(patience().default(300_000, '300'))
    .option('-v, --verbose', 'every operation, however many suites there are', false)
    .addHelpText(
      'after',
      examples('fastpath', 'fastpath ring iommu', 'fastpath --json ./dist/my-suite.js') + EXIT_CODES,
    )
    .action(async (suites: string[], options) => {
      code = await fastpath(suites, options);
    });

  common(program.command('matrix'))
    .description(
      'print the containment matrix of the five architectures, from the report of a run that had their suites',
    )
    .option('--markdown', 'print Markdown', false)
    .option('--verbose', 'tell every cell in words: evidence, scope, what was injected, trace', false)
    .addHelpText(
      'after',
      examples('verify && ringfence matrix', 'matrix --verbose', 'matrix --markdown', 'matrix --json') + EXIT_CODES,
    )
    .action(async (options) => {
      code = await matrix(options);
    });

  common(program.command('replay'))
    .description('tell a trace file step by step, with what each step changed and the memory map')
    .argument('<trace>', 'a file of ringfence-report/traces')
    .option('-m, --module <path>', 'module of the suite, if it is not an embedded one')
    .option('--qemu <path>', 'the QEMU to replay on, for the trace of an attack')
    .addOption(patience())
    .addHelpText(
      'after',
      examples(
        'replay ringfence-report/traces/memory-i1-3f9c02d1.json',
        'replay trace.json --module ./dist/my-suite.js',
        'replay --json trace.json',
      ),
    )
    .action(async (trace: string, options) => {
      code = await replay(trace, options);
    });

  common(program.command('doctor'))
    .description('see whether this machine has what the commands need')
    .option('--qemu <path>', 'the QEMU to look at')
    .addHelpText('after', examples('doctor', 'doctor --json', 'doctor --qemu /opt/qemu/bin/qemu-system-x86_64'))
    .action(async (options) => {
      code = await doctor(options);
    });

  const done = (ended: number): void => {
    code = ended;
  };
  addReportCommands({ program, common, examples, done });

  program.hook('preAction', (_, command) => applyConfig(command));
  quiet(program);
  if (args.length === 0) {
    program.outputHelp();
    return EXIT.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return usageError(program, args, thrown);
    throw thrown;
  }
}

/** Commander shall neither print errors nor end the process. */
function quiet(program: Command): void {
  for (const c of [program, ...program.commands]) {
    c.exitOverride()
      .configureOutput({ writeErr: () => {} })
      .showSuggestionAfterError(true);
  }
}

function usageError(program: Command, args: readonly string[], e: CommanderError): number {
  // Help and version that were asked for are no errors.
  if (e.exitCode === 0) return EXIT.holds;
  const names = program.commands.map((c) => c.name());
  if (e.code === 'commander.unknownCommand') {
    const wanted = args.find((a) => !a.startsWith('-')) ?? '';
    const near = nearest(wanted, names);
    complain(
      'RF-USAGE',
      `there is no command '${wanted}'; ${near ? `did you mean '${near}'?` : `there are ${names.join(', ')}`}`,
    );
    return EXIT.usage;
  }
  const says = e.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  complain(
    'RF-USAGE',
    `${says}${says.endsWith('.') || says.endsWith('?') || says.endsWith('?)') ? '' : `; see 'ringfence ${names.includes(args[0] ?? '') ? `${args[0]} ` : ''}--help'`}`,
  );
  return EXIT.usage;
}
