/** Tests in three projects, by what they need. */
import { defineConfig } from 'vitest/config';

const exclude = ['dist/**', 'node_modules/**', 'examples/**'];

// Three projects, by what a test needs: `quick` is pure and short, `slow` explores default scopes or starts processes, `qemu` needs a QEMU.
export default defineConfig({
  test: {
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
