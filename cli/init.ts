/** `ringfence init`: a suite of one's own, a config file and a CI workflow, to start from. Never overwrites anything. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CampaignError } from '../explore/campaign/errors.js';
import { replaceFile } from '../reports/save.js';
import { CONFIG_FILE } from './config.js';
import { Console } from './console.js';
import { EXIT, failWith } from './exit.js';
import { shown } from './folder.js';
import { SUITE_TEMPLATE } from './initSuite.js';
import type { CommonOptions } from './options.js';

const CONFIG = {
  suites: ['./suites/lending.js'],
  runs: 500,
  out: 'ringfence-report',
  baseline: 'ringfence-baseline.json',
};

const WORKFLOW = `name: ringfence
on:
  pull_request:
  push:
    branches: [main]
permissions:
  contents: read
jobs:
  isolation:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      - run: npm ci
      # The gate compares with this file: make it with 'npx ringfence gate --update' and commit it.
      - run: npx ringfence verify
      # Also when something broke: the gate says what is new, and what was lost.
      - if: success() || failure()
        run: npx ringfence gate
      - if: always()
        run: cat ringfence-report/summary.md >> "$GITHUB_STEP_SUMMARY"
      - if: always()
        uses: actions/upload-artifact@v4
        with:
          name: ringfence-report
          path: ringfence-report
`;

/** The files, by path from the project's folder. */
export const INIT_FILES: ReadonlyMap<string, string> = new Map([
  ['suites/lending.js', SUITE_TEMPLATE],
  [CONFIG_FILE, `${JSON.stringify(CONFIG, undefined, 2)}\n`],
  ['.github/workflows/ringfence.yml', WORKFLOW],
]);

/** Runs the command; the exit code. */
export async function init(folder: string, o: Pick<CommonOptions, 'json' | 'quiet' | 'color'>): Promise<number> {
  const out = new Console(o);
  try {
    const taken = [...INIT_FILES.keys()].find((name) => existsSync(join(folder, name)));
    if (taken !== undefined) {
      throw new CampaignError(
        'RF-INIT',
        `${shown(join(folder, taken))} is there already, and init overwrites nothing; move it, or name another folder`,
      );
    }
    const isModule = existsSync(join(folder, 'package.json'));
    for (const [name, text] of INIT_FILES) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      replaceFile(path, text);
      out.lines([`${shown(path)}`]);
    }
    if (!isModule)
      out.note(
        'there is no package.json here; the suite needs one with "type": "module" and ringfence among its dependencies',
      );
    out.always(['next: npx ringfence verify, then npx ringfence gate --update']);
    out.json(`${JSON.stringify({ files: [...INIT_FILES.keys()] }, undefined, 2)}\n`);
    return EXIT.holds;
  } catch (thrown) {
    return failWith(thrown);
  }
}
