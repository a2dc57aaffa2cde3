/**
 * Domains and their life cycle. Domain 0 is the control domain (device manager, tool stack) and never dies; the others run, die, and
 * their ids come back with a new generation. Source: Xen `xen/common/domain.c` (domain_create, domain_kill, complete_domain_destroy).
 *
 * State first; then create, destroy, crash, release. Must keep: a released id holds nothing (I9 fresh): every module says through
 * `holds` what is still held, and `release` waits for all of them.
 */
import { AGAIN, type Machine, module, OK, oneOf, operationOn, type State, sort, table, u8 } from './kernel/index.js';

/** Domains; 0 is the control domain. */
export const domain = sort('domain');
/** How many lives a domain id may have in this scope. */
export const generation = sort('generation');

export const ABSENT = 0;
export const RUNNING = 1;
/** Killed: its threads are gone, what it held is being taken back. */
export const DYING = 2;

export const CONTROL = 0;

export const domainTables = {
  domain: table([domain], {
    life: oneOf('absent', 'running', 'dying'),
    /** Counts the lives of this id. */
    generation: u8(),
  }),
};

export type Domains = Machine & State<typeof domainTables>;
const operation = operationOn<Domains>();

/** Whether the domain can act. */
export function runs(m: Domains, d: number): boolean {
  return m.domain.life[d] === RUNNING;
}

/** Whether the domain plays the adversary, in suites that have one: the last domain does. */
export function isHostile(m: Domains, d: number): boolean {
  return d === m.domain.rows - 1;
}

/** XEN_DOMCTL_createdomain. */
export const createDomain = operation('domain.create', {
  agent: 'control',
  says: 'creates {target}',
  source: 'xen/common/domctl.c, XEN_DOMCTL_createdomain',
  input: { target: domain },
  where: {
    target: (m, op) =>
      op.target !== CONTROL &&
      m.domain.life[op.target] === ABSENT &&
      m.domain.generation[op.target] + 1 < m.size(generation),
  },
  touches: (m, op, may) => may.write(m.domain, op.target),
  steps: {
    'give it life': (m, op) => {
      m.domain.life[op.target] = RUNNING;
      m.domain.generation[op.target]++;
    },
  },
});

/** domain_kill: the domain stops at once; what it held is taken back by the VMM afterwards, in any order. */
export const destroyDomain = operation('domain.destroy', {
  agent: 'control',
  says: 'destroys {target}',
  source: 'xen/common/domain.c, domain_kill',
  input: { target: domain },
  where: { target: (m, op) => op.target !== CONTROL && m.domain.life[op.target] === RUNNING },
  touches: (m, op, may) => may.write(m.domain, op.target),
  steps: {
    'stop it': (m, op) => {
      m.domain.life[op.target] = DYING;
      m.killThreads(op.target);
    },
  },
});

/** A domain crashes, at any step of whatever it was doing (fault class F10). */
export const crashDomain = operation('domain.crash', {
  agent: domain,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: { agent: (m, op) => op.agent !== CONTROL && m.domain.life[op.agent] === RUNNING },
  touches: (m, op, may) => may.write(m.domain, op.agent),
  steps: {
    stop: (m, op) => {
      m.domain.life[op.agent] = DYING;
      m.killThreads(op.agent);
    },
  },
});

/** complete_domain_destroy: when nothing is held any more, the id is free again. */
export const releaseDomain = operation('domain.release', {
  agent: 'vmm',
  says: 'releases the id of {target}',
  source: 'xen/common/domain.c, complete_domain_destroy',
  input: { target: domain },
  where: { target: (m, op) => m.domain.life[op.target] === DYING },
  touches: (m, op, may) => may.write(m.domain, op.target),
  atomic: true,
  steps: {
    'wait until nothing is held': (m, op) => (m.holdsAnything(op.target) ? AGAIN : OK),
    'free the id': (m, op) => {
      m.domain.life[op.target] = ABSENT;
    },
  },
});

export const domains = module<Domains, typeof domainTables>('domains', {
  tables: domainTables,
  operations: [createDomain, destroyDomain, crashDomain, releaseDomain],
  initial: (m) => {
    m.domain.life.fill(RUNNING);
  },
  map: (m) => [...m.domain.life].map((life, d) => `domain ${d}: ${['absent', 'running', 'dying'][life]}`),
});
