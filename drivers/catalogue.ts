/** The suites that come with the package, in the order in which `ringfence list` names them. */
import { architectureSuites } from './architectures/index.js';
import type { Suite } from './suite.js';
import { block, blockDistrust, blockFailures } from './suites/block.js';
import { blockHostile } from './suites/blockHostile.js';
import { blockNeighbours, blockSecrets, blockShared } from './suites/blockSharing.js';
import { bounce } from './suites/bounce.js';
import { configSpace } from './suites/configSpace.js';
import { events, eventsClosing, eventsMasked, eventsRace } from './suites/events.js';
import { fastpathSuites } from './suites/fastpath.js';
import { grantPublication, grantQuota, grantRace, handleRace } from './suites/grantRaces.js';
import { grantStatusWords } from './suites/grantStatus.js';
import { grantStrangers, grants, hostileGranter, staleIds, subPage } from './suites/grants.js';
import { grantSwap, grantTransfers } from './suites/grantTransfer.js';
import { interruptLines, msi } from './suites/interrupts.js';
import { ioRevocation, ioSpaceSuite } from './suites/io.js';
import {
  iommu,
  iommuQueue,
  iommuRace,
  iommuSuperpages,
  iommuTables,
  iommuTeardown,
  iommuTimeout,
} from './suites/iommu.js';
import { memory, memoryMaps, memoryRace, memoryReuse, strangers } from './suites/memory.js';
import { specialPages } from './suites/overlay.js';
import { pageStates } from './suites/pageStates.js';
import { ring, ringHostile } from './suites/ring.js';
import { virtqueue } from './suites/virtqueue.js';
import { vtd, vtdFaults, vtdWalk } from './suites/vtd.js';
import { vtdAts, vtdTorn } from './suites/vtdEntries.js';
import { xenstore } from './suites/xenstore.js';

export const embeddedSuites: readonly Suite[] = [
  memory,
  memoryReuse,
  memoryRace,
  memoryMaps,
  strangers,
  grants,
  hostileGranter,
  subPage,
  staleIds,
  grantPublication,
  grantRace,
  grantStatusWords,
  handleRace,
  grantQuota,
  grantStrangers,
  grantTransfers,
  grantSwap,
  events,
  eventsRace,
  eventsMasked,
  eventsClosing,
  interruptLines,
  msi,
  ioSpaceSuite,
  ioRevocation,
  configSpace,
  iommu,
  iommuRace,
  iommuTimeout,
  iommuQueue,
  iommuTables,
  iommuSuperpages,
  iommuTeardown,
  vtd,
  vtdWalk,
  vtdFaults,
  vtdTorn,
  vtdAts,
  pageStates,
  xenstore,
  specialPages,
  bounce,
  virtqueue,
  ring,
  ringHostile,
  block,
  blockFailures,
  blockHostile,
  blockDistrust,
  blockShared,
  blockSecrets,
  blockNeighbours,
  ...fastpathSuites,
  ...architectureSuites,
];
