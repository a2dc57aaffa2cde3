/**
 * Paths: how a domain can reach a frame in a state (table entry, TLB entry), found for the properties and told in words for findings.
 */
import { domainOf, type Mmu, NO_RIGHT, READ, WRITE, walk } from '../model/mmu.js';
import type { Invariant } from './property.js';

interface WithThreads {
  readonly thread?: { readonly op: Uint8Array };
}

/** Whether no split operation is in the middle of its steps: only then do counters have to equal holders. */
export function isQuiescent(m: object): boolean {
  const { thread } = m as WithThreads;
  if (thread === undefined) return true;
  for (let t = 0; t < thread.op.length; t++) if (thread.op[t] !== 0) return false;
  return true;
}

/** The property of states between operations: in the middle of one, counts and what they count need not agree. */
export function between<M extends object>(p: Invariant<M>): Invariant<M> {
  return { ...p, holds: (m) => !isQuiescent(m) || p.holds(m) };
}

/** What domain d can do with frame f by the TLB entries of its vCPUs. */
export function cached(m: Mmu, d: number, f: number): number {
  const frames = m.frame.rows;
  const domains = m.domain.rows;
  let rights = NO_RIGHT;
  for (let row = d * frames + f; row < m.tlb.rows; row += domains * frames) {
    if (m.tlb.rights[row] > rights) rights = m.tlb.rights[row];
  }
  return rights;
}

/** What domain d can do with frame f by any path of a processor. */
export function reachable(m: Mmu, d: number, f: number): number {
  return Math.max(walk(m, d, f), cached(m, d, f));
}

const does = (rights: number): string => (rights === WRITE ? 'write' : rights === READ ? 'read' : 'not reach');

/** Whose frame it is, in words. */
export function ownerOf(m: Mmu, f: number): string {
  const owner = m.frame.owner[f];
  if (owner < m.domain.rows) return `frame ${f}, which belongs to domain ${owner}`;
  return m.frame.type[f] === 4 ? `frame ${f}, which is the VMM's own` : `frame ${f}, which is free`;
}

/** The path by which domain d reaches frame f, in words. */
export function pathOf(m: Mmu, d: number, f: number): string {
  for (let v = d; v < m.tlb.rows / m.frame.rows; v += m.domain.rows) {
    const rights = m.tlb.rights[m.tlb.at(v, f)];
    if (rights > walk(m, d, f)) return `domain ${domainOf(m, v)}, by the TLB of vcpu ${v}, can ${does(rights)}`;
  }
  const row = m.pte.at(d, f);
  const rights = walk(m, d, f);
  const by =
    m.pte.rights[row] === rights
      ? 'by its page-table entry'
      : m.pte.grantWrites[row] + m.pte.grantReads[row] > 0
        ? 'by a mapping of a grant'
        : 'by a large entry for the neighbouring frame';
  return `domain ${d}, ${by}, can ${does(rights)}`;
}
