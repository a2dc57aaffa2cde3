/** What must hold of crash, hang, restart and detachment: DD-S5, DD-L1, and what recovery must not do. */
import {
  ABSENT,
  clientOfRow,
  DETACHED,
  DYING,
  HUNG,
  holdsAnything,
  IDLE,
  isBlock,
  lives,
  PERFORMED,
  type Restart,
  RUNNING,
  STARTED,
  serverOf,
} from '../../../model/architectures/driverReuse/restartState.js';
import { NONE } from '../../../model/kernel/index.js';
import { isQuiescent } from '../../paths.js';
import { invariant, noninterference, progress, relation } from '../../property.js';

const died = (m: Restart): boolean => m.ddos.life.includes(DYING);
const restarted = (m: Restart): boolean => m.ddos.generation.some((g) => g > 0);
const flies = (m: Restart): boolean => m.ddos.dma.some((d) => d !== NONE);
const detached = (m: Restart): boolean => m.link.state.includes(DETACHED);

/** DD-S5. */
export const ddUnderDma = invariant<Restart>('DD-S5', 'under DMA', {
  states: 'a buffer under DMA is pinned, and its client attached or being detached',
  holds: (m) => m.ddos.dma.every((row) => row === NONE || m.request.pinned[row] === 1),
  witnesses: { 'a DMA is in flight': flies, 'a client was detached': detached },
});

/** Recovery: two live owners never exist. */
export const ddOneOwner = invariant<Restart>('DD-L1', 'one owner', {
  states: 'what a device has in flight was started by the instance that lives',
  holds: (m) => {
    for (let d = 0; d < m.ddos.rows; d++) {
      if (m.ddos.dma[d] !== NONE && m.ddos.dmaOf[d] !== m.ddos.generation[d]) return false;
      if (m.ddos.dma[d] !== NONE && m.ddos.life[d] === ABSENT) return false;
    }
    return true;
  },
  witnesses: {
    'a DMA of a dead DD/OS is in flight': (m) => died(m) && flies(m),
    'a DD/OS was booted again': restarted,
  },
});

/** Recovery: the census. */
export const ddCensus = invariant<Restart>('DD-L1', 'census', {
  states: 'a DD/OS that is gone holds nothing, and one that runs holds what is under way; after every restart',
  holds: (m) => {
    for (let d = 0; d < m.ddos.rows; d++) if (m.ddos.life[d] === ABSENT && holdsAnything(m, d)) return false;
    if (!isQuiescent(m)) return true;
    for (let row = 0; row < m.request.rows; row++) {
      const stage = m.request.stage[row];
      const d = serverOf(m, clientOfRow(m, row));
      if (m.ddos.life[d] !== RUNNING || m.request.pinned[row] === 0) continue;
      if (stage !== STARTED && stage !== PERFORMED) return false;
    }
    return true;
  },
  witnesses: {
    'a DD/OS is gone': (m) => m.ddos.life.includes(ABSENT),
    'it was booted as often as this scope allows': (m) => m.ddos.generation.includes(lives(m) - 1),
  },
});

/** Recovery: what the client is told. */
export const ddTold = invariant<Restart>('DD-L1', 'told', {
  states: 'a client is told of a request only after it was done',
  holds: (m) => !m.request.early.includes(1),
  witnesses: { 'a DD/OS was booted again': restarted },
});

/** Recovery: block requests. */
export const ddBlockOnce = relation<Restart>('DD-L1', 'block requests', {
  states: 'a block request ends by its answer, once, or by detachment',
  holds: (before, after) => {
    const { name } = after.current.op;
    const n = after.request.rows / after.link.rows;
    for (let row = 0; row < after.request.rows; row++) {
      if (!isBlock(row % n) || before.request.stage[row] === IDLE || after.request.stage[row] !== IDLE) continue;
      if (name !== 'client.takeAnswer' && name !== 'server.detach' && name !== 'monitor.detach') return false;
    }
    return true;
  },
  witnesses: { 'a DD/OS was booted again': restarted },
});

/** Recovery: net frames. */
export const ddFrameOnce = invariant<Restart>('DD-L1', 'frames', {
  states: 'a frame is sent once at most',
  holds: (m) => {
    const n = m.request.rows / m.link.rows;
    for (let row = 0; row < m.request.rows; row++) {
      if (!isBlock(row % n) && m.request.performed[row] > 1) return false;
    }
    return true;
  },
  witnesses: { 'a DD/OS was booted again': restarted },
});

/** DD-L1, for a request. */
export const ddCompletes = progress<Restart>('DD-L1', 'completes', {
  states: 'a block request that was submitted is answered, over any number of restarts',
  pending: (m) => m.request.stage[0] !== IDLE && m.link.state[0] !== DETACHED,
  goal: (m) => m.request.stage[0] === IDLE,
  without: ['client.submit', 'client.detach'],
  witnesses: { 'a request is under way': (m) => m.request.stage[0] !== IDLE },
});

/** DD-L1, for the DD/OS. */
export const ddReturns = progress<Restart>('DD-L1', 'returns', {
  states: 'a DD/OS that crashed or hangs runs again',
  pending: (m) => m.ddos.life[0] !== RUNNING,
  goal: (m) => m.ddos.life[0] === RUNNING,
  witnesses: { 'a DD/OS hangs': (m) => m.ddos.life[0] === HUNG, 'a DD/OS is dying': died },
});

/** What the clients of another DD/OS notice: nothing. */
export const ddStrangers = noninterference<Restart>('DD-L1', 'strangers', {
  states: 'clients of one DD/OS notice nothing of the crash, hang or restart of another',
  view: (m, out) => {
    let n = 0;
    out[n++] = m.link.state[1];
    out[n++] = m.link.region[1];
    out[n++] = m.link.generation[1];
    const requests = m.request.rows / m.link.rows;
    for (let r = 0; r < requests; r++) {
      out[n++] = m.request.stage[m.request.at(1, r)];
      out[n++] = m.request.pinned[m.request.at(1, r)];
      out[n++] = m.request.performed[m.request.at(1, r)];
    }
    return n;
  },
  purge: (_m, name, agent) =>
    agent === 0 && (name === 'ddos.crash' || name === 'ddos.hang' || name === 'ddos.suspected'),
  witnesses: { 'the first DD/OS is dying': (m) => m.ddos.life[0] === DYING },
});
