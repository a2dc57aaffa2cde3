/**
 * Attacks inside and between DD/OSes: a Linux that dies or hangs under its command ring, a client that calls again and again (command ring,
 * V8); a DD/OS that asks for more configuration space than its server has, or goes to the bus itself (recursion, DD-S8).
 */
import { mutant } from '../../../drivers/suite.js';
import { client } from '../../../model/architectures/driverReuse/channelState.js';
import {
  blockingCall,
  bootAgain,
  type Commands,
  FREE,
  LINUX_DEAD,
  LINUX_HANGS,
  LINUX_RUNS,
  QUEUED,
  WAITS,
} from '../../../model/architectures/driverReuse/commandRing.js';
import {
  busDevice,
  busPorts,
  guest,
  MAY_WRITE,
  NONE_AT_ALL,
  noWider,
  takeDeviceBack,
  type VirtualBus,
} from '../../../model/architectures/driverReuse/virtualBus.js';
import { blockedBy, module, OK, omit, operationOn } from '../../../model/kernel/index.js';

type None = Record<never, never>;
const onCommands = operationOn<Commands>();

export const linuxCrashes = onCommands('linux.crash', {
  agent: 'linux',
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: { agent: (m) => m.linux.life[0] !== LINUX_DEAD },
  touches: (m, _op, may) => may.write(m.linux),
  steps: {
    stop: (m) => {
      m.linux.life[0] = LINUX_DEAD;
    },
  },
});

export const linuxHangs = onCommands('linux.hang', {
  agent: 'linux',
  says: 'answers no command any more',
  fault: 'F11',
  atomic: true,
  where: { agent: (m) => m.linux.life[0] === LINUX_RUNS },
  touches: (m, _op, may) => may.write(m.linux),
  steps: {
    stop: (m) => {
      m.linux.life[0] = LINUX_HANGS;
    },
  },
});

/** F12: the last client has a second command put into the ring while its first is under way. */
export const callsTwice = onCommands('client.callsTwice', {
  agent: client,
  says: 'calls again while its command is under way',
  source: 'V8: a call by IPC blocks its caller',
  fault: 'F12',
  atomic: true,
  onFailure: 'safe',
  where: {
    agent: (m, op) =>
      op.agent === m.caller.rows - 1 && m.caller.state[op.agent] === WAITS && m.entry.state.includes(FREE),
  },
  touches: (m, _op, may) => may.write(m.entry, m.entry.state.indexOf(FREE)),
  steps: {
    'block the caller': (m, op) => {
      if (m.on(blockingCall)) return blockedBy(blockingCall);
      const s = m.entry.state.indexOf(FREE);
      m.entry.state[s] = QUEUED;
      m.entry.of[s] = op.agent;
      return OK;
    },
  },
});

export const commandFaults = module<Commands, None>('a Linux that stops, a client that floods', {
  tables: {},
  operations: [linuxCrashes, linuxHangs, callsTwice],
});

export const callersNotTold = mutant('callers not told', {
  says: 'the ring of a dead Linux is emptied, and nobody tells the clients whose commands were in it',
  source: 'V7 and V8: clients see delay or an error',
  edits: [omit(bootAgain, 'tell the callers')],
});

const onBus = operationOn<VirtualBus>();

/** F13: a DD/OS asks its server for a device that the server itself does not have, or not for writing. */
export const asksForMore = onBus('bus.askForMore', {
  agent: guest,
  says: 'asks its server for {device}, for reading and writing, which the server may not',
  fault: 'F13',
  atomic: true,
  onFailure: 'safe',
  input: { device: busDevice },
  where: {
    agent: (_m, op) => op.agent > 0,
    device: (m, op) => m.account.right[m.account.at(op.agent - 1, op.device)] < MAY_WRITE,
  },
  touches: (m, op, may) => may.write(m.account, m.account.at(op.agent, op.device)),
  steps: {
    'look at the server’s account': (m, op) => {
      if (m.on(noWider)) return blockedBy(noWider);
      m.account.right[m.account.at(op.agent, op.device)] = MAY_WRITE;
      return OK;
    },
  },
});

/** F13: a DD/OS runs a configuration cycle itself, on a device that nobody has shown to it. */
export const goesToTheBus = onBus('bus.goDirectly', {
  agent: guest,
  says: 'runs a configuration cycle on {device} itself',
  fault: 'F13',
  atomic: true,
  onFailure: 'safe',
  input: { device: busDevice },
  where: {
    agent: (_m, op) => op.agent > 0,
    device: (m, op) => m.account.right[m.account.at(op.agent, op.device)] === NONE_AT_ALL,
  },
  touches: (m, op, may) => may.write(m.trespass, op.device),
  steps: {
    'look at the ports': (m, op) => {
      if (m.on(busPorts)) return blockedBy(busPorts);
      m.trespass.by[op.device] |= 1 << op.agent;
      return OK;
    },
  },
});

export const busFaults = module<VirtualBus, None>('DD/OSes that want more', {
  tables: {},
  operations: [asksForMore, goesToTheBus],
});

export const takenFromTheNextOnly = mutant('taken from the next only', {
  says: 'a device that is taken back stays with those that had it from the client',
  source: 'DD-S8: recursion does not widen rights',
  edits: [omit(takeDeviceBack, 'take it from those below')],
});
