/** What is held at rest by driver operating systems (LeVasseur et al. 2004): shared regions, pinned buffers, the bus. */
import {
  ABSENT,
  ATTACHED,
  IDLE,
  type Restart,
  RUNNING,
  serverOf,
} from '../../../model/architectures/driverReuse/restartState.js';
import { NONE } from '../../../model/kernel/index.js';
import { type Census, leaksNothing } from '../../census.js';
import { isQuiescent } from '../../paths.js';

function sum(of: ArrayLike<number>): number {
  let n = 0;
  for (let i = 0; i < of.length; i++) n += of[i];
  return n;
}

/** How many entries do not have this value. */
function other(of: ArrayLike<number>, value: number): number {
  let n = 0;
  for (let i = 0; i < of.length; i++) if (of[i] !== value) n++;
  return n;
}

/** Whether every client is attached to the present instance of its server. */
function allAttached(m: Restart): boolean {
  for (let c = 0; c < m.link.rows; c++) {
    if (m.link.state[c] !== ATTACHED || m.link.generation[c] !== m.ddos.generation[serverOf(m, c)]) return false;
  }
  return true;
}

export const ddosCensus: Census<Restart> = {
  atRest: (m) =>
    isQuiescent(m) &&
    m.ddos.life.every((x) => x === RUNNING) &&
    allAttached(m) &&
    m.request.stage.every((s) => s === IDLE),
  restarts: (m) => m.ddos.generation[0],
  resources: {
    'shared regions': { held: (m) => sum(m.link.region), needed: (m) => m.link.rows },
    'pinned buffers': { held: (m) => sum(m.request.pinned), needed: () => 0 },
    'bus masters': { held: (m) => sum(m.ddos.bus), needed: (m) => m.ddos.rows },
    'requests in flight': { held: (m) => other(m.ddos.dma, NONE), needed: () => 0 },
    'virtual machines': { held: (m) => other(m.ddos.life, ABSENT), needed: (m) => m.ddos.rows },
  },
};

export const ddLeaksNothing = leaksNothing('DD-L1', 'census, k restarts', ddosCensus);
