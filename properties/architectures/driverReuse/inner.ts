/** What must hold inside and between DD/OSes: of the command ring (DD-L1, DD-L3), and of recursion over the bus (DD-S8). */
import {
  CALLS,
  type Commands,
  FAILED,
  FREE,
  IDLE,
  LINUX_DEAD,
  LINUX_HANGS,
  WAITS,
} from '../../../model/architectures/driverReuse/commandRing.js';
import { busDevice, MAY_READ, type VirtualBus } from '../../../model/architectures/driverReuse/virtualBus.js';
import { NONE } from '../../../model/kernel/index.js';
import { invariant, progress } from '../../property.js';

/** Places in which a client's command is. */
function placesOf(m: Commands, c: number): number {
  let n = m.server.has[0] === c ? 1 : 0;
  for (let s = 0; s < m.entry.rows; s++) if (m.entry.of[s] === c) n++;
  return n;
}

const isFull = (m: Commands): boolean => !m.entry.state.includes(FREE);

export const ddCommands = invariant<Commands>('DD-L3', 'command ring', {
  states: 'a client that waits has its command in one place, with the server or in the ring; nobody else has one',
  holds: (m) => {
    for (let c = 0; c < m.caller.rows; c++) {
      if (placesOf(m, c) !== (m.caller.state[c] === WAITS ? 1 : 0)) return false;
    }
    return true;
  },
  explain: (m) => {
    for (let c = 0; c < m.caller.rows; c++) {
      const n = placesOf(m, c);
      if (n !== (m.caller.state[c] === WAITS ? 1 : 0)) return `the command of client ${c} is in ${n} places`;
    }
    return '';
  },
  witnesses: {
    'the ring is full and the server has one more': (m) => isFull(m) && m.server.has[0] !== NONE,
    'a client was told of a failure': (m) => m.caller.state.includes(FAILED),
  },
});

const inCall = (m: Commands): boolean => m.caller.state[0] === CALLS || m.caller.state[0] === WAITS;

export const ddCallsEnd = progress<Commands>('DD-L1', 'calls end', {
  states:
    'a client that calls the server is answered or told of a failure, also when Linux dies or hangs under its command',
  pending: inCall,
  goal: (m) => !inCall(m),
  witnesses: {
    'Linux is dead with a command in the ring': (m) => m.linux.life[0] === LINUX_DEAD && inCall(m),
    'Linux hangs and the server waits for a slot': (m) =>
      m.linux.life[0] === LINUX_HANGS && isFull(m) && m.server.has[0] !== NONE,
  },
});

/** Not claimed: the hang path of V8. */
export const ddCallsEndUnaided = progress<Commands>('DD-L1', 'calls end unaided', {
  states: 'a client that calls the server is answered although its Linux hangs and nobody boots it again',
  pending: inCall,
  goal: (m) => m.caller.state[0] === IDLE || m.caller.state[0] === FAILED,
  without: ['monitor.bootAgain'],
  witnesses: { 'Linux hangs with a command in the ring': (m) => m.linux.life[0] === LINUX_HANGS && inCall(m) },
});

export const ddRecursion = invariant<VirtualBus>('DD-S8', 'recursion', {
  states: 'what a DD/OS may do with the configuration of a device is never more than what its server may',
  holds: (m) => {
    const devices = m.size(busDevice);
    for (let row = devices; row < m.account.rows; row++)
      if (m.account.right[row] > m.account.right[row - devices]) return false;
    return true;
  },
  explain: () => 'a DD/OS may do more with a device than the server that it has it from',
  witnesses: {
    'the last in the row has a device': (m) => m.account.right[m.account.rows - 1] !== 0,
    'a device is passed on for reading only': (m) => {
      const devices = m.size(busDevice);
      return m.account.right.some((r, row) => row >= devices && r === MAY_READ && m.account.right[row - devices] > r);
    },
  },
});

export const ddOnlyByServer = invariant<VirtualBus>('DD-S8', 'only by its server', {
  states: 'a DD/OS reaches the configuration of a device by way of its server only',
  holds: (m) => m.trespass.by.every((set) => set === 0),
  explain: (m) =>
    `device ${m.trespass.by.findIndex((set) => set !== 0)} was configured by a DD/OS that does not have it`,
  witnesses: { 'a DD/OS has no device': (m) => m.account.right[m.account.rows - 1] === 0 },
});
