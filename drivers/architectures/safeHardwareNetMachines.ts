/** Machines of the net channel of the Safe Hardware Interface: transmission and reception, with everything that may attack them. */
import {
  aimReceive,
  aimTransmit,
  changingGuest,
  crashGuest,
  driverDeaths,
  flipEarly,
  hangDriver,
  keepMapping,
  malformedGuest,
  mapForeign,
  pushFrame,
  taintRing,
  unmapEarly,
} from '../../faults/architectures/safeHardware/net.js';
import {
  receiveEnds,
  receiveRecovery,
  transmitEnds,
  transmitRecovery,
} from '../../model/architectures/safeHardware/netEnds.js';
import { netReceive } from '../../model/architectures/safeHardware/netReceive.js';
import { recoveryModule } from '../../model/architectures/safeHardware/netRecovery.js';
import { netTransmit } from '../../model/architectures/safeHardware/netTransmit.js';
import { domains } from '../../model/domains.js';
import { frames } from '../../model/frames.js';
import { dmaRemapping } from '../../model/iommu/index.js';
import { type Gate, type MachineDef, module } from '../../model/kernel/index.js';
import type { Era } from './architecture.js';

/** What the machines of 2004 do not have. */
export const missing = (era: Era): readonly Gate[] => (era === 'now' ? [] : [dmaRemapping]);
const bare = { ...frames, operations: [] };

export const transmitMachine: MachineDef = {
  name: 'net transmission',
  modules: [
    { ...domains, operations: [] },
    bare,
    netTransmit,
    recoveryModule([transmitRecovery.destroy, transmitRecovery.disconnected]),
    module('attacks on transmission', {
      tables: {},
      operations: [
        malformedGuest,
        changingGuest,
        taintRing,
        mapForeign,
        aimTransmit,
        unmapEarly,
        hangDriver,
        ...driverDeaths(transmitEnds),
      ],
    }),
  ],
};

export const receiveMachine: MachineDef = {
  name: 'net reception',
  modules: [
    { ...domains, operations: [] },
    bare,
    netReceive,
    recoveryModule([receiveRecovery.destroy, receiveRecovery.disconnected]),
    module('attacks on reception', {
      tables: {},
      operations: [aimReceive, flipEarly, keepMapping, pushFrame, crashGuest, hangDriver, ...driverDeaths(receiveEnds)],
    }),
  ],
};
