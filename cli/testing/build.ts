/** Builds dist/ once before tests that run the command in a process of its own. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export default function build(): void {
  if (process.env.RINGFENCE_TEST_DIST !== undefined) return;
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const marker = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
  // An old build must not pass for a new one.
  rmSync(marker, { force: true });
  try {
    execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json'], { cwd: root, encoding: 'utf8', stdio: 'pipe' });
  } catch (thrown) {
    const told = thrown instanceof Error && 'stdout' in thrown ? String(thrown.stdout) : String(thrown);
    process.stderr.write(`the build has errors; tests that need it may fail:\n${told}\n`);
  }
  // Whoever installed the package has made the command executable; a new file is not.
  if (existsSync(marker)) chmodSync(marker, 0o755);
}
