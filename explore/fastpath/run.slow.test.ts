/**
 * The gates end to end, on compiled code in processes of their own: allocating steps are caught with file, line and bytes; clean machines
 * read 0; the control reads 16; suites that hang, die or cannot be loaded end in one line.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CampaignError } from '../campaign/errors.js';
import { runFastpath } from './run.js';
import { type FastpathSheet, type SuiteSheet, sheetHolds } from './sheet.js';

const folder = mkdtempSync(join(tmpdir(), 'ringfence-compiled-'));
const out = join(folder, 'dist');
const child = join(out, 'explore/fastpath/child.js');

beforeAll(() => {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  mkdirSync(out);
  try {
    execFileSync(resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json', '--outDir', out]);
  } catch {
    // Type errors have their own check; what was emitted is what counts here.
  }
  expect(existsSync(child)).toBe(true);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A module in the compiled tree; '@/' stands for its root. */
function moduleOf(name: string, text: string): string {
  const path = join(folder, `${name}.js`);
  writeFileSync(path, text.replaceAll('@/', `${out}/`));
  return path;
}

function suiteText(machine: string, scope: string, imports: string): string {
  return `${imports}
    import { suite, claim } from '@/drivers/suite.js';
    import { invariant } from '@/properties/property.js';
    const anything = invariant('any', 'any', { states: 'anything', holds: () => true, witnesses: {} });
    export const s = suite('subject', { title: 'a test', machine: ${machine}, scope: { default: ${scope} }, assumptions: [],
      claims: [claim('anything', { keeps: [anything], against: [], without: [] })] });`;
}

const measure = (path: string, more: { timeoutMs?: number } = {}): Promise<FastpathSheet> =>
  runFastpath({ child, sources: [{ source: { kind: 'module', path } }], ...more });

function only(sheet: FastpathSheet): SuiteSheet {
  const [first] = sheet.suites;
  if (!first) throw new Error('no suite was measured');
  return first;
}

/** Line, from 1, of the first line of the file that contains the text. */
function lineOf(file: string, text: string): number {
  return (
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((l) => l.includes(text)) + 1
  );
}

describe('a suite with steps that allocate', () => {
  let sheet: FastpathSheet;
  beforeAll(async () => {
    sheet = await measure(join(out, 'explore/fastpath/leaky.js'));
  });

  it('is caught, and the control reads exactly 16 in both gates', () => {
    expect(sheetHolds(sheet)).toBe(false);
    expect(only(sheet)).toMatchObject({ suite: 'leaky', controlA: 16, controlB: 16 });
    expect(only(sheet).operations.map((o) => [o.operation, o.verdict])).toEqual([
      ['slot.fill', 'zero'],
      ['slot.empty', 'allocates'],
      ['slot.stamp', 'allocates'],
      ['slot.check', 'allocates'],
      ['slot.never', 'cannot happen'],
      ['slot.wildWrite', 'zero'],
    ]);
  });

  it.each([
    ['slot.empty', 'empty'],
    ['slot.stamp', 'stamp'],
    ['slot.check', 'check'],
  ])('names the step of %s by function, file and line, with its bytes', (operation, step) => {
    const row = only(sheet).operations.find((o) => o.operation === operation);
    const file = 'explore/fastpath/leaky.ts';
    const [first, ...others] = row?.allocations ?? [];
    expect(others).toEqual([]);
    expect(first).toMatchObject({ function: step, file, line: lineOf(file, `    ${step}: (`) });
    // At most 1,000 calls of at most 80 bytes were looked at, and at least a quarter of them allocated.
    expect(first?.bytes).toBeGreaterThanOrEqual(4_000);
    expect(first?.bytes).toBeLessThanOrEqual(80_000);
    expect(row?.gateA.bytes).toBeGreaterThan(0);
    expect(row?.gateB.bytes).toBeGreaterThan(0);
  });

  it('reads 0 of its clean operations, hostile ones included', () => {
    for (const name of ['slot.fill', 'slot.wildWrite']) {
      const row = only(sheet).operations.find((o) => o.operation === name);
      expect(row?.gateA).toMatchObject({ bytes: 0, calls: 11_111, tier: 'interpreter' });
      expect(row?.gateB).toMatchObject({ bytes: 0, calls: 60_000 });
    }
  });
});

describe('clean machines', () => {
  it('read 0 in both gates and after each fault family', async () => {
    const imports = "import { descriptorRing } from '@/model/textbook/descriptorRing.js';";
    const path = moduleOf('ring', suiteText('descriptorRing', '{ ring: 1, slot: 2, index: 4, payload: 1 }', imports));
    const sheet = await measure(path);
    expect(only(sheet).operations.filter((o) => o.verdict !== 'zero')).toEqual([]);
    expect(only(sheet).families).toEqual([{ fault: '', bytes: 0 }]);
    expect(sheetHolds(sheet)).toBe(true);
  });

  it('give the same sheet twice', async () => {
    const imports = "import { twoPhaseCommit } from '@/model/textbook/twoPhaseCommit.js';";
    const path = moduleOf('commit', suiteText('twoPhaseCommit', '{ rm: 3 }', imports));
    const [first, second] = [await measure(path), await measure(path)];
    const comparable = (s: FastpathSheet): unknown => only(s).operations.map(({ gateB: _, ...rest }) => rest);
    expect(comparable(second)).toEqual(comparable(first));
    expect(sheetHolds(first)).toBe(true);
  });
});

/** A machine of one operation with one step. */
const op = (step: string): string =>
  suiteText(
    "{ name: 'x', modules: [module('x', { tables: { t: table([], { a: u8() }) }, operations: [operationOn()('x.x', { agent: 'x', steps: { step: (m) => { " +
      step +
      ' } } })] })] }',
    '{}',
    "import { module, operationOn, table, u8 } from '@/model/kernel/index.js';",
  );

describe('a step that fills the heap', () => {
  it('is measured over fewer calls, because of the collections', async () => {
    const path = moduleOf('flood', op('globalThis.kept = new Array(1000).fill(m.t.a[0]);'));
    const [row] = only(await measure(path)).operations;
    const perCall = 16 + 16 + 8 * 1000;
    expect(row?.verdict).toBe('allocates');
    expect((row?.gateA.bytes ?? 0) / 11_111 / perCall).toBeCloseTo(1, 1);
    expect((row?.gateB.bytes ?? 0) / 60_000 / perCall).toBeCloseTo(1, 1);
  });
});

describe('ringfence fastpath', () => {
  function command(...args: readonly string[]): { code: number | null; stdout: string; stderr: string } {
    const report = join(folder, 'report');
    const done = spawnSync(process.execPath, [join(out, 'cli/main.js'), 'fastpath', '--out', report, ...args], {
      encoding: 'utf8',
    });
    return { code: done.status, stdout: done.stdout, stderr: done.stderr };
  }

  it('exits with 1 and names what allocates, on screen, as JSON and in the report folder', () => {
    const path = join(out, 'explore/fastpath/leaky.js');
    const shown = command(path);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/empty \(explore\/fastpath\/leaky\.ts:\d+\) allocates/);
    expect(shown.stdout).toContain('slot.never      cannot happen');
    expect(shown.stdout).toMatch(/allocates: 3 of 6 operations on V8 .*; 1 operation cannot happen/);
    const printed = command('--json', path);
    expect(printed.code).toBe(1);
    expect(JSON.parse(printed.stdout)).toMatchObject({
      schema: 2,
      suites: [{ suite: 'leaky', controlA: 16, controlB: 16 }],
    });
    expect(readFileSync(join(folder, 'report', 'fastpath.json'), 'utf8')).toBe(printed.stdout);
  });

  it('exits with 0 for a clean suite, and claims what was measured', () => {
    const done = command('--quiet', moduleOf('clean', op('m.t.a[0] ^= 1;')));
    expect(done.stderr).toBe('');
    expect(done.code).toBe(0);
    expect(done.stdout).toMatch(
      /^0 bytes in 11,111 calls at tier interpreter, and in 60,000 calls at V8's default tiers \(.*\), of each of 1 operation, 0 of them on the data path, on V8 \S+\n$/,
    );
  });

  it('measures several suites at once, prints a line for each of many, and writes them in the order asked for', () => {
    const lines = op('m.t.a[0] ^= 1;').split('export const s =');
    const many = Array.from(
      { length: 6 },
      (_, i) => `export const s${10 + i} =${lines[1]?.replace("'subject'", `'s${10 + i}'`)}`,
    );
    const done = command('--workers', '2', moduleOf('many', `${lines[0]}${many.join('\n')}`));
    expect(done.code).toBe(0);
    expect(done.stdout.match(/^s\d+: 1 operation, 0 on the data path, control/gm)).toHaveLength(6);
    const written = JSON.parse(readFileSync(join(folder, 'report', 'fastpath.json'), 'utf8'));
    expect(written.suites.map((s: SuiteSheet) => s.suite)).toEqual(many.map((_, i) => `s${10 + i}`));
  });

  it('says what is known when it is interrupted, and writes no sheet', async () => {
    const report = join(folder, 'interrupted');
    const path = moduleOf('slow', op('for (let i = 0; i < 2e5; i++) m.t.a[0] ^= 1;'));
    const args = [join(out, 'cli/main.js'), 'fastpath', '--out', report, '--workers', '1'];
    const temporary = mkdtempSync(join(folder, 'tmp-'));
    const child = spawn(process.execPath, [...args, path], { env: { ...process.env, TMPDIR: temporary } });
    let shown = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      shown += text;
    });
    // The second request is the recording's: from there on there is something to interrupt.
    const requests = (): number =>
      readdirSync(temporary, { recursive: true }).filter((f) => /request/.test(`${f}`)).length;
    while (requests() < 2) await new Promise((resolve) => setTimeout(resolve, 50));
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(shown).toBe('interrupted: 0 of 1 suite measured; no sheet is written\n');
    expect(code).toBe(130);
    expect(existsSync(join(report, 'fastpath.json'))).toBe(false);
  });

  it('exits with 2 for a suite that does not exist, in one line', () => {
    const done = command('no-such-suite');
    expect(done.code).toBe(2);
    expect(done.stderr).toMatch(/^RF-SUITE-UNKNOWN: .*\n$/);
  });
});

describe('suites that cannot be measured', () => {
  it.each([
    ['hangs', op('for (;;) m.t.a[0] = 1;'), 'RF-SUITE-HANGS', /takes more than 3 s/],
    ['throws', op("throw new Error('no such\\nluck');"), 'RF-SUITE-THREW', /^no such$/],
    ['ends the process', op('process.exit(0);'), 'RF-WORKER-DIED', /ended without an answer/],
    ['exports nothing', 'export const x = 1;', 'RF-SUITE-MODULE', /exports no suite/],
  ])('a suite that %s ends in one line', async (name, text, code, says) => {
    const timeoutMs = name === 'hangs' ? 3_000 : 60_000;
    const failed = await measure(moduleOf(`bad-${name.replaceAll(' ', '-')}`, text), { timeoutMs }).catch((e) => e);
    expect(failed).toBeInstanceOf(CampaignError);
    expect(failed.code).toBe(code);
    expect(failed.says).toMatch(says);
  });

  it('says that compiled code is missing', async () => {
    const failed = await runFastpath({ child: join(folder, 'none.js') }).catch((e) => e);
    expect(failed).toMatchObject({ code: 'RF-OPTION' });
    expect(failed.says).toContain('npm run build');
  });
});
