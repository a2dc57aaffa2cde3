/**
 * Grant tables, version 2: the in-use bits are no longer in the entry but in a status word beside it, which the VMM writes and the granter
 * reads. So there is no one word to compare and exchange: each side writes its own, and then looks at the other's.
 * Source: Xen `xen/include/public/grant_table.h` (grant_status_t, removing an entry of version 2), `xen/common/grant_table.c`
 * (_set_status_v2).
 *
 * State: a status word for each entry; all else is version 1's (grants.ts). A mapping here is one for the processor and has no handle:
 * handles are the same in both versions. Must keep: GT1 (a status bit stands for a pin), GT6 (never both ended and mapped).
 */
import { domain, runs } from './domains.js';
import { forget } from './grantGuest.js';
import { hostMapping, sharedWord } from './grantMap.js';
import {
  countMappings,
  countPins,
  dropReferences,
  flushDomain,
  flushOnGrantUnmap,
  GNTST,
  type Grants,
  GTF_READ_ONLY,
  grantRef,
  grantsAccess,
  HOST,
  PERMIT,
  pinsFit,
  pinsOf,
  READING,
  TYPE_MASK,
  takeReferences,
  takesPart,
  touchDomainTlb,
  touchUse,
  WRITING,
  writePinsOf,
} from './grants.js';
import { AGAIN, bitsOf, flag, module, OK, operationOn, type State, table } from './kernel/index.js';

export const statusTables = {
  /** grant_status_t: written by the VMM alone. Bits as in version 1’s flags. */
  grantStatus: table([domain, grantRef], {
    bits: bitsOf('permit access', 'accept transfer', 'read-only', 'reading', 'writing'),
  }),
};

export type GrantStatus = Grants & State<typeof statusTables>;

const operation = operationOn<GrantStatus>();

/** Result of an end that came too late. */
export const STATUS_ERRNO = { EBUSY: -16 } as const;

/** Whether flags and domain, as read, allow this use. */
function allows(m: GrantStatus, row: number, d: number, write: boolean): boolean {
  const word = sharedWord(m, row);
  const flags = word & 0xff;
  return (flags & TYPE_MASK) === PERMIT && word >> 8 === d && !(write && (flags & GTF_READ_ONLY) !== 0);
}

const bitsFor = (write: number): number => READING | (write === 1 ? WRITING : 0);

export const mapStatus = operation('grant2.map', {
  agent: domain,
  says: 'maps {ref} of {granter}, writable: {write}',
  source: 'grant_table.c, map_grant_ref with _set_status_v2',
  input: { granter: domain, ref: grantRef, write: flag },
  locals: ['added'],
  where: {
    agent: (m, op) => runs(m, op.agent) && takesPart(m, op.agent) && !grantsAccess(m, op.agent),
    granter: (m, op) => op.granter !== op.agent && takesPart(m, op.granter),
    // A second mapping with the same rights is version 1’s business: it changes no status bit.
    ref: (m, op) => pinsOf(m, m.active.at(op.granter, op.ref)) === 0,
  },
  touches: (m, op, may) => {
    const row = m.grant.at(op.granter, op.ref);
    const f = pinsOf(m, row) > 0 ? m.active.frame[row] : m.grant.frame[row];
    touchUse(m, may, row, op.agent, f);
    may.write(m.grantStatus, row);
  },
  errors: GNTST,
  steps: {
    'check the pins, lock the entry': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      if (m.active.locked[row] === 1) return AGAIN;
      if (!pinsFit(m, row, HOST, op.write === 1)) return GNTST.GNTST_general_error;
      m.active.locked[row] = 1;
      return OK;
    },
    'read the entry': (m, op) =>
      allows(m, m.grant.at(op.granter, op.ref), op.agent, op.write === 1) ? OK : GNTST.GNTST_general_error,
    'set the status bits': (m, op) => {
      const row = m.grantStatus.at(op.granter, op.ref);
      op.added = bitsFor(op.write) & ~m.grantStatus.bits[row];
      m.grantStatus.bits[row] |= op.added;
    },
    'read the entry again': (m, op) =>
      allows(m, m.grant.at(op.granter, op.ref), op.agent, op.write === 1) ? OK : GNTST.GNTST_general_error,
    'take the references, count the pins': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      const f = m.grant.frame[row];
      if (!takeReferences(m, f, op.granter, 1, op.write === 1)) return GNTST.GNTST_general_error;
      m.active.domid[row] = op.agent;
      m.active.frame[row] = f;
      countPins(m, row, HOST, op.write === 1, 1);
      return OK;
    },
    'enter the mapping': (m, op) => {
      if (m.fails(hostMapping)) return GNTST.GNTST_general_error;
      countMappings(m, op.agent, m.active.frame[m.active.at(op.granter, op.ref)], HOST, op.write === 1, 1);
      return OK;
    },
    'unlock the entry': (m, op) => {
      m.active.locked[m.active.at(op.granter, op.ref)] = 0;
    },
  },
  undo: {
    'check the pins, lock the entry': (m, op) => {
      m.active.locked[m.active.at(op.granter, op.ref)] = 0;
    },
    'set the status bits': (m, op) => {
      m.grantStatus.bits[m.grantStatus.at(op.granter, op.ref)] &= ~op.added;
    },
    'take the references, count the pins': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      dropReferences(m, m.active.frame[row], 1, op.write === 1);
      countPins(m, row, HOST, op.write === 1, -1);
    },
  },
});

export const unmapStatus = operation('grant2.unmap', {
  agent: domain,
  says: 'unmaps {ref} of {granter}',
  source: 'grant_table.c, unmap_common and unmap_common_complete',
  input: { granter: domain, ref: grantRef },
  locals: ['frame', 'write'],
  where: {
    agent: (m, op) => runs(m, op.agent),
    ref: (m, op) => m.active.domid[m.active.at(op.granter, op.ref)] === op.agent,
  },
  touches: (m, op, may) => {
    const row = m.active.at(op.granter, op.ref);
    touchUse(m, may, row, op.agent, m.active.frame[row]);
    touchDomainTlb(m, may, op.agent, m.active.frame[row]);
    may.write(m.grantStatus, row);
  },
  atomic: true,
  onFailure: 'safe',
  steps: {
    'remove the mapping': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      if (m.active.locked[row] === 1) return AGAIN;
      op.frame = m.active.frame[row];
      op.write = writePinsOf(m, row) > 0 ? 1 : 0;
      countMappings(m, op.agent, op.frame, HOST, op.write === 1, -1);
      return OK;
    },
    'flush the TLBs': (m, op) => {
      if (m.on(flushOnGrantUnmap)) flushDomain(m, op.agent, op.frame);
    },
    'drop pins and references, clear the status bits': (m, op) => {
      const row = m.active.at(op.granter, op.ref);
      countPins(m, row, HOST, op.write === 1, -1);
      dropReferences(m, op.frame, 1, op.write === 1);
      if (writePinsOf(m, row) === 0) m.grantStatus.bits[row] &= ~WRITING;
      if (pinsOf(m, row) === 0) m.grantStatus.bits[row] &= ~READING;
    },
  },
});

/** The granter clears the entry and then looks at the status word; what is still in use it keeps shared, and asks again later. */
export const endStatus = operation('grant2.end', {
  agent: domain,
  says: 'ends its {ref}',
  source: 'grant_table.h, removing an unused entry (version 2: flags = 0, memory barrier, status)',
  input: { ref: grantRef },
  where: {
    agent: (m, op) => runs(m, op.agent),
    ref: (m, op) => m.grant.inForce[m.grant.at(op.agent, op.ref)] === 1,
  },
  touches: (m, op, may) => may.write(m.grant, m.grant.at(op.agent, op.ref)),
  errors: STATUS_ERRNO,
  onFailure: 'safe',
  steps: {
    'clear the flags': (m, op) => {
      m.grant.flags[m.grant.at(op.agent, op.ref)] = 0;
    },
    'look at the status': (m, op) =>
      (m.grantStatus.bits[m.grantStatus.at(op.agent, op.ref)] & (READING | WRITING)) === 0 ? OK : STATUS_ERRNO.EBUSY,
    'take it for private': (m, op) => forget(m, m.grant.at(op.agent, op.ref)),
  },
});

/** Version 2 of what a granter and its mapper do. Scope: that of the grant tables. */
export const grantStatus = module<GrantStatus, typeof statusTables>('grant status words', {
  tables: statusTables,
  operations: [mapStatus, unmapStatus, endStatus],
  map: (m) => [...m.grantStatus.bits].flatMap((bits, row) => (bits === 0 ? [] : [`entry ${row}: status ${bits}`])),
});
