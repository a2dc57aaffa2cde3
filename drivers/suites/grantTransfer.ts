/** Suites `grants-transfer` and `grants-swap`: frames that change hands by grant tables, and entries that change places. */
import * as faults from '../../faults/grantTransfer.js';
import { processors, refillTlb } from '../../model/access.js';
import { crashDomain, domains, releaseDomain } from '../../model/domains.js';
import { frames, relinquishFrame } from '../../model/frames.js';
import { destroyEntry, endAccess, grantAccess } from '../../model/grantGuest.js';
import { mapGrant } from '../../model/grantMap.js';
import { type Grants, TRANSFER } from '../../model/grants.js';
import {
  acceptTransfer,
  flushOnTransfer,
  swapGrants,
  takeDelivered,
  transferFrame,
  withdrawTransfer,
} from '../../model/grantTransfer.js';
import { grants as grantTable, unmapGrant } from '../../model/grantUnmap.js';
import { flag, guardWith, module } from '../../model/kernel/index.js';
import { mapFrame, unmapFrame } from '../../model/mmu.js';
import { pinsMatch, statusTells } from '../../properties/grantCounts.js';
import { revoked } from '../../properties/grants.js';
import {
  committedStays,
  deliveredWhole,
  reachTransferred,
  swappedWhole,
  takenOwn,
  transferredOnce,
  withinReservation,
} from '../../properties/grantTransfer.js';
import { countHolders, lifeCycle } from '../../properties/memory.js';
import { claim, suite } from '../suite.js';

const DONOR = 1;
const RECIPIENT = 2;

type Nothing = Record<never, never>;
/** The donor has all frames but the last or the last two, which are the recipient's. */
const start = module<Grants, Nothing>('start', {
  tables: {},
  operations: [],
  initial: (m) => {
    const full = m.choose(flag, 'the recipient owns as much as it may');
    for (let f = 0; f < m.frame.rows; f++) {
      m.frame.owner[f] = f + 1 + full < m.frame.rows || f === 0 ? DONOR : RECIPIENT;
      m.frame.allocated[f] = 1;
      m.frame.refs[f] = 1;
    }
  },
});
/** The recipient's entry 0 accepts a frame of the donor. */
function accepting(m: Grants): void {
  grantTable.initial?.(m);
  const row = m.grant.at(RECIPIENT, 0);
  m.grant.domid[row] = DONOR;
  m.grant.inForce[row] = 1;
  m.grant.flags[row] = TRANSFER;
}

const transfers = {
  ...grantTable,
  initial: accepting,
  operations: [acceptTransfer, withdrawTransfer, takeDelivered, transferFrame, destroyEntry],
};
const pages = module<Grants, Nothing>('pages of the donor', { tables: {}, operations: [mapFrame, unmapFrame] });
const assumptions = ['scope: one donor, one recipient, which alone may die: a death waits for the calls in progress'];
const scope = { domain: 3, party: 3, granting: 3, handle: 1, pin: 1, vcpu: 3, generation: 1, 'shared part': 2 };

export const grantTransfers = suite('grants-transfer', {
  title: 'a donor transfers frames to a recipient that accepts, withdraws, runs full and dies',
  machine: {
    name: 'grant transfers',
    modules: [
      { ...domains, operations: [crashDomain, releaseDomain] },
      { ...frames, operations: [relinquishFrame] },
      { ...processors, operations: [refillTlb] },
      pages,
      transfers,
      start,
    ],
    threads: () => [DONOR, RECIPIENT],
    split: ['grant.transfer', 'grant.withdraw'],
  },
  edits: [
    guardWith(crashDomain, 'agent', (m, op) => op.agent === RECIPIENT && m.domain.life[op.agent] === 1),
    // The donor maps its own frames only; what a recipient maps is the business of other suites.
    guardWith(mapFrame, 'agent', (m, op) => op.agent === DONOR && m.domain.life[op.agent] === 1),
    guardWith(transferFrame, 'agent', (m, op) => op.agent === DONOR && m.domain.life[op.agent] === 1),
    guardWith(acceptTransfer, 'agent', (m, op) => op.agent === RECIPIENT && m.domain.life[op.agent] === 1),
  ],
  scope: {
    small: { ...scope, frame: 3, grant: 1, reservation: 2 },
    default: { ...scope, frame: 3, grant: 1, reservation: 2 },
    large: { ...scope, frame: 3, grant: 2, reservation: 2 },
  },
  schedule: 'split',
  claims: [
    claim('a frame that is transferred is the recipient’s alone, and its books are right', {
      keeps: [reachTransferred, countHolders, withinReservation],
      against: ['F10'],
      without: [
        { off: flushOnTransfer, breaks: reachTransferred },
        { off: faults.stolenInUse, breaks: reachTransferred },
        { off: faults.stolenLost, breaks: countHolders },
        { off: faults.reservationIgnored, breaks: withinReservation },
      ],
    }),
    claim('an entry receives one frame, from the donor that it names, and tells of it when it is there', {
      keeps: [deliveredWhole, transferredOnce, committedStays, takenOwn, lifeCycle],
      against: ['F10'],
      without: [
        { off: faults.donorUnchecked, breaks: transferredOnce },
        { off: faults.entryNotCommitted, breaks: deliveredWhole },
        { off: faults.commitLeft, breaks: deliveredWhole },
        { off: faults.withdrawnBlindly, breaks: committedStays },
        { off: faults.completedFirst, breaks: takenOwn },
        { off: faults.deadAccepts, breaks: lifeCycle },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions,
});

export const grantSwap = suite('grants-swap', {
  title: 'a granter swaps entries while a mapper maps them',
  machine: {
    name: 'grant swap',
    modules: [
      { ...domains, operations: [] },
      { ...frames, operations: [] },
      { ...processors, operations: [refillTlb] },
      { ...grantTable, operations: [grantAccess, endAccess, mapGrant, unmapGrant, swapGrants] },
      start,
    ],
  },
  scope: {
    small: { ...scope, party: 2, granting: 1, frame: 2, grant: 2 },
    default: { ...scope, party: 2, granting: 1, frame: 3, grant: 2 },
    large: { ...scope, party: 2, granting: 1, frame: 3, grant: 2, handle: 2, pin: 2 },
  },
  claims: [
    claim('an entry that is in use stays where it is, and what moves moves as a whole', {
      keeps: [swappedWhole, revoked, pinsMatch, statusTells],
      against: [],
      without: [
        { off: faults.swappedInUse, breaks: swappedWhole },
        { off: faults.swappedInUse, breaks: revoked },
        { off: faults.swappedInPart, breaks: swappedWhole },
      ],
    }),
  ],
  assumptions: ['scope: no domain dies; entries are swapped by one call, under the lock of the table'],
});
