/** Generated mutants of the block driver: steps that nobody missed, and guards that say who acts. */
import { mutant } from '../drivers/suite.js';
import { access, backFinalCheck } from '../model/blockBack.js';
import { collect } from '../model/blockFront.js';
import { close, closed } from '../model/blockFrontLife.js';
import { announce, attach, takeBack } from '../model/blockManager.js';
import { guardWith, replace } from '../model/kernel/index.js';

const step = 'generated: omitted step';
const guard = 'generated: omitted guard';

export const bufferKeptLent = mutant('buffer kept lent', {
  says: 'a request completes, and the grant of its buffer is not ended',
  source: step,
  edits: [replace(collect, 'end access to the buffer', () => {})],
});
export const buffersKeptClosed = mutant('buffers kept lent by a closed device', {
  says: 'a device closes, and the grants of the buffers of its failed requests are not ended',
  source: step,
  edits: [replace(closed, 'end access to the buffers', () => {})],
});
export const backThresholdKept = mutant('threshold of requests kept', {
  says: 'the last look for requests does not set the threshold',
  source: step,
  edits: [replace(backFinalCheck, 'set the threshold', () => {})],
});
export const notAnnounced = mutant('backend not announced', {
  says: 'a backend announces itself, and its node stays as it was',
  source: step,
  edits: [replace(announce, 'InitWait', () => {})],
});
export const closingNotAnnounced = mutant('closing not announced', {
  says: 'a frontend closes its device and tells nobody',
  source: step,
  edits: [replace(close, 'announce it', () => {})],
});
export const connectedAsleep = mutant('connected asleep', {
  says: 'a backend that connects does not set its indices, and does not look for requests',
  source: step,
  edits: [replace(attach, 'set the private indices', () => {})],
});
export const handlerNeverEnds = mutant('handler never ends', {
  says: 'the last look for requests finds nothing, and the handler goes on looking',
  source: step,
  edits: [replace(backFinalCheck, 'sleep', () => {})],
});
export const hungServes = mutant('hung backend serves', {
  says: 'a backend that hangs, or is dead, does the disk access of its requests',
  source: guard,
  edits: [guardWith(access, 'agent', undefined)],
});
export const hostileConnects = mutant('hostile backend taken for honest', {
  says: 'a hostile backend connects as an honest one does, and its frontend believes it',
  source: guard,
  edits: [guardWith(attach, 'agent', undefined)],
});
export const takenFromTheLiving = mutant('mappings of the living taken', {
  says: 'the VMM takes mappings back without a look at whether their backend is dead',
  source: guard,
  edits: [guardWith(takeBack, 'dead', undefined)],
});
export const collectsUnasked = mutant('responses collected unasked', {
  says: 'a frontend takes responses whenever there are any, connected or not',
  source: guard,
  edits: [guardWith(collect, 'agent', undefined)],
});
