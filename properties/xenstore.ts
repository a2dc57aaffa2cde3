/** What the xenstore must keep when domains die and their ids come back. */
import { ABSENT, CONTROL, DYING } from '../model/domains.js';
import { NONE } from '../model/kernel/index.js';
import { createNode, meantLife, nodeQuota, readNode, type Store } from '../model/xenstore.js';
import { invariant, relation } from './property.js';

export const readersMeant = relation<Store>('I9', 'permissions', {
  states: 'a node is read only by its owner, or by a domain that it was opened for, in the life that it was opened for',
  holds: (before, after, status) => {
    const { op, call } = after.current;
    if (op.name !== readNode.name || status !== 0) return true;
    const n = call.node ?? 0;
    if (before.node.owner[n] === call.agent) return true;
    const open = ((before.node.readers[n] >> call.agent) & 1) === 1;
    return open && meantLife(before, n, call.agent) === (before.domain.generation[call.agent] & 3);
  },
  witnesses: {
    'a node is open for another, and an id lives again': (m) =>
      m.domain.generation.includes(1) && m.node.readers.some((r) => r !== 0),
  },
});

export const idsForgotten = invariant<Store>('I9', 'fresh', {
  states: 'an id that nobody has owns no node, may read none, and counts none',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) {
      if (m.domain.life[d] !== ABSENT) continue;
      if (m.account.nodes[d] !== 0) return false;
      for (let n = 0; n < m.node.rows; n++) {
        if (m.node.owner[n] === d || ((m.node.readers[n] >> d) & 1) === 1) return false;
      }
    }
    return true;
  },
  witnesses: { 'an id is free': (m) => m.domain.life.includes(ABSENT) },
});

/** Nodes of a domain. */
function nodesOf(m: Store, d: number): number {
  let count = 0;
  for (let n = 0; n < m.node.rows; n++) if (m.node.owner[n] === d) count++;
  return count;
}

export const nodesCounted = invariant<Store>('I2', 'count', {
  states: 'what is counted against a domain is what it owns',
  holds: (m) => {
    for (let d = 0; d < m.domain.rows; d++) if (m.account.nodes[d] !== nodesOf(m, d)) return false;
    return true;
  },
  witnesses: { 'a dying domain owns a node': (m) => m.domain.life[1] === DYING && nodesOf(m, 1) > 0 },
});

export const nodesWithinQuota = invariant<Store>('I14', 'quota', {
  states: 'no domain owns more nodes than its quota, and the control domain inherits none',
  holds: (m) => {
    if (nodesOf(m, CONTROL) > 0) return false;
    for (let d = 1; d < m.domain.rows; d++) if (nodesOf(m, d) > m.size(nodeQuota)) return false;
    return true;
  },
  witnesses: { 'a domain owns as many as it may': (m) => nodesOf(m, 1) === m.size(nodeQuota) },
});

export const nodesOwn = relation<Store>('I14', 'own nodes', {
  states:
    'a node and its permissions change by its owner; the daemon removes what names the dying; and no space is told only to the full',
  holds: (before, after, status) => {
    const { op, call } = after.current;
    if (op.name === createNode.name && status === -28) return before.account.nodes[call.agent] > 0;
    for (let n = 0; n < after.node.rows; n++) {
      const { owner, readers } = before.node;
      if (owner[n] === after.node.owner[n] && readers[n] === after.node.readers[n]) continue;
      if (typeof op.agent !== 'string') {
        if (owner[n] !== NONE && owner[n] !== call.agent) return false;
      } else if (before.domain.life[call.target ?? 0] !== DYING) return false;
      else if (owner[n] !== call.target && (readers[n] ^ after.node.readers[n]) !== 1 << (call.target ?? 0))
        return false;
    }
    return true;
  },
  witnesses: { 'two domains own nodes': (m) => nodesOf(m, 1) > 0 && nodesOf(m, 2) > 0 },
});
