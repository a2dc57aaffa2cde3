/**
 * The twenty mutants that exist in published code or in an advisory (architectures.md, 7.3), and the edits of the specifications that stand
 * for them. Which suite and claim finds which is looked up in the catalogue, and how far away it was in the report: reports/mutantTable.ts.
 */

import { sharedStatus, uncheckedAddress } from '../../faults/architectures/driverReuse/channel.js';
import { faultMaps, noDrain, noUnmapHook } from '../../faults/architectures/driverReuse/muxMutants.js';
import { detachAtOnce } from '../../faults/architectures/driverReuse/restart.js';
import {
  entrySurvivesFree,
  interruptNotDisabled,
  kernelEntrySurvives,
  pathSleeps,
} from '../../faults/architectures/microdriversMutants.js';
import {
  endWhileInUse,
  grantUnchecked,
  lazyIotlb,
  noQuiesce as restartWithoutQuiesce,
} from '../../faults/architectures/reconstructingIoMutants.js';
import { ringByAddress } from '../../faults/architectures/safeHardware/channel.js';
import {
  noLookAfterEvent,
  privilegedBackend,
  reusedTooEarly,
} from '../../faults/architectures/safeHardware/netMutants.js';
import {
  noQuiesce as closeWithoutQuiesce,
  lazyUnmap,
  unpinFirst,
} from '../../faults/architectures/userLevelMutants.js';
import { sharedLine } from '../../faults/architectures/userLevelServiceMutants.js';
import {
  endFailureIgnored,
  rereadFirst,
  rereadGrant,
  rereadLast,
  rereadOperation,
  rereadSector,
  rereadSegments,
  ringReused,
  unboundedId,
} from '../../faults/blockMutants.js';
import { statusNotRolledBack } from '../../faults/grantStatus.js';
import { failureIgnored, flagsNotLast, queryThenAct } from '../../faults/grants.js';
import { bytesNotElements } from '../../faults/interrupts.js';
import { doubleAssignment, pageGranular, revokeWithoutQuiesce } from '../../faults/io.js';
import { collectWithoutBarrier, finalCheckWithoutBarrier } from '../../faults/ring.js';
import type { Mutant } from '../suite.js';

/** Steps within which each must be found. */
export const MOST_STEPS = 10;

export interface RealMutant {
  readonly number: number;
  readonly says: string;
  /** The edits that stand for it, in this architecture or that. */
  readonly mutants: readonly Mutant[];
}

const real = (number: number, says: string, ...mutants: readonly Mutant[]): RealMutant => ({ number, says, mutants });

export const realMutants: readonly RealMutant[] = [
  real(1, 'the wait for DMA in flight is left out of the switch of tables (GAP-V5)', noDrain),
  real(2, 'the fault handler maps the page that was asked for (GAP-V6)', faultMaps),
  real(3, 'nothing is done to the device table when a page is unmapped (GAP-V7)', noUnmapHook),
  real(4, 'the array of sharers is compacted by bytes and not by elements (X-M2)', bytesNotElements),
  real(
    5,
    'a descriptor is read in place, several times (GAP-X5, XSA-155)',
    rereadSegments,
    rereadSector,
    rereadOperation,
    rereadFirst,
    rereadLast,
    rereadGrant,
  ),
  real(6, 'the id of a response is an index that nobody checks (GAP-X6)', unboundedId),
  real(
    7,
    'the backend is privileged and maps by machine address (GAP-X1)',
    privilegedBackend,
    ringByAddress,
    grantUnchecked,
  ),
  real(8, 'registers are granted by whole pages (GAP-X3)', pageGranular),
  real(9, 'a device is assigned twice (GAP-X2)', doubleAssignment),
  real(10, 'one status page, which all clients may write (GAP-V2)', sharedStatus),
  real(11, 'the address of a buffer to transmit is not bounded (GAP-V3)', uncheckedAddress),
  real(
    12,
    'a client or a device is detached without quiescing (GAP-V4)',
    detachAtOnce,
    closeWithoutQuiesce,
    revokeWithoutQuiesce,
    restartWithoutQuiesce,
  ),
  real(13, 'pages are unpinned before bus mastering is off', unpinFirst),
  real(
    14,
    'the flags of a grant are not written last; no barrier in the final check of a ring',
    flagsNotLast,
    finalCheckWithoutBarrier,
    collectWithoutBarrier,
    noLookAfterEvent,
  ),
  real(15, 'a status bit is not rolled back (grant tables, version 2)', statusNotRolledBack),
  real(
    16,
    'access is taken for ended while it is in use (XSA-396)',
    queryThenAct,
    failureIgnored,
    endFailureIgnored,
    ringReused,
    reusedTooEarly,
    endWhileInUse,
  ),
  real(17, 'an entry of the object tracker survives its object (MD-S4)', entrySurvivesFree, kernelEntrySurvives),
  real(18, 'a path of the kernel half takes a combolock in semaphore mode', interruptNotDisabled, pathSleeps),
  real(19, 'the IOTLB is invalidated lazily', lazyIotlb, lazyUnmap),
  real(20, 'a sharer that hangs wedges the line', sharedLine),
];
