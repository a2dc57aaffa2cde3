/** `ringfence doctor`: whether this machine has what the commands need, and what to do where it has not. */
import { execFile } from 'node:child_process';
import { availableParallelism, freemem } from 'node:os';
import { version as nodeVersion } from 'node:process';
import { locateQemu } from '../drivers/qemu/process.js';
import { oneLine } from '../explore/campaign/errors.js';
import { checkFolder } from '../reports/save.js';
import { hang } from '../reports/text.js';
import { Console } from './console.js';
import { EXIT } from './exit.js';
import type { CommonOptions } from './options.js';
import { version } from './version.js';

export interface DoctorOptions extends CommonOptions {
  readonly qemu?: string;
}

interface Check {
  readonly name: string;
  /** `missing`: only some commands need it. `bad`: nothing works without. */
  readonly state: 'ok' | 'missing' | 'bad';
  readonly says: string;
}

const OLDEST_NODE = [20, 19] as const;

/** Runs the command; the exit code: 3 when something is wrong that `verify` needs. */
export async function doctor(o: DoctorOptions): Promise<number> {
  const out = new Console(o);
  const checks = [
    node(),
    folder(o.out),
    await qemu(o.qemu),
    await program('spin', ['-V'], /Version ([\d.]+)/, 'npm run bench'),
    await program('rumur', ['--version'], /(v?[\d.]+)/, 'npm run bench'),
    await program('gcc', ['-dumpfullversion'], /([\d.]+)/, 'npm run bench'),
    {
      name: 'workers',
      state: 'ok',
      says: `${availableParallelism()} cores, ${Math.round(freemem() / 2 ** 30)} GiB of memory free`,
    },
  ] satisfies Check[];
  out.json(`${JSON.stringify({ ringfence: version, checks }, undefined, 2)}\n`);
  const { style, width } = out.page;
  const paint = { ok: style.green, missing: style.yellow, bad: style.red };
  out.lines([`ringfence ${version}`]);
  for (const c of checks) {
    const [head = '', ...rest] = hang(`${c.state.padEnd(8)}${c.name.padEnd(9)}`, c.says, width);
    const lines = [paint[c.state](head.slice(0, 8)) + head.slice(8), ...rest];
    if (c.state === 'ok') out.lines(lines);
    else out.always(lines);
  }
  return checks.some((c) => c.state === 'bad') ? EXIT.environment : EXIT.holds;
}

function node(): Check {
  const [major = 0, minor = 0] = nodeVersion.slice(1).split('.').map(Number);
  const enough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  const needed = OLDEST_NODE.join('.');
  return { name: 'node', state: enough ? 'ok' : 'bad', says: `${nodeVersion}; ${needed} or newer is needed` };
}

function folder(path: string): Check {
  try {
    checkFolder(path);
    return { name: 'folder', state: 'ok', says: `${path} can be written` };
  } catch (thrown) {
    return { name: 'folder', state: 'bad', says: oneLine(thrown) };
  }
}

async function qemu(path: string | undefined): Promise<Check> {
  try {
    const found = await locateQemu(path);
    const clock = found.qtestAccel
      ? 'with the qtest accelerator'
      : 'without the qtest accelerator: slower, but it works';
    return { name: 'qemu', state: 'ok', says: `${found.path} ${found.version}, ${clock}` };
  } catch (thrown) {
    return { name: 'qemu', state: 'missing', says: `${oneLine(thrown)} (needed for ringfence attack qemu-vtd)` };
  }
}

function program(name: string, args: readonly string[], banner: RegExp, neededFor: string): Promise<Check> {
  return new Promise((resolve) => {
    execFile(name, [...args], { timeout: 10_000, encoding: 'utf8' }, (error, stdout, stderr) => {
      const found = banner.exec(`${stdout}${stderr}`);
      if (error === null || found) resolve({ name, state: 'ok', says: found?.[1] ?? 'found' });
      else resolve({ name, state: 'missing', says: `not found; apt-get install ${name} (needed for ${neededFor})` });
    });
  });
}
