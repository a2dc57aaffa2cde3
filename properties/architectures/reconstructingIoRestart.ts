/**
 * R-S3, R-S4 and R-L1 of "Reconstructing I/O" (UCAM-CL-TR-596, 2004): who owns a device before, during and after a restart, that nobody
 * else notices, that nothing is lost on the way, and that its service comes back.
 */
import {
  deviceOf,
  drives,
  isServed,
  NOT_SUSPECTED,
  QUIESCED,
  type Restarts,
} from '../../model/architectures/reconstructingIo/restart.js';
import { ABSENT, RUNNING } from '../../model/domains.js';
import { inFlight as deviceInFlight } from '../../model/iommu/index.js';
import { NONE } from '../../model/kernel/index.js';
import { isQuiescent } from '../paths.js';
import { invariant, noninterference, progress, relation } from '../property.js';

/** Device 0 is the one whose driver fails; the others' services have no further life in the scope. */
const inEpoch = (m: Restarts, n: number): boolean => m.service.epoch[0] >= n;
const suspectedAlive = (m: Restarts): boolean =>
  m.service.suspected.some(
    (s, v) => s !== NOT_SUSPECTED && drives(m, m.device.home[v], v) && m.backend.health[m.device.home[v]] === 0,
  );

/** R-S4. */
export const oneLiveOwner = invariant<Restarts>('R-S4', 'exclusivity', {
  states: 'at most one live domain takes itself to own a device, also when it was suspected wrongly',
  holds: (m) => {
    for (let v = 0; v < m.device.rows; v++) {
      let owners = 0;
      for (let d = 0; d < m.domain.rows; d++) if (drives(m, d, v)) owners++;
      if (owners > 1) return false;
    }
    return true;
  },
  explain: () => 'two live domains take themselves to own the same device',
  witnesses: {
    'a working driver is suspected': suspectedAlive,
    'a device has a new owner': (m) => inEpoch(m, 1),
  },
});

/** The guard of Assign: what a device was told by its former owner is over. */
export const quietAssignment = relation<Restarts>('R-S2', 'quiet', {
  states: 'when a device gets an owner, it is no bus master and has nothing in flight for a former one',
  holds: (before, m) => {
    for (let v = 0; v < m.device.rows; v++) {
      if (before.device.home[v] === m.device.home[v] || m.device.home[v] === NONE) continue;
      if (before.device.home[v] !== NONE) return false;
      if (before.device.busMaster[v] === 1 || deviceInFlight(before, v)) return false;
    }
    return true;
  },
  explain: () => 'a device got an owner while another had it, or while it was not quiet',
  witnesses: { 'a device is nobody\u2019s': (m) => m.device.home.includes(NONE) },
});

/** What the manager has quiesced stays so until it has a new owner. */
export const staysQuiet = invariant<Restarts>('R-S2', 'stays quiet', {
  states: 'a device that the manager has quiesced is no bus master before it has a new owner',
  holds: (m) => {
    for (let v = 0; v < m.device.rows; v++) {
      if (m.service.suspected[v] === QUIESCED && m.device.busMaster[v] === 1) return false;
    }
    return true;
  },
  explain: () => 'a device is a bus master again although the manager has quiesced it',
  witnesses: { 'a device is quiesced': (m) => m.service.suspected.includes(QUIESCED) },
});

/** The old domain is paused before anything is taken from it. */
export const pausedFirst = invariant<Restarts>('R-S2', 'paused', {
  states: 'while a device is quiesced for its restart, the VMM is in the middle of no call of its old domain',
  holds: (m) => !m.service.suspected.includes(QUIESCED) || !m.isBusy('vmm'),
  explain: () => 'a driver domain is taken apart while the VMM still does what it was called for',
  witnesses: {
    'a device is quiesced': (m) => m.service.suspected.includes(QUIESCED),
    'a call is under way for a suspect': (m) => m.isBusy('vmm') && m.service.suspected.includes(1),
  },
});

/** A live driver domain has its memory. */
export const liveKeepMemory = invariant<Restarts>('I1', 'memory of the living', {
  states: 'a domain that runs and drives a device owns the memory that was set aside for it',
  holds: (m) => {
    for (let d = 1; d < m.domain.rows; d++) {
      const v = m.backend.device[d];
      if (m.domain.life[d] === RUNNING && v !== NONE && m.frame.owner[m.service.memory[v]] !== d) return false;
    }
    return true;
  },
  explain: () => 'the memory of a driver domain that still runs has been given back',
  witnesses: { 'a working driver is suspected': suspectedAlive },
});

/** XB1, XB3: who is connected. */
export const connectedToOwner = relation<Restarts>('R-S3', 'reconnection', {
  states:
    'a client is connected anew only to the owner of its device, and in a later epoch; a served device\u2019s clients are all of its epoch',
  holds: (before, m) => {
    for (let c = 0; c < m.channel.rows; c++) {
      const v = deviceOf(m, c);
      if (m.service.suspected[v] === NOT_SUSPECTED && m.channel.epoch[c] !== m.service.epoch[v]) return false;
      if (m.channel.to[c] === before.channel.to[c] && m.channel.epoch[c] === before.channel.epoch[c]) continue;
      if (m.channel.to[c] === NONE || m.channel.to[c] !== m.device.home[v]) return false;
      if (m.channel.epoch[c] <= before.channel.epoch[c]) return false;
    }
    return true;
  },
  explain: () =>
    'a client is connected to a domain that does not own its device, or in an epoch that is not a later one',
  witnesses: { 'a device has a new owner': (m) => inEpoch(m, 1) },
});

/** R-S3. */
export const restartLocal = relation<Restarts>('R-S3', 'locality', {
  states: 'a restart changes neither the epoch nor the channels, owner or tables of another device',
  holds: (before, m) => {
    if (m.current.op.name !== 'manager.restart') return true;
    for (let v = 0; v < m.device.rows; v++) {
      if (v === m.current.call.device) continue;
      if (m.service.epoch[v] !== before.service.epoch[v] || m.device.home[v] !== before.device.home[v]) return false;
      if (m.deviceEntry.did[v] !== before.deviceEntry.did[v]) return false;
      if (m.device.busMaster[v] !== before.device.busMaster[v]) return false;
      for (let c = 0; c < m.channel.rows; c++) {
        if (deviceOf(m, c) !== v) continue;
        if (m.channel.to[c] !== before.channel.to[c] || m.channel.epoch[c] !== before.channel.epoch[c]) return false;
      }
    }
    return true;
  },
  explain: () => 'a restart changed what belongs to another device',
  witnesses: { 'a device is being restarted': (m) => m.service.suspected.some((s) => s !== NOT_SUSPECTED) },
});

/** What is in use when every device is served: frames, DIDs, domain ids. */
function census(m: Restarts): boolean {
  let frames = 0;
  let dids = 0;
  let domains = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.refs[f] > 0) frames++;
  for (let d = 0; d < m.ioDomain.rows; d++) if (m.ioDomain.owner[d] !== NONE) dids++;
  for (let d = 0; d < m.domain.rows; d++) if (m.domain.life[d] !== ABSENT) domains++;
  // The VMM's frame and the client's; memory and a table for each device. One domain each, and the control domain.
  const devices = m.device.rows;
  return frames === 2 + 2 * devices && dids === devices && domains === 1 + devices;
}

/** k restarts leak nothing. */
export const nothingLeaks = invariant<Restarts>('I9', 'census', {
  states:
    'whenever all devices are served and nobody is dying, as many frames, DIDs and domain ids are in use as before the first restart',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let v = 0; v < m.device.rows; v++) if (m.service.suspected[v] !== NOT_SUSPECTED) return true;
    for (let d = 0; d < m.domain.rows; d++)
      if (m.domain.life[d] !== RUNNING && m.domain.life[d] !== ABSENT) return true;
    return census(m);
  },
  explain: () => 'after a restart more frames, DIDs or domain ids are in use than before',
  witnesses: {
    'all are served after a restart': (m) => inEpoch(m, 1) && isServed(m, 0),
    'all are served after the last restart that the scope has': (m) => isServed(m, 0) && isLast(m),
  },
});

function isLast(m: Restarts): boolean {
  return m.service.spare[0] === 0;
}

const pending = (m: Restarts): boolean => {
  for (let v = 0; v < m.device.rows; v++) if (!isServed(m, v)) return true;
  return false;
};

/** R-L1. */
export const serviceResumes = progress<Restarts>('R-L1', 'recovery', {
  states: 'a device whose driver has crashed, hung or been suspected is served again',
  pending,
  goal: (m) => !pending(m),
  witnesses: { 'a device is not served': pending },
});

/** R6: what a failed backend held comes back to its owners. */
export const loansReturn = progress<Restarts>('R-L1', 'loans return', {
  states:
    'what a driver domain that has died had mapped of its clients\u2019 memory is unpinned, and its id is released',
  pending: (m) => m.domain.life.some((x) => x !== RUNNING && x !== ABSENT),
  goal: (m) => m.domain.life.every((x) => x === RUNNING || x === ABSENT),
  witnesses: { 'a domain is dying': (m) => m.domain.life.some((x) => x !== RUNNING && x !== ABSENT) },
});

/** R-S3 for observers: what another device's client sees. */
export const othersUnaware = noninterference<Restarts>('X-L2', 'others', {
  states:
    'owner, epoch, channel and memory of a device do not depend on whether another device\u2019s driver fails and is restarted',
  view: (m, out) => {
    let n = 0;
    for (let v = 1; v < m.device.rows; v++) {
      out[n++] = m.device.home[v];
      out[n++] = m.device.busMaster[v];
      out[n++] = m.service.epoch[v];
      out[n++] = m.service.suspected[v];
      out[n++] = m.channel.to[v];
      out[n++] = m.channel.epoch[v];
      const f = m.service.memory[v];
      out[n++] = m.frame.owner[f];
      out[n++] = m.content.writer[m.content.at(f, 0)];
    }
    return n;
  },
  purge: (m, name, agent) => {
    if (name === 'manager.suspect' || name === 'manager.notice' || name === 'manager.restart') return true;
    return name.startsWith('driver.') && m.backend.device[agent] === 0;
  },
  witnesses: { 'a device has a new owner': (m) => inEpoch(m, 1) },
});

/** Not claimed: a device that ignores the reset. */
export const afterReset = invariant<Restarts>('R-S2', 'after reset', {
  states: 'what a device does in the service of a new driver, its former driver did not tell it to',
  holds: (m) => {
    for (let s = 0; s < m.dma.rows; s++) if (m.dma.bypass[s] === 1) return false;
    return true;
  },
  explain: () => 'the device writes into the new driver\u2019s memory what its former driver told it to',
  witnesses: { 'a device has a new owner': (m) => inEpoch(m, 1) },
});
