/** Tests in three projects, by what they need. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** What some tests need beside Node; CI forbids to leave any of them out. */
const needs: readonly (readonly [string, string])[] = [
  ['qemu-system-x86_64', '**/*.qemu.test.ts'],
  ['chromium', '**/*.browser.slow.test.ts'],
  ['spin', 'bench/peers.slow.test.ts'],
  ['rumur', 'bench/peers.slow.test.ts'],
];
const missing =
  process.env.RINGFENCE_REQUIRE_QEMU === '1'
    ? []
    : needs.filter(([command]) => spawnSync('which', [command]).status !== 0);
for (const [command, tests] of missing) {
  console.error(`NOT TESTED: ${command} is not installed, so ${tests} does not run (README: Two commands)`);
}

const exclude = ['dist/**', 'node_modules/**', 'examples/**', ...missing.map(([, tests]) => tests)];

// Three projects, by what a test needs: `quick` is pure and short, `slow` explores default scopes or starts processes, `qemu` needs a QEMU.
export default defineConfig({
  test: {
    // All cores: the default leaves one to the watcher, and on two cores that is half of them.
    maxWorkers: availableParallelism(),
    projects: [
      {
        test: {
          name: 'quick',
          testTimeout: 30_000,
          include: ['**/*.test.ts'],
          exclude: [...exclude, '**/*.slow.test.ts', '**/*.qemu.test.ts'],
        },
      },
      {
        test: {
          name: 'slow',
          include: ['**/*.slow.test.ts'],
          exclude,
          globalSetup: './cli/testing/build.ts',
          testTimeout: 180_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'qemu',
          include: ['**/*.qemu.test.ts'],
          exclude,
          globalSetup: './cli/testing/build.ts',
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
