/**
 * After the build: makes the command executable, and lets `npx ringfence` find it in this very package. npm links the commands of
 * dependencies, but not a package's own.
 */
import { chmodSync, existsSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const main = join(dirname(fileURLToPath(import.meta.url)), 'main.js');
const bin = join(dirname(main), '..', '..', 'node_modules', '.bin');
chmodSync(main, 0o755);
if (existsSync(bin) && process.platform !== 'win32') {
  const link = join(bin, 'ringfence');
  rmSync(link, { force: true });
  symlinkSync(relative(bin, main), link);
}
