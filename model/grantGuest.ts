/**
 * What guests do with their grant tables: publish an entry, with its flags last, and end it by compare-and-exchange.
 * Source: Xen `xen/include/public/grant_table.h` (comment "Introducing a valid entry into the grant table", "Removing an unused
 * GTF_permit_access entry"); Linux `drivers/xen/grant-table.c` (gnttab_end_foreign_access_ref).
 */
import { writePart } from './access.js';
import { DYING, domain, isHostile, runs } from './domains.js';
import { ERRNO, frame, isShared, part } from './frames.js';
import {
  type Grants,
  GTF_READ_ONLY,
  grantRef,
  grantsAccess,
  isAwaited,
  PERMIT,
  pinsOf,
  READING,
  takesPart,
  WRITING,
} from './grants.js';
import { flag, jumpTo, NONE, OK, operationOn, sort } from './kernel/index.js';

const operation = operationOn<Grants>();

/** How many halves of a granted frame its owner means to share: one of two when something private lies beside the buffer. */
export const sharedPart = sort('shared part');

/** The domain publishes an entry. What lies in the shared halves is now meant for the peer. */
export const grantAccess = operation('grant.publish', {
  agent: domain,
  says: 'grants {frame} to {grantee} as {ref}, read-only: {readOnly}',
  source: 'grant_table.h, introducing a valid entry',
  input: { ref: grantRef, grantee: domain, frame, readOnly: flag },
  where: {
    agent: (m, op) => runs(m, op.agent) && grantsAccess(m, op.agent),
    ref: (m, op) => m.grant.flags[m.grant.at(op.agent, op.ref)] === 0,
    grantee: (m, op) => op.grantee !== op.agent && takesPart(m, op.grantee),
    frame: (m, op) => m.frame.owner[op.frame] === op.agent && m.frame.allocated[op.frame] === 1,
  },
  touches: (m, op, may) => {
    may.write(m.grant, m.grant.at(op.agent, op.ref));
    may.write(m.content, op.frame * 2);
    may.write(m.content, op.frame * 2 + 1);
  },
  steps: {
    'write the domain': (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      m.grant.domid[row] = op.grantee;
      m.grant.meant[row] = m.domain.generation[op.grantee];
    },
    'write the frame': (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      m.grant.frame[row] = op.frame;
      m.grant.inForce[row] = 1;
    },
    'clear what is private': (m, op) => {
      const parts = Math.min(m.size(sharedPart), m.size(part));
      for (let p = 0; p < parts; p++) m.content.secret[op.frame * 2 + p] = NONE;
    },
    'write the flags': (m, op) => {
      m.grant.flags[m.grant.at(op.agent, op.ref)] = PERMIT | (op.readOnly === 1 ? GTF_READ_ONLY : 0);
    },
  },
});

/** The domain puts its secrets into a frame that it keeps private, by its own mapping, which is not modelled here. */
export const usePrivately = operation('grant.usePrivately', {
  agent: domain,
  says: 'keeps a secret in {frame}',
  input: { frame },
  where: {
    // What the adversary keeps for itself is of no interest.
    agent: (m, op) => runs(m, op.agent) && !isHostile(m, op.agent),
    frame: (m, op) => m.frame.owner[op.frame] === op.agent && !isShared(m, op.frame),
  },
  touches: (m, op, may) => {
    may.write(m.content, op.frame * 2);
    may.write(m.content, op.frame * 2 + 1);
  },
  atomic: true,
  steps: {
    write: (m, op) => {
      for (let p = 0; p < 2; p++) writePart(m, op.agent, op.frame, p);
    },
  },
});

const readAgain = jumpTo('read the flags');

/** The entry is over for its owner: wiped, and the frame is private again. */
export function forget(m: Grants, row: number): void {
  m.grant.flags[row] = 0;
  m.grant.domid[row] = 0;
  m.grant.frame[row] = 0;
  m.grant.inForce[row] = 0;
  m.grant.meant[row] = 0;
}

/** The domain tries to end access. On failure the peer is still using the frame, and its owner keeps it shared: it leaks the frame. */
export const endAccess = operation('grant.end', {
  agent: domain,
  says: 'ends its {ref}',
  source: 'grant_table.h, removing an unused entry; XSA-396 for what follows a failure',
  input: { ref: grantRef },
  locals: ['seen'],
  where: {
    agent: (m, op) => runs(m, op.agent),
    ref: (m, op) => (m.grant.flags[m.grant.at(op.agent, op.ref)] & PERMIT) !== 0,
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.agent, op.ref)),
  errors: ERRNO,
  steps: {
    'read the flags': (m, op) => {
      op.seen = m.grant.flags[m.grant.at(op.agent, op.ref)];
      return (op.seen & (READING | WRITING)) === 0 ? OK : ERRNO.EBUSY;
    },
    'clear by compare-and-exchange': (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      if (m.grant.flags[row] !== op.seen) return readAgain;
      forget(m, row);
      return OK;
    },
  },
});

/** grant_table_destroy: a dead domain's unused entries go. */
export const destroyEntry = operation('grant.destroy', {
  agent: 'vmm',
  says: 'discards {ref} of dying {target}',
  source: 'xen/common/grant_table.c, grant_table_destroy',
  input: { target: domain, ref: grantRef },
  where: {
    target: (m, op) => m.domain.life[op.target] === DYING,
    ref: (m, op) => {
      const row = m.grant.at(op.target, op.ref);
      return m.grant.flags[row] !== 0 && pinsOf(m, row) === 0 && !isAwaited(m, row);
    },
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.target, op.ref)),
  atomic: true,
  steps: { 'wipe it': (m, op) => forget(m, m.grant.at(op.target, op.ref)) },
});
