/** Where the suites of the block split driver begin, and what they take for granted. */
import { type Block, DONE_OK } from '../../model/blockState.js';
import { flag, module, NONE, sort } from '../../model/kernel/index.js';
import { connectAll } from '../../model/splitBlock.js';

const beginning = sort('connection', { members: ['just created', 'connected', 'connected in the second epoch'] });

/** Begins at the beginning, or past the handshake: races then need few steps. All three can be reached from the first. */
export const blockStart = module<Block, Record<never, never>>('start of the block driver', {
  tables: {},
  operations: [],
  initial: (m) => {
    const from = m.choose(beginning);
    if (from > 0) connectAll(m, from === 2);
  },
});

/** Connected, with a disk that may be written or not. */
export const connectedStart = module<Block, Record<never, never>>('connected', {
  tables: {},
  operations: [],
  initial: (m) => {
    connectAll(m, false);
    m.vbd.readOnly[0] = m.choose(flag, 'read-only');
    if (m.vbd.readOnly[0] === 1) m.disk.writer.fill(NONE);
  },
});

/** Connected. */
export const plainStart = module<Block, Record<never, never>>('connected, disks writable', {
  tables: {},
  operations: [],
  initial: (m) => connectAll(m, false),
});

/** Connected; all frontends but the last have done what they had to do. */
export const idleStart = module<Block, Record<never, never>>('connected, strangers idle', {
  tables: {},
  operations: [],
  initial: (m) => {
    connectAll(m, false);
    m.client.state.fill(DONE_OK, 0, m.client.at(m.fe.rows - 1, 0));
  },
});

/** What all suites of the block driver take for granted. */
export const assumptions = [
  'stub: grants are a table of which backend maps which page; grants.ts has the protocol',
  'stub: a disk holds who wrote each sector, and a secret bit, not bytes',
  'atomic: push with its notification, and the final check; the suite ring takes them apart',
  'trusted: device manager, tool stack and VMM',
  'scoped: backends fail only while the scope has another epoch to restart them in',
];
