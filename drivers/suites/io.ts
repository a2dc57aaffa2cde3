/** I/O space: devices given and taken back, as wholes and with the revocation split. */
import * as doing from '../../faults/doing.js';
import {
  doubleAssignment,
  givenToAnybody,
  idFreedEarly,
  ioFaults,
  pageGranular,
  portsForgotten,
  quiesceOnlyFirst,
  removedFirst,
  revokeKeepsBusMaster,
  revokeKeepsIrq,
  revokeKeepsMapping,
  revokeKeepsPorts,
  revokeWithoutQuiesce,
  windowUnchecked,
} from '../../faults/io.js';
import { domains } from '../../model/domains.js';
import { ioSpace } from '../../model/ioAssignment.js';
import {
  configFilter,
  configOwnership,
  exclusiveAssignment,
  type IoSpace,
  noDevices,
  portBitmap,
  registerMmu,
  revocationBarrier,
} from '../../model/ioSpace.js';
import { type MachineDef, module } from '../../model/kernel/index.js';
import { devicesTold, mastersOnly, ownDevices } from '../../properties/doing.js';
import {
  configurationSource,
  deadReleased,
  deviceReach,
  deviceSource,
  devicesShut,
  holdersFresh,
  oneHolder,
  revokedForGood,
  windowsStay,
} from '../../properties/io.js';
import { lifeCycle } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';

const attacks = module('attacks on I/O space', { tables: {}, operations: ioFaults });

const TWO_DEVICES = { device: 2, 'register page': 2, window: 4 };
const THREE_DEVICES = { device: 3, 'register page': 3, window: 6 };

export const ioSpaceSuite = suite('io-space', {
  title:
    'ports, registers and configuration space under wild accesses, while devices are given and taken back and domains die',
  machine: { name: 'I/O space', modules: [domains, ioSpace, attacks] },
  scope: {
    small: { domain: 3, generation: 1, ...TWO_DEVICES },
    default: { domain: 3, generation: 2, ...TWO_DEVICES },
    large: { domain: 3, generation: 2, ...THREE_DEVICES },
  },
  claims: [
    claim('ports and registers of a device are reached only by its holder', {
      keeps: [deviceReach, deviceSource, oneHolder],
      against: ['F1', 'F10'],
      without: [
        { off: portBitmap, breaks: deviceSource },
        { off: registerMmu, breaks: deviceSource },
        { off: pageGranular, breaks: deviceReach },
        { off: windowUnchecked, breaks: deviceReach },
        { off: exclusiveAssignment, breaks: oneHolder },
        { off: doubleAssignment, breaks: oneHolder },
      ],
    }),
    claim('configuration space lets a driver neither move a window nor switch on a device that is not its own', {
      keeps: [windowsStay, configurationSource, mastersOnly],
      against: ['F13'],
      without: [
        { off: configFilter, breaks: windowsStay },
        { off: configOwnership, breaks: configurationSource },
        { off: doing.mutedMasters, breaks: mastersOnly },
      ],
    }),
    claim('when a device has been taken back, nothing of its former holder is left', {
      keeps: [revokedForGood, devicesShut, deviceReach],
      against: ['F10'],
      without: [
        { off: revokeKeepsIrq, breaks: revokedForGood },
        { off: revokeKeepsMapping, breaks: deviceReach },
        { off: revokeKeepsPorts, breaks: deviceReach },
        { off: revokeKeepsBusMaster, breaks: devicesShut },
        { off: revokeWithoutQuiesce, breaks: revokedForGood },
      ],
    }),
    claim('an id that is used again inherits no device, and the dead give back what they held', {
      keeps: [holdersFresh, deadReleased, lifeCycle, ownDevices, devicesTold],
      against: ['F10'],
      without: [
        { off: givenToAnybody, breaks: holdersFresh },
        { off: idFreedEarly, breaks: holdersFresh },
        { off: portsForgotten, breaks: deadReleased },
        { off: doing.deadMaps, breaks: lifeCycle },
        { off: doing.deadMasters, breaks: lifeCycle },
        { off: doing.mapsForOthers, breaks: ownDevices },
        { off: doing.takenFromOthers, breaks: ownDevices },
        { off: doing.dmaNeverOver, breaks: devicesTold },
        { off: doing.portsDead, breaks: devicesTold },
      ],
    }),
  ],
  assumptions: [
    'DMA is only issued and completed here; where it goes is checked by the IOMMU suites',
    'one base address and one range of ports a device; the control domain holds no device',
  ],
});

/** Devices that were given already; device 0 is in full use by domain 1. */
function inUse(m: IoSpace): void {
  noDevices(m);
  for (let dev = 0; dev < m.device.rows; dev++) {
    m.device.holders[dev] = 2;
    m.device.irq[dev] = 1;
    m.access.ports[1] |= 1 << dev;
    m.access.pages[1] |= 1 << (m.device.window[dev] >> 1);
  }
  m.device.busMaster[0] = 1;
  m.device.program[0] = 1;
}

const revocation: MachineDef = {
  name: 'taking devices back, step by step',
  modules: [domains, { ...ioSpace, initial: inUse }, attacks],
  threads: () => ['control'],
  split: ['io.grant', 'io.revoke'],
};

export const ioRevocation = suite('io-revocation', {
  title: 'devices taken back step by step from a driver that goes on using them',
  machine: revocation,
  schedule: 'split',
  scope: {
    small: { domain: 3, generation: 1, device: 1, 'register page': 1, window: 2 },
    default: { domain: 3, generation: 1, ...TWO_DEVICES },
    large: { domain: 3, generation: 2, ...TWO_DEVICES },
  },
  claims: [
    claim('a driver that does not cooperate keeps nothing of a device that is taken back', {
      keeps: [deviceReach, revokedForGood, deviceSource, devicesShut, configurationSource],
      against: ['F1', 'F10', 'F13'],
      without: [
        { off: revocationBarrier, breaks: deviceReach },
        { off: revocationBarrier, breaks: devicesShut },
        { off: quiesceOnlyFirst, breaks: revokedForGood },
        { off: removedFirst, breaks: deviceReach },
        { off: revokeWithoutQuiesce, breaks: revokedForGood },
      ],
    }),
  ],
  assumptions: ['the control domain takes back one device at a time', 'a step of the driver is one access or one call'],
});
