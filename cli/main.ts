#!/usr/bin/env node
/** The command `ringfence`. */
import { argv, exit, stdout } from 'node:process';
import { failWith } from './exit.js';
import { run } from './program.js';

let code: number;
try {
  code = await run(argv.slice(2));
} catch (thrown) {
  code = failWith(thrown);
}
process.exitCode = code;
// Pipes take what was written before the process ends; nothing else is worth waiting for.
stdout.write('', () => exit(code));
