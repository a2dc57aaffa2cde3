/**
 * Recursive use of DD/OSes: the one that drives the PCI bus serves a virtual configuration space to others, and one of these may serve
 * again what it was given. What a DD/OS may do with a device is never more than what its own server may.
 * Source: LeVasseur et al. 2004, 5a (a PCI DD/OS may serve virtual configuration space to other DD/OSes: recursive use); DD-S8.
 *
 * State: the right of each DD/OS on the configuration of each device; DD/OS 0 has the bus, the server of DD/OS n is DD/OS n - 1. An access
 * climbs from server to server, each of which looks at its own account, and is carried out at the bus.
 */
import {
  gate,
  type Machine,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  setOf,
  sort,
  table,
} from '../../kernel/index.js';

/** DD/OSes in a row: 0 drives the bus. */
export const guest = sort('DD/OS');
/** Devices on the bus. */
export const busDevice = sort('device');
/** What may be done with a device's configuration. */
export const right = sort('right', { members: ['read', 'read and write'] });

export const NONE_AT_ALL = 0;
export const MAY_READ = 1;
export const MAY_WRITE = 2;

export const busTables = {
  account: table([guest, busDevice], { right: oneOf('none', 'read', 'read and write') }),
  /** Kept for properties: who had the configuration of a device read or written without the right to. */
  trespass: table([busDevice], { by: setOf(guest) }),
};

export type VirtualBus = Machine & State<typeof busTables>;
const operation = operationOn<VirtualBus>();

export const BUS_ERRORS = { EPERM: -1 } as const;

/** A server gives on no more than it has. */
export const noWider = gate('no wider than received');
/** The ports of configuration space are those of DD/OS 0. */
export const busPorts = gate('configuration ports of one DD/OS');

/** The monitor gives a device, with its configuration, to the DD/OS that drives the bus. */
export const assignDevice = operation('monitor.assignDevice', {
  agent: 'monitor',
  says: 'gives {device} to the DD/OS of the bus',
  source: 'V1 request_device',
  input: { device: busDevice },
  where: { device: (m, op) => m.account.right[m.account.at(0, op.device)] === NONE_AT_ALL },
  touches: (m, op, may) => may.write(m.account, m.account.at(0, op.device)),
  steps: {
    write: (m, op) => {
      m.account.right[m.account.at(0, op.device)] = MAY_WRITE;
    },
  },
});

/** A server lets the next DD/OS see a device. */
export const serveDevice = operation('bus.serve', {
  agent: guest,
  says: 'shows {device} to its client, for {right}',
  source: '5a: virtual configuration space',
  input: { device: busDevice, right },
  errors: BUS_ERRORS,
  where: {
    agent: (m, op) => op.agent + 1 < m.account.rows / m.size(busDevice),
    device: (m, op) => m.account.right[m.account.at(op.agent + 1, op.device)] === NONE_AT_ALL,
  },
  touches: (m, op, may) => may.write(m.account, m.account.at(op.agent + 1, op.device)),
  steps: {
    'look at the own account': (m, op) =>
      m.account.right[m.account.at(op.agent, op.device)] >= op.right + 1 ? OK : BUS_ERRORS.EPERM,
    write: (m, op) => {
      m.account.right[m.account.at(op.agent + 1, op.device)] = op.right + 1;
    },
  },
});

/** A server takes a device back: from all that have it by way of its client, first. */
export const takeDeviceBack = operation('bus.takeBack', {
  agent: guest,
  says: 'takes {device} back from its client',
  input: { device: busDevice },
  where: {
    agent: (m, op) => op.agent + 1 < m.account.rows / m.size(busDevice),
    device: (m, op) => m.account.right[m.account.at(op.agent + 1, op.device)] !== NONE_AT_ALL,
  },
  touches: (m, op, may) => {
    for (let g = op.agent + 1; g < m.account.rows / m.size(busDevice); g++)
      may.write(m.account, m.account.at(g, op.device));
  },
  steps: {
    'take it from those below': (m, op) => {
      for (let g = op.agent + 2; g < m.account.rows / m.size(busDevice); g++)
        m.account.right[m.account.at(g, op.device)] = NONE_AT_ALL;
    },
    'take it from the client': (m, op) => {
      m.account.right[m.account.at(op.agent + 1, op.device)] = NONE_AT_ALL;
    },
  },
});

/** Scope: `DD/OS`, `device`. */
export const virtualBus = module<VirtualBus, typeof busTables>('virtual configuration space', {
  tables: busTables,
  operations: [assignDevice, serveDevice, takeDeviceBack],
  map: (m) =>
    [...m.account.right].flatMap((r, row) =>
      r === NONE_AT_ALL
        ? []
        : [
            `DD/OS ${Math.floor(row / m.size(busDevice))}: ${r === MAY_READ ? 'reads' : 'reads and writes'} device ${row % m.size(busDevice)}`,
          ],
    ),
});
