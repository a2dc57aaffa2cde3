/**
 * What processors do with mappings: caching translations, loading, storing; and how the VMM takes a dying domain's mappings back.
 * Source: Intel SDM volume 3, section 4.10 (caching translation information); Xen `xen/arch/x86/domain.c` (domain_relinquish_resources).
 *
 * A load or store goes through the TLB entry or a walk of the tables, whichever allows it. Memory is not data but labels: who wrote a
 * half of a frame, whose secret it carries. What an owner stores into a frame that it keeps private is its secret.
 */
import { DYING, domain, runs } from './domains.js';
import { frame, isShared, part, putPage, putType, touchFrame } from './frames.js';
import { module, NONE, operationOn, type State, setOf, table } from './kernel/index.js';
import {
  domainOf,
  type Mmu,
  mapFrame,
  mmuTables,
  NO_RIGHT,
  pinTable,
  unmapFrame,
  unpinTable,
  updateEntry,
  vcpu,
  WRITE,
  walk,
  withdrawFrame,
  writeProtect,
} from './mmu.js';

export const accessTables = {
  /** Whose secrets (of others) a domain has read. */
  seen: table([domain], { secrets: setOf(domain) }),
};

export type Memory = Mmu & State<typeof accessTables>;
const operation = operationOn<Memory>();

/** What vCPU v can do with frame f now: the better of its TLB entry and a walk. */
export function reach(m: Mmu, v: number, f: number): number {
  return Math.max(m.tlb.rights[v * m.frame.rows + f], walk(m, domainOf(m, v), f));
}

/** Writes a half of a frame as domain d. */
export function writePart(m: Memory, d: number, f: number, p: number): void {
  const row = f * 2 + p;
  m.content.writer[row] = d;
  m.content.secret[row] = m.frame.owner[f] === d && !isShared(m, f) ? d : NONE;
}

/** Reads a half of a frame as domain d. */
export function readPart(m: Memory, d: number, f: number, p: number): void {
  const secret = m.content.secret[f * 2 + p];
  if (secret !== NONE && secret !== d) m.seen.secrets[d] |= 1 << secret;
}

/** The processor caches a translation, at any moment and of its own accord. */
export const refillTlb = operation('cpu.refill', {
  agent: 'mmu',
  says: 'caches the translation of {frame} for {vcpu}',
  source: 'Intel SDM volume 3, section 4.10.2.3',
  input: { vcpu, frame },
  where: {
    vcpu: (m, op) => runs(m, domainOf(m, op.vcpu)),
    frame: (m, op) => walk(m, domainOf(m, op.vcpu), op.frame) > m.tlb.rights[m.tlb.at(op.vcpu, op.frame)],
  },
  touches: (m, op, may) => may.write(m.tlb, m.tlb.at(op.vcpu, op.frame)),
  atomic: true,
  idle: true,
  steps: {
    'fill the entry': (m, op) => {
      m.tlb.rights[m.tlb.at(op.vcpu, op.frame)] = walk(m, domainOf(m, op.vcpu), op.frame);
    },
  },
});

/** A store to a frame that the domain can write. */
export const store = operation('cpu.store', {
  agent: domain,
  says: 'writes the {part} of {frame} on {vcpu}',
  source: 'Intel SDM volume 3, section 4.10.2.2',
  input: { vcpu, frame, part },
  where: {
    agent: (m, op) => runs(m, op.agent),
    vcpu: (m, op) => domainOf(m, op.vcpu) === op.agent,
    frame: (m, op) => reach(m, op.vcpu, op.frame) === WRITE,
  },
  touches: (m, op, may) => may.write(m.content, m.content.at(op.frame, op.part)),
  atomic: true,
  steps: { write: (m, op) => writePart(m, op.agent, op.frame, op.part) },
});

/** A load from a frame that the domain can read. */
export const load = operation('cpu.load', {
  agent: domain,
  says: 'reads the {part} of {frame} on {vcpu}',
  source: 'Intel SDM volume 3, section 4.10.2.2',
  input: { vcpu, frame, part },
  where: {
    agent: (m, op) => runs(m, op.agent),
    vcpu: (m, op) => domainOf(m, op.vcpu) === op.agent,
    frame: (m, op) => reach(m, op.vcpu, op.frame) !== NO_RIGHT,
  },
  touches: (m, op, may) => {
    may.read(m.content, m.content.at(op.frame, op.part));
    may.write(m.seen, op.agent);
  },
  atomic: true,
  steps: { read: (m, op) => readPart(m, op.agent, op.frame, op.part) },
});

/** domain_relinquish_resources: the VMM clears a dying domain's entries, one at a time. */
export const relinquishEntry = operation('mmu.relinquish', {
  agent: 'vmm',
  says: 'takes the mapping of {frame} back from dying {target}',
  source: 'xen/arch/x86/domain.c, relinquish_memory, free_page_type',
  input: { target: domain, frame },
  locals: ['had'],
  where: {
    target: (m, op) => m.domain.life[op.target] === DYING,
    frame: (m, op) => m.pte.rights[m.pte.at(op.target, op.frame)] !== NO_RIGHT,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pte, m.pte.at(op.target, op.frame));
  },
  atomic: true,
  steps: {
    'clear the entry': (m, op) => {
      const row = m.pte.at(op.target, op.frame);
      op.had = m.pte.rights[row];
      m.pte.rights[row] = NO_RIGHT;
      m.pte.large[row] = 0;
    },
    'drop the type': (m, op) => {
      if (op.had === WRITE) putType(m, op.frame);
    },
    'drop the reference': (m, op) => putPage(m, op.frame),
  },
});

/** relinquish_memory: so it does with the page tables. */
export const relinquishTable = operation('mmu.relinquishTable', {
  agent: 'vmm',
  says: 'unpins the page table in {frame} of its dying owner',
  source: 'xen/arch/x86/domain.c, relinquish_memory (PGT_pinned)',
  input: { frame },
  where: {
    frame: (m, op) =>
      m.pageTable.pinned[op.frame] === 1 &&
      m.frame.owner[op.frame] !== NONE &&
      m.domain.life[m.frame.owner[op.frame]] === DYING,
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.pageTable, op.frame);
  },
  atomic: true,
  steps: {
    'clear the pin': (m, op) => {
      m.pageTable.pinned[op.frame] = 0;
    },
    'drop the type': (m, op) => putType(m, op.frame),
    'drop the reference': (m, op) => putPage(m, op.frame),
  },
});

const tables = { ...mmuTables, ...accessTables };

/** Whether domain d's page tables or vCPUs still hold a translation. */
function holdsMapping(m: Memory, d: number): boolean {
  const count = m.frame.rows;
  for (let f = 0; f < count; f++) {
    const row = d * count + f;
    if (m.pte.rights[row] !== NO_RIGHT || m.pte.grantReads[row] > 0 || m.pte.grantWrites[row] > 0) return true;
  }
  return false;
}

const rightNames = ['-', 'r', 'rw'];

function mapLines(m: Memory): string[] {
  const lines: string[] = [];
  for (let d = 0; d < m.domain.rows; d++) {
    for (let f = 0; f < m.frame.rows; f++) {
      const row = m.pte.at(d, f);
      const grants = m.pte.grantReads[row] + m.pte.grantWrites[row];
      const own = m.pte.rights[row];
      if (own || grants) {
        lines.push(`domain ${d} maps frame ${f}: own ${rightNames[own]}${grants ? `, ${grants} by grant` : ''}`);
      }
    }
  }
  for (let v = 0; v < m.size(vcpu); v++) {
    for (let f = 0; f < m.frame.rows; f++) {
      const rights = m.tlb.rights[m.tlb.at(v, f)];
      if (rights) lines.push(`TLB of vcpu ${v} (domain ${domainOf(m, v)}): frame ${f} ${rightNames[rights]}`);
    }
  }
  for (let c = 0; c < m.content.rows; c++) {
    const secret = m.content.secret[c];
    if (secret !== NONE) lines.push(`frame ${c >> 1}, ${c % 2 ? 'upper' : 'lower'} half: secret of domain ${secret}`);
  }
  return lines;
}

/** Processors and their mappings, without the domain's own operations on its page tables. */
export const processors = module<Memory, typeof tables>('processors', {
  tables,
  operations: [refillTlb, store, load, relinquishEntry, relinquishTable],
  holds: holdsMapping,
  initial: (m) => {
    m.seen.secrets.fill(0);
  },
  map: mapLines,
});

/** The domain's own operations on its page tables. */
export const mappings = module<Memory, Record<never, never>>('mappings', {
  tables: {},
  operations: [mapFrame, updateEntry, writeProtect, unmapFrame, withdrawFrame, pinTable, unpinTable],
});
