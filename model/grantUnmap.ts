/**
 * GNTTABOP_unmap_grant_ref, in its two passes with one TLB flush between them, and what the VMM unmaps when a mapper has died.
 * Source: Xen `xen/common/grant_table.c` (unmap_common, unmap_common_complete, gnttab_release_mappings); XSA-218 for who frees the handle.
 *
 * Order: the mappings go, the TLBs are flushed, then pins and references are dropped, then the handle is free for reuse.
 */
import { DYING, domain, runs } from './domains.js';
import { touchFrame } from './frames.js';
import { copyGrant } from './grantCopy.js';
import { destroyEntry, endAccess, grantAccess, usePrivately } from './grantGuest.js';
import { mapGrant } from './grantMap.js';
import {
  clearStatus,
  countMappings,
  countPins,
  DEVICE,
  dropReferences,
  flushDomain,
  flushOnGrantUnmap,
  GNTST,
  type Grants,
  grantRef,
  grantTables,
  HOST,
  handle,
  mapKind,
  mappingsIn,
  pinsOf,
  READ_ONLY,
  releaseHandle,
  touchDomainTlb,
} from './grants.js';
import { AGAIN, type Footprint, module, OK, operationOn } from './kernel/index.js';

const operation = operationOn<Grants>();

const KINDS = DEVICE | HOST;

/** Second pass: pins, in-use bits and references of the removed mappings go. */
export function dropUse(m: Grants, row: number, f: number, kinds: number, write: boolean): void {
  countPins(m, row, kinds, write, -1);
  clearStatus(m, row);
  dropReferences(m, f, mappingsIn(kinds), write);
}

/** Names what unmapping the handle in row `h` touches: the entry and frame that it stands for. */
function touchHandle(m: Grants, may: Footprint, h: number, d: number): void {
  may.write(m.maptrack, h);
  may.write(m.maptrackFree, d);
  const granter = m.maptrack.granter[h];
  if (granter >= m.domain.rows) return;
  const row = m.grant.at(granter, m.maptrack.ref[h]);
  may.write(m.grant, row);
  may.write(m.active, row);
  const f = m.active.frame[row];
  if (f >= m.frame.rows) return;
  touchFrame(m, may, f);
  touchDomainTlb(m, may, d, f);
  may.write(m.pte, m.pte.at(d, f));
  may.write(m.grantDma, m.grantDma.at(d, f));
}

export const unmapGrant = operation('grant.unmap', {
  agent: domain,
  says: 'unmaps its {handle} for {kind}',
  source: 'grant_table.h, GNTTABOP_unmap_grant_ref',
  input: { handle, kind: mapKind },
  locals: ['entry', 'frame', 'write', 'last', 'begun'],
  where: { agent: (m, op) => runs(m, op.agent) },
  touches: (m, op, may) => {
    touchHandle(m, may, m.maptrack.at(op.agent, op.handle), op.agent);
    // Between the passes the other half may have been unmapped too, and nothing but this call knows entry and frame.
    if (op.begun === 0) return;
    touchFrame(m, may, op.frame);
    touchDomainTlb(m, may, op.agent, op.frame);
    may.write(m.active, op.entry);
    may.write(m.grant, op.entry);
  },
  errors: GNTST,
  steps: {
    'remove the mappings': (m, op) => {
      const h = m.maptrack.at(op.agent, op.handle);
      const kinds = op.kind + 1;
      if ((m.maptrack.flags[h] & kinds) !== kinds) return GNTST.GNTST_bad_handle;
      op.entry = m.grant.at(m.maptrack.granter[h], m.maptrack.ref[h]);
      if (m.active.locked[op.entry] === 1) return AGAIN;
      op.begun = 1;
      op.frame = m.active.frame[op.entry];
      op.write = (m.maptrack.flags[h] & READ_ONLY) === 0 ? 1 : 0;
      m.maptrack.flags[h] &= ~kinds;
      op.last = (m.maptrack.flags[h] & KINDS) === 0 ? 1 : 0;
      countMappings(m, op.agent, op.frame, kinds, op.write === 1, -1);
      return OK;
    },
    'flush the TLBs': (m, op) => {
      if (m.on(flushOnGrantUnmap)) flushDomain(m, op.agent, op.frame);
    },
    'drop pins and references': (m, op) => {
      if (m.active.locked[op.entry] === 1) return AGAIN;
      dropUse(m, op.entry, op.frame, op.kind + 1, op.write === 1);
      return OK;
    },
    'free the handle': (m, op) => {
      if (op.last === 1) releaseHandle(m, m.maptrack.at(op.agent, op.handle), op.agent);
    },
  },
});

/** gnttab_release_mappings: the VMM unmaps what a dead domain had mapped, one handle at a time. */
export const relinquishHandle = operation('grant.relinquish', {
  agent: 'vmm',
  says: 'unmaps what dying {target} holds by its {handle}',
  source: 'xen/common/grant_table.c, gnttab_release_mappings',
  input: { target: domain, handle },
  locals: ['entry', 'frame', 'write', 'kinds'],
  where: {
    target: (m, op) => m.domain.life[op.target] === DYING,
    handle: (m, op) => m.maptrack.taken[m.maptrack.at(op.target, op.handle)] === 1,
  },
  touches: (m, op, may) => touchHandle(m, may, m.maptrack.at(op.target, op.handle), op.target),
  atomic: true,
  steps: {
    'remove the mappings': (m, op) => {
      const h = m.maptrack.at(op.target, op.handle);
      op.kinds = m.maptrack.flags[h] & KINDS;
      if (op.kinds === 0) return OK;
      op.entry = m.grant.at(m.maptrack.granter[h], m.maptrack.ref[h]);
      op.frame = m.active.frame[op.entry];
      op.write = (m.maptrack.flags[h] & READ_ONLY) === 0 ? 1 : 0;
      countMappings(m, op.target, op.frame, op.kinds, op.write === 1, -1);
      return OK;
    },
    'flush the TLBs': (m, op) => {
      if (op.kinds !== 0 && m.on(flushOnGrantUnmap)) flushDomain(m, op.target, op.frame);
    },
    'drop pins and references': (m, op) => {
      if (op.kinds !== 0) dropUse(m, op.entry, op.frame, op.kinds, op.write === 1);
    },
    'free the handle': (m, op) => releaseHandle(m, m.maptrack.at(op.target, op.handle), op.target),
  },
});

/** Whether domain d still holds handles, or its table still has entries. */
function holdsGrants(m: Grants, d: number): boolean {
  for (let h = 0; h < m.size(handle); h++) if (m.maptrack.taken[m.maptrack.at(d, h)] === 1) return true;
  for (let r = 0; r < m.size(grantRef); r++) {
    const row = m.grant.at(d, r);
    if (m.grant.flags[row] !== 0 || pinsOf(m, row) > 0) return true;
  }
  return false;
}

function mapLines(m: Grants): string[] {
  const lines: string[] = [];
  for (let d = 0; d < m.domain.rows; d++) {
    for (let r = 0; r < m.size(grantRef); r++) {
      const row = m.grant.at(d, r);
      const pins = pinsOf(m, row);
      if (m.grant.flags[row] === 0 && pins === 0) continue;
      lines.push(
        `grant ${r} of domain ${d}: frame ${m.grant.frame[row]} for domain ${m.grant.domid[row]}, flags ${m.grant.flags[row]}` +
          (pins ? `, ${pins} pins on frame ${m.active.frame[row]} by domain ${m.active.domid[row]}` : ''),
      );
    }
    for (let f = 0; f < m.frame.rows; f++) {
      const row = m.grantDma.at(d, f);
      if (m.grantDma.reads[row] + m.grantDma.writes[row] === 0) continue;
      lines.push(`devices of domain ${d} reach frame ${f} by grant, ${m.grantDma.writes[row] ? 'rw' : 'r'}`);
    }
  }
  return lines;
}

/** Grant tables, with everything that guests and the VMM do with them. */
export const grants = module<Grants, typeof grantTables>('grants', {
  tables: grantTables,
  operations: [grantAccess, endAccess, usePrivately, mapGrant, unmapGrant, copyGrant, destroyEntry, relinquishHandle],
  initial: (m) => {
    m.active.domid.fill(0xff);
    m.active.frame.fill(0xff);
    m.maptrack.granter.fill(0xff);
    m.maptrack.ref.fill(0xff);
    m.maptrackFree.count.fill(m.size(handle));
  },
  holds: holdsGrants,
  map: mapLines,
});
