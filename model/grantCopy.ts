/**
 * GNTTABOP_copy: the VMM copies between a local frame of the caller and a granted one. No mapping outlives the call.
 * Source: Xen `xen/common/grant_table.c` (acquire_grant_for_copy, release_grant_for_copy); XSA-230 and XSA-236 for the release.
 */
import { readPart, writePart } from './access.js';
import { ABSENT, domain, runs } from './domains.js';
import { frame, touchFrame } from './frames.js';
import { checkEntry, setStatus, sharedWord } from './grantMap.js';
import {
  clearStatus,
  countPins,
  dropReferences,
  GNTST,
  type Grants,
  grantRef,
  HOST,
  pinsFit,
  pinsOf,
  takeReferences,
  takesPart,
  touchUse,
} from './grants.js';
import { AGAIN, flag, OK, operationOn } from './kernel/index.js';

const operation = operationOn<Grants>();

export const copyGrant = operation('grant.copy', {
  agent: domain,
  says: 'copies between {local} and {ref} of {granter}, to the grant: {write}',
  source: 'grant_table.h, GNTTABOP_copy',
  input: { granter: domain, ref: grantRef, local: frame, write: flag },
  locals: ['frame', 'begun'],
  where: {
    agent: (m, op) => runs(m, op.agent) && takesPart(m, op.agent),
    granter: (m, op) => op.granter !== op.agent && takesPart(m, op.granter),
  },
  touches: (m, op, may) => {
    const row = m.grant.at(op.granter, op.ref);
    const f = pinsOf(m, row) > 0 ? m.active.frame[row] : m.grant.frame[row];
    touchUse(m, may, row, op.agent, f);
    may.write(m.seen, op.agent);
    touchFrame(m, may, op.local);
    if (op.begun === 1) touchFrame(m, may, op.frame);
  },
  errors: GNTST,
  steps: {
    // Its reference is not counted: nothing happens to a frame of a running domain within the call but what the caller itself does.
    'check the local frame': (m, op) => {
      if (m.active.locked[m.grant.at(op.granter, op.ref)] === 1) return AGAIN;
      return m.frame.owner[op.local] === op.agent ? OK : GNTST.GNTST_bad_page;
    },
    'acquire the grant': (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      if (m.active.locked[row] === 1) return AGAIN;
      if (m.domain.life[op.granter] === ABSENT) return GNTST.GNTST_bad_domain;
      const used = pinsOf(m, row) > 0;
      if (used && m.active.domid[row] !== op.agent) return GNTST.GNTST_general_error;
      if (!pinsFit(m, row, HOST, op.write === 1)) return GNTST.GNTST_general_error;
      const bad = checkEntry(m, row, sharedWord(m, row), op.agent, op.write === 1);
      if (bad !== OK) return bad;
      op.frame = used ? m.active.frame[row] : m.grant.frame[row];
      if (!takeReferences(m, op.frame, op.granter, 1, op.write === 1)) return GNTST.GNTST_general_error;
      op.begun = 1;
      setStatus(m, row, op.write === 1);
      m.active.domid[row] = op.agent;
      m.active.frame[row] = op.frame;
      countPins(m, row, HOST, op.write === 1, 1);
      return OK;
    },
    copy: (m, op) => {
      for (let p = 0; p < 2; p++) {
        readPart(m, op.agent, op.write === 1 ? op.local : op.frame, p);
        writePart(m, op.agent, op.write === 1 ? op.frame : op.local, p);
      }
    },
    'drop the pin': (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      countPins(m, row, HOST, op.write === 1, -1);
    },
    'clear the status bits': (m, op) => clearStatus(m, m.grant.at(op.granter, op.ref)),
    'drop the reference': (m, op) => dropReferences(m, op.frame, 1, op.write === 1),
  },
});
