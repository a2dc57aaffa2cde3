/**
 * Nodes of the xenstore: owners, permissions and quotas by domain id, and what happens to them when a domain dies and its id comes back.
 * Source: Xen `tools/xenstore/xenstored_domain.c` (domain_nbentry_inc, acc_add), `xenstored_core.c` (perm_for_conn, set_perms),
 * `xenstored_domain.c` (check_domains, domain_destroy: XSA-322, XSA-419, XSA-483).
 *
 * Must keep: I9 a permission dies with the domain that it was given to, I2 counts equal nodes, I14 nobody has more nodes than its quota,
 * and the dead leave theirs to nobody.
 */
import { CONTROL, type Domains, DYING, domain, domains, runs } from './domains.js';
import {
  gate,
  type MachineDef,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  setOf,
  sort,
  table,
  u8,
} from './kernel/index.js';

export const node = sort('node');
/** As many nodes as this sort has members may a domain own. */
export const nodeQuota = sort('node quota');

export const storeTables = {
  node: table([node], {
    owner: ref(domain),
    /** Domains that may read it. */
    readers: setOf(domain),
    /** Kept for properties: the life of each reader, as its owner meant it; two bits a domain. */
    lives: u8(),
  }),
  /** What the daemon counts against the quota of an id. */
  account: table([domain], {
    nodes: u8(),
    /** The daemon has something that names the domain, and will hear of its death. */
    known: oneOf('no', 'yes'),
  }),
};
export type Store = Domains & State<typeof storeTables>;
const operation = operationOn<Store>();

export const STORE_ERRORS = { EACCES: -13, EEXIST: -17, ENOENT: -2, ENOSPC: -28 } as const;

/** Nodes are counted against their owner's quota. */
export const storeQuota = gate('xenstore quota');
/** Permissions are looked at. */
export const storePermissions = gate('xenstore permissions');

const life = (m: Store, d: number): number => m.domain.generation[d] & 3;
/** The life of reader d that the owner of the node meant. */
export const meantLife = (m: Store, n: number, d: number): number => (m.node.lives[n] >> (2 * d)) & 3;

export const createNode = operation('store.create', {
  agent: domain,
  says: 'creates {node}',
  source: 'xenstored_core.c, create_node',
  input: { node },
  where: { agent: (m, op) => op.agent !== CONTROL && runs(m, op.agent) },
  touches: (m, op, may) => {
    may.write(m.node, op.node);
    may.write(m.account, op.agent);
  },
  errors: STORE_ERRORS,
  steps: {
    'look it up': (m, op) => (m.node.owner[op.node] === NONE ? OK : STORE_ERRORS.EEXIST),
    'count it': (m, op) => {
      if (m.account.nodes[op.agent] >= m.size(nodeQuota) && m.on(storeQuota)) return STORE_ERRORS.ENOSPC;
      m.account.nodes[op.agent]++;
      return OK;
    },
    create: (m, op) => {
      m.node.owner[op.node] = op.agent;
      m.node.readers[op.node] = 0;
      m.account.known[op.agent] = 1;
    },
  },
});

export const removeNode = operation('store.remove', {
  agent: domain,
  says: 'removes {node}',
  source: 'xenstored_core.c, do_rm',
  input: { node },
  where: { agent: (m, op) => op.agent !== CONTROL && runs(m, op.agent) },
  touches: (m, op, may) => {
    may.write(m.node, op.node);
    may.write(m.account, op.agent);
  },
  errors: STORE_ERRORS,
  steps: {
    'check the owner': (m, op) => (m.node.owner[op.node] === op.agent ? OK : STORE_ERRORS.EACCES),
    'count it': (m, op) => {
      m.account.nodes[op.agent]--;
    },
    remove: (m, op) => clearNode(m, op.node),
  },
});

function clearNode(m: Store, n: number): void {
  m.node.owner[n] = NONE;
  m.node.readers[n] = 0;
  m.node.lives[n] = 0;
}

export const permitNode = operation('store.permit', {
  agent: domain,
  says: 'lets {reader} read {node}',
  source: 'xenstored_core.c, do_set_perms (ENOENT for a domain that does not exist)',
  input: { node, reader: domain },
  where: {
    agent: (m, op) => op.agent !== CONTROL && runs(m, op.agent),
    reader: (_m, op) => op.reader !== op.agent && op.reader !== CONTROL,
  },
  touches: (m, op, may) => {
    may.write(m.node, op.node);
    may.write(m.account, op.reader);
  },
  errors: STORE_ERRORS,
  steps: {
    'check the owner': (m, op) => (m.node.owner[op.node] === op.agent ? OK : STORE_ERRORS.EACCES),
    'find the reader': (m, op) => (runs(m, op.reader) ? OK : STORE_ERRORS.ENOENT),
    permit: (m, op) => {
      m.account.known[op.reader] = 1;
      m.node.readers[op.node] |= 1 << op.reader;
      m.node.lives[op.node] =
        (m.node.lives[op.node] & ~(3 << (2 * op.reader))) | (life(m, op.reader) << (2 * op.reader));
    },
  },
});

export const readNode = operation('store.read', {
  agent: domain,
  says: 'reads {node}',
  source: 'xenstored_core.c, perm_for_conn',
  input: { node },
  where: { agent: (m, op) => op.agent !== CONTROL && runs(m, op.agent) },
  touches: (m, op, may) => may.read(m.node, op.node),
  errors: STORE_ERRORS,
  steps: {
    'check permissions': (m, op) => {
      if (m.node.owner[op.node] === NONE) return STORE_ERRORS.ENOENT;
      const may = m.node.owner[op.node] === op.agent || ((m.node.readers[op.node] >> op.agent) & 1) === 1;
      return may || !m.on(storePermissions) ? OK : STORE_ERRORS.EACCES;
    },
  },
});

/** The daemon learns that a domain is going: before its id is free, everything that names it goes. */
export const forgetDomain = operation('store.forget', {
  agent: 'xenstored',
  says: 'forgets dying {target}',
  source: 'xenstored_domain.c, domain_destroy, domain_tree_remove (XSA-322, XSA-419, XSA-483)',
  input: { target: domain },
  where: { target: (m, op) => m.domain.life[op.target] === DYING && m.account.known[op.target] === 1 },
  touches: (m, op, may) => {
    for (let n = 0; n < m.node.rows; n++) may.write(m.node, n);
    may.write(m.account, op.target);
  },
  steps: {
    'remove its permissions': (m, op) => {
      for (let n = 0; n < m.node.rows; n++) {
        m.node.readers[n] &= ~(1 << op.target);
        m.node.lives[n] &= ~(3 << (2 * op.target));
      }
    },
    'remove its nodes': (m, op) => {
      for (let n = 0; n < m.node.rows; n++) if (m.node.owner[n] === op.target) clearNode(m, n);
    },
    'forget its count': (m, op) => {
      m.account.nodes[op.target] = 0;
    },
    done: (m, op) => {
      m.account.known[op.target] = 0;
    },
  },
});

export const storeModule = module<Store, typeof storeTables>('xenstore', {
  tables: storeTables,
  operations: [createNode, removeNode, permitNode, readNode, forgetDomain],
  initial: (m) => m.node.owner.fill(NONE),
  holds: (m, d) => m.account.known[d] === 1,
});

/** Scope: `domain`, `generation` (at most 3), `node`, `node quota`. */
export const storeMachine: MachineDef = { name: 'xenstore', modules: [domains, storeModule] };
