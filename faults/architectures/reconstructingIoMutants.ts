/**
 * The mistakes that a restart or a device mapping of "Reconstructing I/O" (UCAM-CL-TR-596, 2004) can be made with (architectures 7.3,
 * numbers 7, 12, 13, 15, 16 and 19, and wrong orders), as edits of the specification.
 */
import { mutant } from '../../drivers/suite.js';
import {
  DEVMAP_ERRNO,
  devMap,
  devUnmap,
  endLoan,
  grantOk,
  isForeign,
  rightsOf,
} from '../../model/architectures/reconstructingIo/lending.js';
import {
  RESTART_ORDER,
  type RestartStep,
  type Restarts,
  restart,
  restartSteps,
  stepsIn,
  submitAll,
} from '../../model/architectures/reconstructingIo/restart.js';
import {
  type Edit,
  guardWith,
  insertBefore,
  NONE,
  OK,
  omit,
  reorder,
  replace,
  undoWith,
} from '../../model/kernel/index.js';

/** The step that a restart in a wrong order would wait at. */
export const UNGUARDED = 'check that nobody has it and it is quiet';

/** The restart with its micro-steps in another order, and no check at the assignment. */
function inOrder(...order: readonly RestartStep[]): readonly Edit[] {
  return [reorder(restart, stepsIn(order)), omit(restart, UNGUARDED)];
}

/** The restart without some of its micro-steps. */
function without(...left: readonly RestartStep[]): readonly Edit[] {
  return left.flatMap((micro) => Object.keys(restartSteps[micro]).map((step) => omit(restart, step)));
}

/** Moves one micro-step in front of another. */
function moved(step: RestartStep, before: RestartStep): readonly Edit[] {
  const others = RESTART_ORDER.filter((s) => s !== step);
  return inOrder(...others.flatMap((s) => (s === before ? [step, s] : [s])));
}

export const noQuiesce = mutant('GAP-V4 here', {
  says: 'a device changes hands without bus mastering off, without waiting for its requests, and nobody checks',
  source: 'architectures 7.3, 12',
  edits: [...without('bus mastering off', 'wait for requests'), omit(restart, UNGUARDED)],
});

export const tablesFirst = mutant('tables before quiescing', {
  says: 'frames and tables of the failed driver go before its device is quiet and the IOTLB is invalidated',
  source: 'architectures 7.3, 13 (order of the close path)',
  edits: [
    reorder(restart, [
      'begin',
      'destroy the old domain',
      'release its frames',
      'free tables',
      ...stepsIn(RESTART_ORDER).filter(
        (s) => !['begin', 'destroy the old domain', 'release its frames', 'free tables'].includes(s),
      ),
    ]),
  ],
});

export const twoOwners = mutant('restart without destroying', {
  says: 'whoever is suspected is taken to be dead: his domain is not destroyed',
  source: 'TR-596 on suspicion; architectures 7.3 (R-S4)',
  edits: without('destroy the old domain'),
});

export const epochKept = mutant('epoch kept', {
  says: 'clients are reconnected in the old epoch',
  source: 'omitted step',
  edits: without('next epoch'),
});

export const reconnectFirst = mutant('clients before device', {
  says: 'clients are reconnected before there is a new domain that has the device',
  source: 'order of R2',
  edits: moved('reconnect its clients', 'bus mastering off'),
});

export const reconnectAll = mutant('all clients reconnected', {
  says: 'a restart reconnects the clients of all devices',
  source: 'R-S3',
  edits: [
    {
      kind: 'replace',
      operation: restart.name,
      step: 'reconnect its clients',
      with: (m: Restarts, op: { device: number; fresh: number }) => {
        for (let c = 0; c < m.channel.rows; c++) {
          m.channel.to[c] = op.fresh;
          m.channel.epoch[c] = m.service.epoch[op.device];
        }
      },
    } as Edit,
  ],
});

export const iotlbKept = mutant('restart: IOTLB kept', {
  says: 'translations of the failed driver survive its restart',
  source: 'architectures 7.3, 19; XSA-442',
  edits: [replace(restart, 'invalidate', (m, op) => submitAll(m, op, false))],
});

export const pinsKept = mutant('restart: pins kept', {
  says: 'a restart frees the tables of the failed driver and forgets the pins of loans',
  source: 'R6; architectures 7.3, 15 (in-use bit not rolled back)',
  edits: [
    {
      kind: 'insert',
      operation: restart.name,
      before: 'free tables',
      step: 'forget the pins',
      with: (m: Restarts) => {
        for (let f = 0; f < m.lent.rows; f++) if (m.lent.to[f] !== NONE) m.lent.pins[f]++;
      },
    } as Edit,
  ],
});

export const framesLost = mutant('frames not released', {
  says: 'the table of the failed driver is unlinked and never freed',
  source: 'census over restarts',
  edits: [
    {
      kind: 'insert',
      operation: restart.name,
      before: 'free tables',
      step: 'lose the table',
      with: (m: Restarts, op: { did: number }) => {
        m.frame.refs[m.ioDirectory.target[op.did]]++;
      },
    } as Edit,
  ],
});

export const lazyIotlb = mutant('lazy IOTLB', {
  says: 'DevUnmap reports that it is done without invalidating',
  source: 'architectures 7.3, 19; Linux commit 82c3cef',
  edits: [omit(devUnmap, 'invalidate IOTLB')],
});

export const dropFirst = mutant('pin dropped before the wait', {
  says: 'DevUnmap gives pin and page back before the invalidation has completed',
  source: 'architectures 7.3, 13 (order)',
  edits: [
    reorder(devUnmap, [
      'clear entry',
      'drop reference and pin',
      'invalidate IOTLB',
      'invalidate ATC',
      'wait',
      'completed',
    ]),
  ],
});

export const endWhileInUse = mutant('XSA-396 here', {
  says: 'a loan is ended although it is still mapped for a device',
  source: 'architectures 7.3, 16; XSA-396',
  edits: [guardWith(endLoan, 'frame', (m, op) => m.frame.owner[op.frame] === op.agent && m.lent.to[op.frame] !== NONE)],
});

export const pinNotRolledBack = mutant('pin not rolled back', {
  says: 'a DevMap that finds no device space leaves the loan pinned',
  source: 'architectures 7.3, 15',
  edits: [undoWith(devMap, 'check the grant and pin it', undefined)],
});

export const grantUnchecked = mutant('GAP-X1 here', {
  says: 'a driver domain maps any frame for its device: the backend is privileged',
  source: 'architectures 7.3, 7',
  edits: [
    replace(devMap, 'check the grant and pin it', (m, op) => {
      if (isForeign(m, op.did, op.frame)) m.lent.pins[op.frame]++;
    }),
  ],
});

export const pinnedLate = mutant('pinned after the check', {
  says: 'DevMap checks the loan in one step and pins it in a later one: it can be ended in between',
  source: 'found while specifying R4; architectures 6.1 (GT6)',
  edits: [
    replace(devMap, 'check the grant and pin it', (m, op) =>
      grantOk(m, m.ioDomain.owner[op.did], op.frame, rightsOf(op.write)) ? OK : DEVMAP_ERRNO.EPERM,
    ),
    insertBefore(devMap, 'find device space', 'pin the loan', (m, op) => {
      if (isForeign(m, op.did, op.frame)) m.lent.pins[op.frame]++;
    }),
  ],
});
