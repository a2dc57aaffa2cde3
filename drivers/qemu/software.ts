/**
 * The software of a program: which table words each step writes. One place for both sides: the target's memory and the specification's mirror
 * get the same words, so what they disagree on is never the writing.
 */

import { FRAME_BYTES, INTERRUPT_WINDOW, type MemoryMap } from './layout.js';
import { HOLE_FRAME } from './mirror.js';
import { type BREAKAGES, type ContextTo, DOMAIN_IDS, type Flush, type Step, SUPERPAGE } from './program.js';
import type { Invalidation, Words4 } from './registers.js';
import { contextEntry, rootEntry, secondLevelEntry } from './registers.js';

/** Table frames by number: root, context table, then each space from its top level down. */
export const ROOT = 0;
const CONTEXT = 1;
/** Level 3, level 2, and the directories of pages 0 to 511 and 512 to 1023. */
const A = { top: 2, second: 3, directories: [4, 5] } as const;
const B = { top: 6, third: 7, second: 8, directories: [9, 10] } as const;
/** A physical address that nothing answers. */
const HOLE = HOLE_FRAME * FRAME_BYTES;
const SECOND = [A.second, B.second] as const;
const DIRECTORIES = [A.directories, B.directories] as const;

/** In each space: pages 0, 511 and 512 read and write, page 1 read only, page 2 not mapped. */
const FIRST_MAPPINGS: readonly Step[] = [0, 1].flatMap((space): Step[] => [
  { do: 'map', space, page: 0, frame: space * 3, rights: 3 },
  { do: 'map', space, page: 1, frame: space * 3 + 1, rights: 1 },
  { do: 'map', space, page: 511, frame: space * 3 + 1, rights: 3 },
  { do: 'map', space, page: 512, frame: space * 3 + 2, rights: 3 },
]);

/** Takes a 64-bit entry at a physical address. */
export type WriteEntry = (address: number, lo: number, hi: number) => void;

/** Lays out the tables of one machine. */
export class Software {
  constructor(
    private readonly map: MemoryMap,
    private readonly rids: readonly [number, number],
  ) {}

  private table(i: number): number {
    return this.map.tables + i * FRAME_BYTES;
  }

  private put128(write: WriteEntry, address: number, words: Words4): void {
    write(address + 8, words[2], words[3]);
    write(address, words[0], words[1]);
  }

  /** The first state of every program: both spaces in place, some pages mapped, each device in its space. */
  setUp(write: WriteEntry): void {
    const rw = { read: true, write: true };
    const down = (from: number, to: number, index = 0): void =>
      write(this.table(from) + index * 8, secondLevelEntry(this.table(to), rw), 0);
    this.put128(write, this.table(ROOT), rootEntry(this.table(CONTEXT)));
    down(A.top, A.second);
    down(B.top, B.third);
    down(B.third, B.second);
    for (const s of [0, 1] as const) {
      for (const region of [0, 1] as const) down(SECOND[s], DIRECTORIES[s][region], region);
    }
    for (const step of FIRST_MAPPINGS) this.perform(write, step);
    this.attach(write, 0, 'space A');
    this.attach(write, 1, 'space B');
  }

  private attach(write: WriteEntry, device: number, to: ContextTo): void {
    const at = this.table(CONTEXT) + this.rids[device === 0 ? 0 : 1] * 16;
    this.put128(write, at, this.contextWords(to));
  }

  private contextWords(to: ContextTo): Words4 {
    const a = contextEntry(this.table(A.top), 3, DOMAIN_IDS[0]);
    const b = contextEntry(this.table(B.top), 4, DOMAIN_IDS[1]);
    switch (to) {
      case 'space A':
        return a;
      case 'space B':
        return b;
      case 'nothing':
        return [0, 0, 0, 0];
      case 'pass-through':
        // 9.3: with this type the width is the largest that the unit has, and the table is not looked at.
        return [a[0] | 8, a[1], b[2], 0];
      case 'space A, faults disabled':
        return [a[0] | 2, a[1], a[2], a[3]];
      case 'space A as 4 levels':
        return contextEntry(this.table(A.top), 4, 3);
      case 'space B as 3 levels':
        return contextEntry(this.table(B.top), 3, 3);
      case 'reserved bit':
        return [a[0], a[1], a[2] | 0x80, a[3]];
      case '5 levels':
        return [a[0], a[1], (a[2] & ~7) | 3, a[3]];
      case 'reserved type':
        return [a[0] | 12, a[1], a[2], a[3]];
    }
  }

  /** Address of the entry of a page in the directory of its space. */
  private pageEntry(space: number, page: number): number {
    const directories = DIRECTORIES[space === 0 ? 0 : 1];
    return this.table(directories[page >> 9 === 0 ? 0 : 1]) + (page & 511) * 8;
  }

  /** Writes the words of a step; steps that write none are left alone. */
  perform(write: WriteEntry, step: Step): void {
    switch (step.do) {
      case 'map': {
        const data = this.map.data + step.frame * FRAME_BYTES;
        write(this.pageEntry(step.space, step.page), secondLevelEntry(data, rights(step.rights)), 0);
        break;
      }
      case 'unmap':
        write(this.pageEntry(step.space, step.page), 0, 0);
        break;
      case 'superpage': {
        const at = this.table(SECOND[step.space === 0 ? 0 : 1]) + (SUPERPAGE >> 9) * 8;
        const base = this.map.data + (step.askew ? FRAME_BYTES : 0);
        write(at, step.rights === 0 ? 0 : secondLevelEntry(base, { ...rights(step.rights), superpage: true }), 0);
        break;
      }
      case 'directory': {
        const s = step.space === 0 ? 0 : 1;
        const at = this.table(SECOND[s]) + step.region * 8;
        write(at, secondLevelEntry(this.table(DIRECTORIES[s][step.region]), rights(step.rights)), 0);
        break;
      }
      case 'attach':
        this.attach(write, step.device, step.to);
        break;
      case 'root': {
        const [present] = rootEntry(this.table(CONTEXT));
        const bits = step.entry === 'absent' ? 0 : step.entry === 'reserved bit' ? present | 0x10 : present;
        this.put128(write, this.table(ROOT), [bits, 0, 0, 0]);
        break;
      }
      case 'break': {
        const [address, lo, hi] = this.broken(step.how);
        write(this.pageEntry(step.space, step.page), secondLevelEntry(address, rights(3)) | lo, hi);
        break;
      }
      case 'invalidate':
      case 'translate':
      case 'latch root':
      case 'dma':
      case 'pair':
        break;
    }
  }

  /** Address, further low bits and high word of an entry that is wrong in one way. */
  private broken(how: (typeof BREAKAGES)[number]): readonly [number, number, number] {
    switch (how) {
      case 'reserved bit':
        return [this.map.data, 0x800, 0];
      case 'beyond host width':
        return [this.map.data, 0, 1 << 16];
      case 'out of memory':
        return [HOLE, 0, 0];
      case 'interrupt window':
        return [INTERRUPT_WINDOW + FRAME_BYTES, 0, 0];
    }
  }

  /** First and last page whose translation the words of a step can change; undefined: any. */
  static pagesOf(step: Step): readonly [number, number] | undefined {
    switch (step.do) {
      case 'map':
      case 'unmap':
      case 'break':
        return [step.page, step.page];
      case 'superpage':
        return [SUPERPAGE, SUPERPAGE + 511];
      case 'directory':
        return [step.region * 512, step.region * 512 + 511];
      default:
        return undefined;
    }
  }

  /** The request of an invalidation step. */
  request(flush: Flush): Invalidation {
    const domainId = 'space' in flush ? (DOMAIN_IDS[flush.space === 0 ? 0 : 1] ?? 0) : 0;
    switch (flush.scope) {
      case 'global':
        return { cache: flush.cache, scope: 'global' };
      case 'domain':
        return { cache: flush.cache, scope: 'domain', domainId };
      case 'device':
        return {
          ...{ cache: 'context', scope: 'device', domainId },
          ...{ sourceId: this.rids[flush.device], functionMask: flush.functionMask },
        };
      case 'page':
        return {
          ...{ cache: 'iotlb', scope: 'page', domainId, lo: flush.page * FRAME_BYTES, hi: 0 },
          ...{ addressMask: flush.addressMask, leafOnly: flush.leafOnly },
        };
    }
  }
}

function rights(r: number): { read: boolean; write: boolean } {
  return { read: (r & 1) !== 0, write: (r & 2) !== 0 };
}
