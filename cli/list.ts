/** `ringfence list`: the suites, a line each; those that are named with their claims, faults and scopes. */

import { propertyKey, type SuiteDescription } from '../explore/campaign/described.js';
import { hang, printable } from '../reports/text.js';
import { Console } from './console.js';
import { complain, EXIT, exitCodeOf, failWith } from './exit.js';
import type { CommonOptions } from './options.js';
import { DEFAULTS } from './options.js';
import { suitesFor } from './suites.js';
import { TARGETS } from './targets.js';

/** Columns that a title needs to stand beside its name. */
const MIN_TITLE = 50;

/** Runs the command; the exit code. */
export async function list(
  args: readonly string[],
  o: CommonOptions & { readonly patience: number; readonly verbose: boolean },
): Promise<number> {
  const out = new Console(o);
  try {
    const running = {
      workers: DEFAULTS.workers,
      patienceMs: o.patience,
      onOutput: (t: string) => out.note(t.trimEnd()),
    };
    const { suites, errors } = await suitesFor(args, running);
    for (const { error } of errors) complain(error.code, error.says);
    out.json(`${JSON.stringify({ suites: suites.map(plain), targets: TARGETS }, undefined, 2)}\n`);
    const { width } = out.page;
    if (o.quiet) out.always(suites.map((s) => s.name));
    if (args.length > 0 || o.verbose) for (const s of suites) out.lines([...suiteLines(s, out), '']);
    else out.lines([...contents(suites, out), '']);
    if (args.length === 0) {
      out.lines([out.page.style.bold('targets, for ringfence attack')]);
      out.lines(TARGETS.flatMap((t) => hang(`  ${t.name.padEnd(10)} `, t.says, width)));
    }
    const [first] = errors;
    return first ? exitCodeOf(first.error.blame) : EXIT.holds;
  } catch (thrown) {
    return failWith(thrown);
  }
}

/** The suites as a table of contents: name, number of claims, title. */
function contents(suites: readonly SuiteDescription[], out: Console): string[] {
  const { width, style } = out.page;
  const longest = Math.max(...suites.map((s) => s.name.length));
  // On a narrow page the title goes below the name.
  const beside = width - longest >= MIN_TITLE;
  const claims = suites.reduce((n, s) => n + s.claims.length, 0);
  return [
    ...suites.flatMap((s) =>
      beside
        ? hang(`${s.name.padEnd(longest)}  `, printable(s.title), width)
        : [style.bold(s.name), ...hang('    ', printable(s.title), width)],
    ),
    '',
    `${suites.length} suites, ${claims} claims; ringfence list NAME tells one in full`,
  ];
}

function suiteLines(s: SuiteDescription, out: Console): string[] {
  const { width, style } = out.page;
  const scopes = Object.entries(s.scopes).map(
    ([name, scope]) =>
      `${name} (${Object.entries(scope)
        .map(([sort, n]) => `${sort}=${n}`)
        .join(',')})`,
  );
  const lines = [
    ...hang('', `${s.name}: ${printable(s.title)}`, width).map(style.bold),
    ...hang('  scopes: ', scopes.join(', '), width),
    ...hang('  faults: ', s.faults.join(' ') || 'none', width),
  ];
  for (const c of s.claims) {
    const against = c.against.length > 0 ? ` (against ${c.against.join(', ')})` : '';
    lines.push(
      ...hang(
        '  - ',
        `${printable(c.says)}${against}${c.expects === 'contained' ? '' : ': not claimed to be contained'}`,
        width,
      ),
    );
    lines.push(...hang('      keeps ', c.keeps.map(propertyKey).join(', '), width).map(style.dim));
    const off = c.without.map((w) => `${w.off}${w.kind === 'mutant' ? ' (mutant)' : ''}`).join(', ');
    if (off) lines.push(...hang('      must break without ', printable(off), width).map(style.dim));
  }
  return lines;
}

/** The description without what depends on where the package lies. */
function plain(s: SuiteDescription): Omit<SuiteDescription, 'source' | 'glance'> & { module: string | null } {
  const { source, glance: _, ...rest } = s;
  return { ...rest, module: source.kind === 'module' ? source.path : null };
}
