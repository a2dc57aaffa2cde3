/** Ctrl-C and termination: the first asks to end, the second does not ask. */
import { exit } from 'node:process';
import { EXIT } from './exit.js';

/** Calls `ask` at the first SIGINT or SIGTERM; the returned function lets go of the signals. */
export function onInterrupt(ask: () => void): () => void {
  let asked = false;
  const handler = (): void => {
    if (asked) exit(EXIT.interrupted);
    asked = true;
    ask();
  };
  process.on('SIGINT', handler);
  process.on('SIGTERM', handler);
  return () => {
    process.off('SIGINT', handler);
    process.off('SIGTERM', handler);
  };
}
