/** The walk, the allowed-stale relation and the queue, on states made by hand. */
import { describe, expect, it } from 'vitest';
import { domains } from '../domains.js';
import { frames } from '../frames.js';
import { build, type Machine, NONE } from '../kernel/index.js';
import {
  abstractWalk,
  atcInvalidation,
  BY_ATC,
  BY_IOTLB,
  BY_TABLES,
  COMPLETED,
  CONFIG_ALL,
  CONFIG_OF_DID,
  enqueue,
  IOTLB_ALL,
  IOTLB_OF_DID,
  IOTLB_PAGE,
  type Iommu,
  iommu,
  iommuMap,
  isStale,
  mayTranslate,
  mustDrain,
  perform,
  queued,
  READ,
  STRUCTURES_OF_DID,
  SUPERPAGE,
  storeDirectory,
  storeEntry,
  TABLE,
  tableWriteBack,
  takeHead,
  takeSlot,
  translate,
  WAIT,
  WAITING,
  WRITE,
} from './index.js';

const SCOPE = {
  domain: 2,
  generation: 1,
  frame: 6,
  device: 2,
  ats: 1,
  iova: 2,
  did: 2,
  queue: 3,
  dma: 1,
  record: 1,
};

/** Device 0 is attached to domain 1 with DID 0; its table in frame 4 maps page 0 to frame 2, writable, and page 1 to frame 3, read-only. */
function attached(gatesOff: Parameters<typeof build>[1]['gatesOff'] = []): Machine & Iommu {
  const m = build({ name: 'IOMMU test', modules: [domains, frames, iommu] }, { scope: SCOPE, gatesOff }) as Machine &
    Iommu;
  m.loadInitial();
  m.device.home[0] = 1;
  m.ioDomain.owner[0] = 1;
  m.deviceEntry.valid[0] = 1;
  m.deviceEntry.did[0] = 0;
  storeDirectory(m, 0, TABLE, 4, READ | WRITE);
  storeEntry(m, m.ioEntry.at(0, 0), 2, READ | WRITE);
  storeEntry(m, m.ioEntry.at(0, 1), 3, READ);
  return m;
}

describe('abstractWalk', () => {
  it('answers frames where the tables give the right, and faults elsewhere', () => {
    const m = attached();
    expect(abstractWalk(m, 0, 0, 1)).toBe(2);
    expect(abstractWalk(m, 0, 1, 0)).toBe(3);
    expect(abstractWalk(m, 0, 1, 1)).toBe(-1);
    expect(abstractWalk(m, 1, 0, 0)).toBe(-1);
  });

  it('takes the second page of a superpage to the second frame', () => {
    const m = attached();
    storeDirectory(m, 0, SUPERPAGE, 2, READ);
    expect([abstractWalk(m, 0, 0, 0), abstractWalk(m, 0, 1, 0), abstractWalk(m, 0, 1, 1)]).toEqual([2, 3, -1]);
  });

  it('sees memory, not the CPU cache', () => {
    const m = attached([tableWriteBack]);
    expect(m.ioEntry.frame[m.ioEntry.at(0, 0)]).toBe(2);
    expect(abstractWalk(m, 0, 0, 0)).toBe(-1);
  });
});

describe('the allowed-stale relation', () => {
  it('lets an IOTLB entry be used until it is invalidated', () => {
    const m = attached();
    const e = m.iotlb.at(0, 0);
    m.iotlb.frame[e] = 2;
    m.iotlb.rights[e] = READ;
    storeEntry(m, m.ioEntry.at(0, 0), NONE, 0);
    expect(translate(m, 0, 0, 0, BY_TABLES)).toBe(-1);
    expect(translate(m, 0, 0, 0, BY_IOTLB)).toBe(2);
    expect(translate(m, 0, 0, 1, BY_IOTLB)).toBe(-1);
    expect(mayTranslate(m, 0, 0, 0, 2)).toBe(true);
    perform(m, IOTLB_PAGE, 0, 1);
    expect(mayTranslate(m, 0, 0, 0, 2)).toBe(true);
    perform(m, IOTLB_PAGE, 0, 0);
    expect(mayTranslate(m, 0, 0, 0, 2)).toBe(false);
  });

  it('lets a device use its own translation after the IOTLB has lost it', () => {
    const m = attached();
    m.atc.frame[m.atc.at(0, 0)] = 5;
    m.atc.rights[m.atc.at(0, 0)] = WRITE;
    perform(m, IOTLB_ALL, 0, NONE);
    expect(translate(m, 0, 0, 1, BY_ATC)).toBe(5);
    expect(translate(m, 1, 0, 1, BY_ATC)).toBe(-1);
  });

  it('takes requests by the cached device entry until that is invalidated', () => {
    const m = attached();
    m.configCache.did[0] = 0;
    m.deviceEntry.valid[0] = 0;
    expect(abstractWalk(m, 0, 0, 0)).toBe(-1);
    expect(translate(m, 0, 0, 0, BY_TABLES)).toBe(2);
    perform(m, CONFIG_OF_DID, 1, NONE);
    expect(translate(m, 0, 0, 0, BY_TABLES)).toBe(2);
    perform(m, CONFIG_OF_DID, 0, NONE);
    expect(translate(m, 0, 0, 0, BY_TABLES)).toBe(-1);
    m.configCache.did[0] = 0;
    perform(m, CONFIG_ALL, NONE, NONE);
    expect(translate(m, 0, 0, 0, BY_TABLES)).toBe(-1);
  });

  it('walks by a cached pointer to a table that is linked no longer', () => {
    const m = attached();
    m.structureCache.table[1] = 4;
    m.configCache.did[1] = 1;
    expect(translate(m, 1, 0, 0, BY_TABLES)).toBe(2);
    perform(m, STRUCTURES_OF_DID, 1, NONE);
    expect(translate(m, 1, 0, 0, BY_TABLES)).toBe(-1);
  });

  it('leaves a cached superpage to invalidations of the whole DID', () => {
    const m = attached();
    m.iotlbSuper.frame[0] = 2;
    m.iotlbSuper.rights[0] = READ | WRITE;
    perform(m, IOTLB_PAGE, 0, 1);
    expect(translate(m, 0, 1, 1, BY_IOTLB)).toBe(3);
    perform(m, IOTLB_OF_DID, 0, NONE);
    expect(translate(m, 0, 1, 1, BY_IOTLB)).toBe(-1);
  });
});

describe('the queue', () => {
  it('takes commands in order, and tags completions', () => {
    const m = attached();
    m.flush.state[1] = WAITING;
    enqueue(m, IOTLB_PAGE, 0, 0);
    enqueue(m, WAIT, 1, NONE);
    expect(queued(m)).toBe(2);
    takeHead(m);
    expect([...m.flush.state]).toEqual([0, WAITING]);
    takeHead(m);
    expect([queued(m), ...m.flush.state]).toEqual([0, 0, COMPLETED]);
  });

  it('drains a request whose translation is gone before a wait completes', () => {
    const m = attached();
    takeSlot(m, 0, 2, 1, 0);
    expect([isStale(m, 0), mustDrain(m)]).toEqual([false, false]);
    storeEntry(m, m.ioEntry.at(0, 0), NONE, 0);
    expect([isStale(m, 0), mustDrain(m)]).toEqual([true, true]);
    m.flush.state[0] = WAITING;
    enqueue(m, WAIT, 0, NONE);
    takeHead(m);
    expect([m.dma.state[0], m.flush.state[0]]).toEqual([0, COMPLETED]);
  });
});

describe('the memory map', () => {
  it('shows devices, tables, caches and DMA in flight', () => {
    const m = attached([atcInvalidation]);
    m.configCache.did[0] = 0;
    takeSlot(m, 0, 2, 1, 0);
    expect(iommuMap(m)).toEqual([
      'device 0: domain 1, DID 0, cached DID 0, bus master on',
      'device 1: unassigned, no entry, bus master on',
      'DID 0: domain 1, table in frame 4',
      '  iova 0: frame 2 read+write',
      '  iova 1: frame 3 read',
      'DID 1: free, empty',
      'DMA 0: device 0 writes frame 2',
    ]);
  });
});
