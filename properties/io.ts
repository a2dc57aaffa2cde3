/** What I/O space must keep: who reaches a device, what is left after revocation, and that nobody's device is shut. */
import { ABSENT, DYING } from '../model/domains.js';
import { holdsDevice, homeWindow, type IoSpace } from '../model/ioSpace.js';
import { NONE } from '../model/kernel/index.js';
import { invariant, progress, relation } from './property.js';

const someDevice = (m: IoSpace, test: (dev: number) => boolean): boolean => {
  for (let dev = 0; dev < m.device.rows; dev++) if (test(dev)) return true;
  return false;
};

/** X-S1: ports and mappings, by the windows as they really are. */
export const deviceReach = invariant<IoSpace>('I1', 'device reach', {
  states: 'ports and registers of a device are reached only by its holders',
  holds: (m) => {
    for (let d = 0; d < m.access.rows; d++) {
      for (let dev = 0; dev < m.device.rows; dev++) {
        if (holdsDevice(m, d, dev)) continue;
        const w = m.device.window[dev];
        if (((m.access.ports[d] >> dev) & 1) !== 0) return false;
        if (w !== NONE && ((m.access.pages[d] >> (w >> 1)) & 1) !== 0) return false;
      }
    }
    return true;
  },
  witnesses: {
    'a domain maps registers': (m) => m.access.pages.some((p) => p !== 0),
    'a domain has ports': (m) => m.access.ports.some((p) => p !== 0),
    'two devices share a page': (m) => m.firmware.sharedPage[0] === 1,
  },
});

/** When the device is gone, nothing is under way for its former holder, and nothing of his goes on. */
export const revokedForGood = invariant<IoSpace>('I4', 'device revocation', {
  states: 'no DMA, no interrupt and no command of a domain outlives its hold on the device',
  holds: (m) => {
    for (let dev = 0; dev < m.device.rows; dev++) {
      const { dma, irq } = m.device;
      if (dma[dev] !== NONE && !holdsDevice(m, dma[dev], dev)) return false;
      if (irq[dev] !== NONE && !holdsDevice(m, irq[dev], dev)) return false;
    }
    return true;
  },
  witnesses: {
    'an interrupt is routed': (m) => someDevice(m, (dev) => m.device.irq[dev] !== NONE),
    'a DMA is in flight': (m) => someDevice(m, (dev) => m.device.dma[dev] !== NONE),
    'a device has been taken back from a dying domain': (m) => m.domain.life[1] === DYING && m.device.holders[0] === 0,
  },
});

/** A device does what its holder told it, and nobody else. */
export const deviceSource = invariant<IoSpace>('I8', 'device commands', {
  states: 'a device acts only on what its holder told it',
  holds: (m) => {
    for (let dev = 0; dev < m.device.rows; dev++) {
      const who = m.device.program[dev];
      if (who !== NONE && !holdsDevice(m, who, dev)) return false;
    }
    return true;
  },
  witnesses: { 'a device is told what to do': (m) => someDevice(m, (dev) => m.device.program[dev] !== NONE) },
});

/** Default deny: nobody's device is shut. */
export const devicesShut = invariant<IoSpace>('I13', 'devices shut', {
  states: 'a device that nobody holds cannot master the bus and is told nothing',
  holds: (m) => {
    for (let dev = 0; dev < m.device.rows; dev++) {
      if (m.device.holders[dev] !== 0) continue;
      if (m.device.busMaster[dev] === 1 || m.device.program[dev] !== NONE || m.device.bar[dev] !== 0) return false;
    }
    return true;
  },
  witnesses: {
    'a device masters the bus': (m) => someDevice(m, (dev) => m.device.busMaster[dev] === 1),
    'a base address is being sized': (m) => someDevice(m, (dev) => m.device.bar[dev] === 1),
  },
});

/** The real base addresses never move, whatever is written. */
export const windowsStay = invariant<IoSpace>('I13', 'windows', {
  states: 'windows of devices stay where firmware placed them',
  holds: (m) => {
    for (let dev = 0; dev < m.device.rows; dev++) if (m.device.window[dev] !== homeWindow(m, dev)) return false;
    return true;
  },
  witnesses: { 'a base address is being sized': (m) => someDevice(m, (dev) => m.device.bar[dev] === 1) },
});

export const oneHolder = invariant<IoSpace>('I14', 'one holder', {
  states: 'a device has at most one holder',
  holds: (m) => {
    for (let dev = 0; dev < m.device.rows; dev++) {
      const h = m.device.holders[dev];
      if ((h & (h - 1)) !== 0) return false;
    }
    return true;
  },
  witnesses: {
    'two domains hold devices': (m) =>
      m.device.holders[0] !== 0 && someDevice(m, (dev) => (m.device.holders[dev] & ~m.device.holders[0]) !== 0),
  },
});

/** Bus-mastering is switched on by a holder, and by nobody else. */
export const configurationSource = relation<IoSpace>('I8', 'configuration', {
  states: 'bus-mastering of a device is switched on only by its holder',
  holds: (before, after) => {
    for (let dev = 0; dev < after.device.rows; dev++) {
      if (before.device.busMaster[dev] === 1 || after.device.busMaster[dev] === 0) continue;
      if (typeof after.current.op.agent === 'string' || !holdsDevice(before, after.current.call.agent, dev))
        return false;
    }
    return true;
  },
  witnesses: { 'a device masters the bus': (m) => someDevice(m, (dev) => m.device.busMaster[dev] === 1) },
});

/** Ids are used again; devices are not inherited. */
export const holdersFresh = invariant<IoSpace>('I9', 'device holders', {
  states: 'an id that nobody has holds no device, and nothing of one',
  holds: (m) => {
    for (let d = 0; d < m.access.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      if (m.access.ports[d] !== 0 || m.access.pages[d] !== 0) return false;
      for (let dev = 0; dev < m.device.rows; dev++) if (holdsDevice(m, d, dev)) return false;
    }
    return true;
  },
  witnesses: { 'an id is free': (m) => m.domain.life.includes(ABSENT) },
});

/** What the dead held is taken back. */
export const deadReleased = progress<IoSpace>('I9', 'release', {
  states: 'everything that a dying domain holds is taken back, and its id is free again',
  pending: (m) => m.domain.life.includes(DYING),
  goal: (m) => !m.domain.life.includes(DYING),
  without: ['domain.destroy'],
  witnesses: {
    'a domain that holds a device is dying': (m) => m.domain.life[1] === DYING && (m.device.holders[0] & 2) !== 0,
  },
});
