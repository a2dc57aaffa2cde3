/** What configuration space must keep, whatever drivers write into it. */
import {
  type Config,
  homeBase,
  MEMORY_SPACE,
  MSI_WINDOW,
  readBase,
  SIZE_MASK,
  writeBase,
  writeCommand,
} from '../model/configSpace.js';
import { NONE } from '../model/kernel/index.js';
import { invariant, relation } from './property.js';

export const windowsAtHome = invariant<Config>('I13', 'windows', {
  states: 'base addresses stay where firmware put them, and the expansion ROM stays off',
  holds: (m) => {
    for (let d = 0; d < m.config.rows; d++) if (m.config.bar[d] !== homeBase(d) || m.config.rom[d] !== 0) return false;
    return true;
  },
  witnesses: {
    'both devices decode their windows': (m) => !m.config.command.some((c) => (c & MEMORY_SPACE) === 0),
    'a window is decoded while it is being sized': (m) =>
      m.config.sizing[0] !== NONE && (m.config.command[0] & MEMORY_SPACE) !== 0,
  },
});

export const interruptsAtHome = invariant<Config>('I8', 'MSI address', {
  states: 'message-signalled interrupts of a device go to the interrupt window',
  holds: (m) => {
    for (let d = 0; d < m.config.rows; d++) if (m.config.msi[d] !== MSI_WINDOW) return false;
    return true;
  },
  witnesses: {
    'two domains hold devices': (m) => !m.config.holder.includes(NONE) && m.config.holder[0] !== m.config.holder[1],
  },
});

/** The call of a read that was answered. */
function answered(m: Config, status: number): { agent: number; device: number; told: number } | undefined {
  if (m.current.op.name !== readBase.name || status !== 0) return undefined;
  return m.current.call as unknown as { agent: number; device: number; told: number };
}

export const sizesTold = relation<Config>('I15', 'sizing', {
  states: 'a read tells who is sizing the size of the window, and everybody else its address',
  holds: (before, after, status) => {
    const call = answered(after, status);
    if (call === undefined) return true;
    const sizing = before.config.sizing[call.device] === call.agent;
    return call.told === (sizing ? SIZE_MASK : homeBase(call.device));
  },
  witnesses: {
    'a base address is being sized': (m) => m.config.sizing.some((s) => s !== NONE),
    'both are': (m) => !m.config.sizing.includes(NONE),
  },
  explain: (_before, after, status) => `the read tells ${((answered(after, status)?.told ?? 0) >>> 0).toString(16)}h`,
});

export const configReadOwn = relation<Config>('I11', 'configuration reads', {
  states: 'a driver learns the addresses of its own devices only',
  holds: (before, after, status) => {
    const call = answered(after, status);
    return call === undefined || before.config.holder[call.device] === call.agent;
  },
  witnesses: { 'a device is held': (m) => m.config.holder.includes(1) },
});

export const configWritesOwn = relation<Config>('I8', 'configuration writes', {
  states: 'a device is configured by its holder, or by the VMM when it changes hands; and what is written counts',
  holds: (before, after, status) => {
    const { op, call } = after.current;
    for (let d = 0; d < after.config.rows; d++) {
      const { holder, command, copy } = before.config;
      if (command[d] === after.config.command[d] && copy[d] === after.config.copy[d]) continue;
      if (typeof op.agent === 'string' ? after.config.holder[d] !== NONE : holder[d] !== call.agent) return false;
    }
    if (status !== 0 || (op.name !== writeCommand.name && op.name !== writeBase.name)) return true;
    return before.config.holder[call.device ?? 0] === call.agent && (op.name === writeBase.name || written(after));
  },
  witnesses: { 'a device masters the bus': (m) => m.config.command.some((c) => (c & 4) !== 0) },
});

/** The command register holds the bits that the call names. */
function written(m: Config): boolean {
  const { device, what } = m.current.call;
  return m.config.command[device ?? 0] === (what ?? 0) << 1;
}

export const configFresh = invariant<Config>('I9', 'fresh configuration', {
  states: 'a device that nobody holds is switched off, and its copies are as firmware left them',
  holds: (m) => {
    const { holder, command, copy, sizing } = m.config;
    for (let d = 0; d < m.config.rows; d++) {
      if (holder[d] !== NONE) continue;
      if (command[d] !== 0 || copy[d] !== homeBase(d) || sizing[d] !== NONE) return false;
    }
    return true;
  },
  witnesses: { 'one device is held and one is not': (m) => m.config.holder[0] !== NONE && m.config.holder[1] === NONE },
});

export const configHolder = relation<Config>('I14', 'one holder', {
  states: 'a device that somebody holds is given to nobody else before it was taken back',
  holds: (before, after) => {
    for (let d = 0; d < after.config.rows; d++) {
      const was = before.config.holder[d];
      const is = after.config.holder[d];
      if (was !== is && was !== NONE && is !== NONE) return false;
    }
    return true;
  },
  witnesses: { 'both are held': (m) => !m.config.holder.includes(NONE) },
});
