/**
 * The Safe Hardware Interface as published: the code of 2004, each of its gaps put back, on the hardware of its time. What is claimed is
 * not kept by it; each claim here must break, and its trace is the gap.
 */

import { netUnboundedId, neverRevoked, privilegedBackend } from '../../faults/architectures/safeHardware/netMutants.js';
import { hostileBackends, hostileFrontends } from '../../faults/blockHostile.js';
import { rereadOperation, rereadSector, rereadSegments, unboundedId } from '../../faults/blockMutants.js';
import { doubleAssignment, pageGranular } from '../../faults/io.js';
import { dmaRemapping } from '../../model/iommu/index.js';
import type { FaultId } from '../../model/kernel/index.js';
import { splitBlock } from '../../model/splitBlock.js';
import {
  completedOnce,
  extentKept,
  ioOneHolder,
  ioReach,
  ioReleased,
} from '../../properties/architectures/safeHardware.js';
import { deadReachesNothing, mapsOnlyOffered, responsesMatch } from '../../properties/architectures/safeHardwareNet.js';
import { checkedIsUsed } from '../../properties/block.js';
import type { AnyProperty } from '../../properties/property.js';
import { type Claim, claim, type Suite, suite } from '../suite.js';
import { blockStart, connectedStart } from '../suites/blockStarts.js';
import { blockDistrustSuite, blockHostileSuite } from './safeHardwareBlock.js';
import { netTxThen } from './safeHardwareNet.js';
import { transmitMachine } from './safeHardwareNetMachines.js';
import { ioSuite, notRevocable } from './safeHardwareParts.js';

/** A claim that the published code does not keep. */
const open = (says: string, keeps: AnyProperty, against: readonly FaultId[]): Claim =>
  claim(says, { keeps: [keeps], against, without: [], expects: 'not contained' });

const assumptions = ['the code as published, read from its sources: what a later version mended is not in it'];

export const publishedIo = suite('safe-hardware-published-io', {
  title: 'Safe Hardware Interface as published: I/O space with GAP-X2, GAP-X3 and GAP-X4',
  machine: ioSuite.machine,
  edits: [...doubleAssignment.edits, ...pageGranular.edits, ...notRevocable.edits],
  scope: ioSuite.scope,
  claims: [
    open('a device is given to one domain at a time (GAP-X2)', ioOneHolder, []),
    open('registers are reached by the holder of their device, where two devices share a page (GAP-X3)', ioReach, []),
    open('what a dead domain held is taken back (GAP-X4)', ioReleased, ['F10']),
  ],
  assumptions,
});

export const publishedNet = suite('safe-hardware-published-net', {
  title: 'Safe Hardware Interface as published: net transmission with GAP-X1, GAP-X4 and GAP-X6',
  machine: transmitMachine,
  gatesOff: [dmaRemapping],
  edits: [...privilegedBackend.edits, ...neverRevoked.edits, ...netUnboundedId.edits],
  scope: netTxThen.scope,
  claims: [
    open('a driver domain maps only what was offered to it (GAP-X1)', mapsOnlyOffered, ['F1']),
    open('a driver domain that is gone reaches nothing any more (GAP-X4)', deadReachesNothing, ['F10']),
    open('a guest acts only on responses that answer its requests (GAP-X6, net)', responsesMatch, ['F5']),
  ],
  mayStop: () => true,
  assumptions,
});

export const publishedBlock = suite('safe-hardware-published-block', {
  title: 'Safe Hardware Interface as published: a block backend that reads requests in place (GAP-X5)',
  machine: { name: 'block as published', modules: [splitBlock, hostileFrontends, connectedStart] },
  edits: [...rereadOperation.edits, ...rereadSegments.edits, ...rereadSector.edits],
  scope: blockHostileSuite.scope,
  claims: [
    open('a disk access stays inside its extent although the ring changes (GAP-X5)', extentKept, ['F6']),
    open('a backend uses what it has checked although the ring changes (GAP-X5)', checkedIsUsed, ['F6']),
  ],
  mayStop: () => true,
  assumptions,
});

export const publishedFrontend = suite('safe-hardware-published-frontend', {
  title: 'Safe Hardware Interface as published: a block frontend that believes response ids (GAP-X6)',
  machine: { name: 'block frontend as published', modules: [splitBlock, hostileBackends, blockStart] },
  edits: unboundedId.edits,
  scope: blockDistrustSuite.scope,
  claims: [open('a frontend completes only what is outstanding (GAP-X6)', completedOnce, ['F5'])],
  mayStop: () => true,
  assumptions,
});

/** All suites of the published reading. */
export const safeHardwarePublished: readonly Suite[] = [publishedIo, publishedNet, publishedBlock, publishedFrontend];
