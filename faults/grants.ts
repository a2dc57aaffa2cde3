/**
 * What goes wrong with grants: a granter that rewrites its entry at any moment (F6), a mapper that takes all handles (F12); and the
 * historical bugs of grant tables as edits of the specification. Arbitrary references, granters and handles need no fault: every call
 * is tried with all of them.
 */

import { mutant } from '../drivers/suite.js';
import { domain, isHostile, runs } from '../model/domains.js';
import { frame, putType } from '../model/frames.js';
import { copyGrant } from '../model/grantCopy.js';
import { endAccess, forget, grantAccess, usePrivately } from '../model/grantGuest.js';
import { mapGrant, setStatus, sharedWord } from '../model/grantMap.js';
import {
  countPins,
  DEVICE,
  type Grants,
  GTF_READ_ONLY,
  grantRef,
  HOST,
  handle,
  mappingsIn,
  PERMIT,
  pin,
  pinsFit,
  pinsOf,
  READING,
  releaseHandle,
  takeReferences,
  takesPart,
  WRITING,
} from '../model/grants.js';
import { relinquishHandle, unmapGrant } from '../model/grantUnmap.js';
import {
  AGAIN,
  DONE,
  drop,
  gate,
  guardWith,
  module,
  OK,
  omit,
  operationOn,
  reorder,
  replace,
  sort,
  undoWith,
} from '../model/kernel/index.js';

const operation = operationOn<Grants>();

/** What a hostile granter may write into the flags of its entry. */
export const wildFlags = sort('flags', { members: ['none', 'permit', 'permit read-only'] });
const FLAGS = [0, PERMIT, PERMIT | GTF_READ_ONLY];

/** Handles are counted for each domain by itself. */
export const quota = gate('maptrack quota');

/** F6: the hostile domain (the last one) rewrites an entry while the VMM may be reading it, and whether or not it is in use. */
export const rewriteEntry = operation('fault.rewriteEntry', {
  agent: domain,
  says: 'rewrites its entry {ref}: {flags}, for {grantee}, {frame}',
  fault: 'F6',
  input: { ref: grantRef, flags: wildFlags, grantee: domain, frame },
  where: {
    agent: (m, op) => isHostile(m, op.agent) && runs(m, op.agent),
    // An entry that is not valid may say what it likes; one such entry stands for all.
    grantee: (m, op) => (op.flags === 0 ? op.grantee === 0 : op.grantee !== op.agent && takesPart(m, op.grantee)),
    frame: (_m, op) => op.flags !== 0 || op.frame === 0,
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.agent, op.ref)),
  atomic: true,
  steps: {
    write: (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      m.grant.flags[row] = FLAGS[op.flags];
      m.grant.domid[row] = op.grantee;
      m.grant.frame[row] = op.frame;
    },
  },
});

/** F12: the hostile domain takes every handle that it can get, as if it mapped grants beyond this scope. */
export const hoardHandles = operation('fault.hoard', {
  agent: domain,
  says: 'takes all handles that it can get',
  fault: 'F12',
  where: { agent: (m, op) => isHostile(m, op.agent) && runs(m, op.agent) },
  touches: (m, op, may) => {
    may.write(m.maptrackFree, op.agent);
    for (let h = 0; h < m.size(handle); h++) may.write(m.maptrack, m.maptrack.at(op.agent, h));
  },
  atomic: true,
  steps: {
    'take them': (m, op) => {
      const count = m.size(handle);
      for (let h = 0; h < m.maptrack.rows; h++) {
        const d = (h - (h % count)) / count;
        if (m.maptrack.taken[h] === 1 || (d !== op.agent && m.on(quota))) continue;
        m.maptrack.taken[h] = 1;
        m.maptrackFree.count[d]--;
      }
    },
  },
});

export const grantFaults = module<Grants, Record<never, never>>('grant faults', {
  tables: {},
  operations: [rewriteEntry],
});

export const exhaustion = module<Grants, Record<never, never>>('exhaustion', {
  tables: {},
  operations: [hoardHandles],
});

/** H01. */
export const oneTypeForTwo = mutant('XSA-224', {
  says: 'a writable mapping for host and device takes one type count, and unmapping drops two',
  source: 'XSA-224, CVE-2017-10920',
  edits: [
    replace(mapGrant, 'take the references', (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      op.frame = pinsOf(m, row) > 0 ? m.active.frame[row] : m.grant.frame[row];
      const both = op.kind + 1 === (HOST | DEVICE);
      if (!takeReferences(m, op.frame, op.granter, mappingsIn(op.kind + 1), op.write === 1)) return -1;
      if (both && op.write === 1) putType(m, op.frame);
      return OK;
    }),
  ],
});

/** H02. */
export const freeInPassTwo = mutant('XSA-218', {
  says: 'whether to free the handle is decided in the second pass of unmap',
  source: 'XSA-218, CVE-2017-10915 ff.',
  edits: [
    replace(unmapGrant, 'free the handle', (m, op) => {
      const h = m.maptrack.at(op.agent, op.handle);
      if ((m.maptrack.flags[h] & (HOST | DEVICE)) === 0) releaseHandle(m, h, op.agent);
    }),
  ],
});

/** H03, first half. */
export const hostPinsOnly = mutant('XSA-230', {
  says: 'the release of a copy looks at host pins only before it clears the in-use bits',
  source: 'XSA-230, CVE-2017-12855',
  edits: [
    replace(copyGrant, 'clear the status bits', (m, op) => {
      const row = m.grant.at(op.granter, op.ref);
      if (m.active.hostWrites[row] === 0) m.grant.flags[row] &= ~WRITING;
      if (m.active.hostReads[row] + m.active.hostWrites[row] === 0) m.grant.flags[row] &= ~READING;
    }),
  ],
});

/** H03, second half. */
export const referenceBeforePin = mutant('XSA-236', {
  says: 'the release of a copy drops the reference before the pin',
  source: 'XSA-236, CVE-2017-15597',
  edits: [
    reorder(copyGrant, [
      'check the local frame',
      'acquire the grant',
      'copy',
      'drop the reference',
      'drop the pin',
      'clear the status bits',
    ]),
  ],
});

/** H34, first half. */
export const queryThenAct = mutant('XSA-396 query', {
  says: 'the granter asks whether the entry is in use, and then clears it without comparing',
  source: 'XSA-396, CVE-2022-23036 ff.',
  edits: [replace(endAccess, 'clear by compare-and-exchange', (m, op) => forget(m, m.grant.at(op.agent, op.ref)))],
});

/** H34, second half. */
export const failureIgnored = mutant('XSA-396 ignore', {
  says: 'the granter ignores that it could not end access, and uses the frame as its own',
  source: 'XSA-396, CVE-2022-23036 ff.',
  edits: [
    replace(endAccess, 'read the flags', (m, op) => {
      const row = m.grant.at(op.agent, op.ref);
      op.seen = m.grant.flags[row];
      if ((op.seen & (READING | WRITING)) === 0) return OK;
      m.grant.inForce[row] = 0;
      return DONE;
    }),
  ],
});

export const flagsNotLast = mutant('grant flags first', {
  says: 'an entry is published before its domain and frame are written',
  source: 'grant_table.h, the order of introducing an entry',
  edits: [reorder(grantAccess, ['write the flags', 'write the domain', 'write the frame', 'clear what is private'])],
});

export const handleFlagsFirst = mutant('handle flags first', {
  says: 'the flags of a handle are written as soon as it is taken, before domain and reference',
  source: 'grant_table.c, the order of writing a handle',
  edits: [
    reorder(mapGrant, [
      'find the granter, take a handle',
      'write the flags of the handle',
      'check the pins, lock the entry',
      'read the entry',
      'set the status bits',
      'take the references',
      'count the pins',
      'enter the host mapping',
      'enter the device mapping',
      'unlock the entry',
      'write the handle',
    ]),
  ],
});

export const statusBlindly = mutant('status without comparing', {
  says: 'the in-use bits are set without comparing flags and domain with what was checked',
  source: 'grant_table.c, _set_status_v1 (the compare-and-exchange)',
  edits: [
    replace(mapGrant, 'set the status bits', (m, op) => {
      setStatus(m, m.grant.at(op.granter, op.ref), op.write === 1);
      return OK;
    }),
  ],
});

export const statusKept = mutant('status not cleared', {
  says: 'a copy leaves the in-use bits set',
  source: 'generated: omitted step',
  edits: [omit(copyGrant, 'clear the status bits')],
});

export const entryUnchecked = mutant('entry unchecked', {
  says: 'a mapping does not look at type, domain and right of the entry',
  source: 'generated: omitted guard',
  edits: [
    replace(mapGrant, 'read the entry', (m, op) => {
      op.seen = sharedWord(m, m.grant.at(op.granter, op.ref));
      return OK;
    }),
  ],
});

export const pinsUnchecked = mutant('pins unchecked', {
  says: 'a mapping does not look at whose pins an entry already has',
  source: 'generated: omitted guard',
  edits: [
    replace(mapGrant, 'check the pins, lock the entry', (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      if (m.active.locked[row] === 1) return AGAIN;
      m.active.locked[row] = 1;
      return OK;
    }),
  ],
});

export const privateAnywhere = mutant('private writes anywhere', {
  says: 'a domain keeps its secrets in frames of others',
  source: 'generated: omitted guard',
  edits: [guardWith(usePrivately, 'frame', undefined)],
});

export const pinsWrap = mutant('pins wrap', {
  says: 'a pin counter that is full starts again from nothing',
  source: 'grant_table.c, the risk of counter overflow in map_grant_ref',
  edits: [
    ...pinsUnchecked.edits,
    replace(mapGrant, 'count the pins', (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      const full = !pinsFit(m, row, op.kind + 1, op.write === 1);
      m.active.domid[row] = op.agent;
      m.active.frame[row] = op.frame;
      countPins(m, row, op.kind + 1, op.write === 1, full ? -m.size(pin) : 1);
    }),
  ],
});

export const dropBeforeFlush = mutant('unmap drops before it flushes', {
  says: 'pins and references are dropped before the TLBs are flushed',
  source: 'grant_table.c, the order of the two passes',
  edits: [
    reorder(unmapGrant, ['remove the mappings', 'drop pins and references', 'flush the TLBs', 'free the handle']),
  ],
});

export const pinsNotUndone = mutant('pins not undone', {
  says: 'a mapping that fails in the end leaves its pins',
  source: 'generated: omitted undo',
  edits: [undoWith(mapGrant, 'count the pins', undefined)],
});

export const localUnchecked = mutant('local frame unchecked', {
  says: 'a copy does not look at whose its local frame is',
  source: 'generated: omitted step',
  edits: [omit(copyGrant, 'check the local frame')],
});

export const handleKept = mutant('handle not freed', {
  says: 'a handle whose last mapping is gone is not freed',
  source: 'generated: omitted step',
  edits: [omit(unmapGrant, 'free the handle')],
});

export const mapperNotReleased = mutant('mapper not released', {
  says: 'what a dead domain had mapped is not unmapped',
  source: 'generated: omitted operation',
  edits: [drop(relinquishHandle)],
});

export const handlesOfOthers = mutant('handles of the living taken back', {
  says: 'the VMM unmaps handles without a look at whether their domain is dying',
  source: 'generated: omitted guard',
  edits: [guardWith(relinquishHandle, 'target', undefined)],
});

export const deadGrants = mutant('dead domain grants', {
  says: 'a dead domain still publishes entries',
  source: 'generated: omitted guard',
  edits: [guardWith(grantAccess, 'agent', undefined)],
});

export const endedNotCleared = mutant('end clears nothing', {
  says: 'ending access returns success, and the entry stays',
  source: 'generated: omitted step',
  edits: [replace(endAccess, 'clear by compare-and-exchange', () => OK)],
});
