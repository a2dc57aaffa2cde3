/** Grant operations call by call: codes of grant_table.h, in-use bits, references and handles after each. */
import { beforeEach, describe, expect, it } from 'vitest';
import { processors } from './access.js';
import { DYING, domains } from './domains.js';
import { frames } from './frames.js';
import { deviceMapping } from './grantMap.js';
import { DEVICE, type Grants, GTF_READ_ONLY, HOST, PERMIT, pinsOf, READ_ONLY, READING, WRITING } from './grants.js';
import { grants } from './grantUnmap.js';
import { build, module, type Scope, statusName } from './kernel/index.js';
import { WRITE, walk } from './mmu.js';

const start = module<Grants, Record<never, never>>('start', {
  tables: {},
  operations: [],
  initial: (m) => {
    for (let f = 0; f < 2; f++) {
      m.frame.owner[f] = f + 1;
      m.frame.allocated[f] = 1;
      m.frame.refs[f] = 1;
    }
  },
});

const scope: Scope = {
  domain: 4,
  party: 4,
  granting: 4,
  frame: 2,
  grant: 1,
  handle: 2,
  pin: 2,
  vcpu: 4,
  generation: 1,
  'shared part': 2,
};
const ONLY = 0;
const DEV = 0;
const HOST_KIND = 1;
const BOTH = 2;

function machine(failures: 'none' | { nth: number } = 'none'): Grants {
  const def = { name: 'grants', modules: [domains, frames, processors, grants, start] };
  const m = build(def, { scope, failures }) as Grants;
  m.loadInitial();
  return m;
}

let m: Grants;
beforeEach(() => {
  m = machine();
});

/** Performs an operation with these answers (agent first, then inputs); its status in words. */
function call(name: string, ...answers: number[]): string {
  const k = m.operations.findIndex((o) => o.op.name === name);
  m.choices.fix(answers);
  const status = m.fire(k);
  return statusName(status, m.operations[k]?.op.errors);
}
/** Domain 1 grants frame 0 to domain 2. */
const publish = (readOnly = 0): string => call('grant.publish', 1, ONLY, 2, 0, readOnly);
const map = (agent: number, kind: number, write: number): string => call('grant.map', agent, 1, ONLY, kind, write);
const unmap = (handle: number, kind: number): string => call('grant.unmap', 2, handle, kind);
const entry = (): number => m.grant.flags[m.grant.at(1, ONLY)];

describe('map', () => {
  it('takes a pin, a reference and a type count for each kind, and marks the entry', () => {
    expect(publish()).toBe('ok');
    expect(map(2, BOTH, 1)).toBe('ok');
    expect([m.frame.refs[0], m.frame.types[0]]).toEqual([3, 2]);
    expect([m.active.hostWrites[1], m.active.devWrites[1]]).toEqual([1, 1]);
    expect(entry()).toBe(PERMIT | READING | WRITING);
    expect(walk(m, 2, 0)).toBe(WRITE);
    expect(m.grantDma.writes[m.grantDma.at(2, 0)]).toBe(1);
    expect(m.maptrack.flags[m.maptrack.at(2, 0)]).toBe(HOST | DEVICE);
  });
  it('of a read-only entry reads, and does not write', () => {
    publish(1);
    expect(map(2, HOST_KIND, 1)).toBe('GNTST_general_error');
    expect(entry()).toBe(PERMIT | GTF_READ_ONLY);
    expect(map(2, HOST_KIND, 0)).toBe('ok');
    expect(entry()).toBe(PERMIT | GTF_READ_ONLY | READING);
    expect([m.frame.refs[0], m.frame.types[0]]).toEqual([2, 0]);
    expect(m.maptrack.flags[m.maptrack.at(2, 0)]).toBe(HOST | READ_ONLY);
  });
  it('fails for another domain, pinned or not, and gives the handle back', () => {
    publish();
    expect(map(3, DEV, 0)).toBe('GNTST_general_error');
    expect(map(2, DEV, 0)).toBe('ok');
    expect(map(3, DEV, 0)).toBe('GNTST_general_error');
    expect(m.maptrackFree.count[3]).toBe(2);
  });
  it('fails without an entry, without a domain, without a free handle, and when a counter is full', () => {
    expect(map(2, HOST_KIND, 0)).toBe('GNTST_general_error');
    publish();
    expect([map(2, HOST_KIND, 0), map(2, HOST_KIND, 0)]).toEqual(['ok', 'ok']);
    expect(map(2, DEV, 0)).toBe('GNTST_no_device_space');
    m.maptrackFree.count[2]++;
    m.maptrack.taken[m.maptrack.at(2, 1)] = 0;
    expect(map(2, HOST_KIND, 0)).toBe('GNTST_general_error');
    m.domain.life[1] = 0;
    expect(map(2, HOST_KIND, 0)).toBe('GNTST_bad_domain');
  });
  it('of a frame that its granter does not own, or uses as a page table, fails and changes nothing', () => {
    publish();
    const before = m.words.slice();
    m.frame.owner[0] = 3;
    expect(map(2, HOST_KIND, 0)).toBe('GNTST_general_error');
    m.frame.owner[0] = 1;
    m.frame.type[0] = 2;
    m.frame.types[0] = 1;
    expect(map(2, HOST_KIND, 1)).toBe('GNTST_general_error');
    m.frame.type[0] = 0;
    m.frame.types[0] = 0;
    expect(m.words).toEqual(before);
  });
  it('that fails in the IOMMU undoes everything', () => {
    m = machine({ nth: 2 });
    publish();
    const before = m.words.slice();
    expect(map(2, BOTH, 1)).toBe('GNTST_general_error');
    expect(m.sitesFailed[deviceMapping.id]).toBe(1);
    expect(m.words).toEqual(before);
  });
});

describe('unmap', () => {
  it('of host and device separately frees the handle with the last one', () => {
    publish();
    map(2, BOTH, 1);
    expect(unmap(0, HOST_KIND)).toBe('ok');
    expect(m.maptrack.taken[m.maptrack.at(2, 0)]).toBe(1);
    expect(entry()).toBe(PERMIT | READING | WRITING);
    expect(unmap(0, HOST_KIND)).toBe('GNTST_bad_handle');
    expect(unmap(0, DEV)).toBe('ok');
    expect([m.maptrack.taken[m.maptrack.at(2, 0)], m.maptrackFree.count[2], entry()]).toEqual([0, 2, PERMIT]);
    expect([m.frame.refs[0], m.frame.types[0]]).toEqual([1, 0]);
  });
  it('of a handle that maps nothing fails', () => expect(unmap(1, DEV)).toBe('GNTST_bad_handle'));
  it('flushes the TLBs of the mapper', () => {
    publish();
    map(2, HOST_KIND, 1);
    expect(call('cpu.refill', 2, 0)).toBe('ok');
    expect(unmap(0, HOST_KIND)).toBe('ok');
    expect(m.tlb.rights[m.tlb.at(2, 0)]).toBe(0);
  });
  it('drops the last reference of a frame that its owner has lost', () => {
    publish();
    map(2, DEV, 0);
    m.domain.life[1] = DYING;
    expect(call('frame.relinquish', 0)).toBe('ok');
    expect(m.frame.owner[0]).toBe(1);
    expect(unmap(0, DEV)).toBe('ok');
    expect(m.frame.owner[0]).toBe(0xff);
  });
});

describe('end of access', () => {
  it('fails while the entry is in use, and then does not', () => {
    publish();
    map(2, DEV, 0);
    expect(call('grant.end', 1, ONLY)).toBe('EBUSY');
    unmap(0, DEV);
    expect(call('grant.end', 1, ONLY)).toBe('ok');
    expect(entry()).toBe(0);
  });
});

describe('copy', () => {
  it('leaves no pin, and leaves the marks of a device mapping', () => {
    publish();
    map(2, DEV, 1);
    expect(call('grant.copy', 2, 1, ONLY, 1, 0)).toBe('ok');
    expect(pinsOf(m, 1)).toBe(1);
    expect(entry()).toBe(PERMIT | READING | WRITING);
    expect(m.frame.refs[0]).toBe(2);
  });
  it('into a read-only grant fails', () => {
    publish(1);
    expect(call('grant.copy', 2, 1, ONLY, 1, 1)).toBe('GNTST_general_error');
    expect(m.frame.refs[0]).toBe(1);
  });
});
