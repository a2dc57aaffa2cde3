/** Where the requests of a program go: addresses, and the parts that lie in one page each (a PCI request does not cross a page). */
import type { PageNumber } from '../../model/vtd/mayUse.js';
import { DEVICE_BARS, FRAME_BYTES, INTERRUPT_WINDOW, type MemoryMap } from './layout.js';
import { type Aim, DATA_FRAMES, type DmaStep, LENGTH, PAGES, SUPERPAGE } from './program.js';

/** Requests of one device in one program: each has a place of its own in the device's buffer. */
export const MAX_REQUESTS = 30;
/** Place of a device's n-th request in its buffer. */
export const bufferOffset = (nth: number): number => nth * 64;

/** A part of a request that lies in one page. */
export interface Fragment {
  readonly page: PageNumber;
  readonly offset: number;
  readonly length: number;
}

/** Address of a request, and its parts. */
export function fragmentsOf(step: DmaStep, map: MemoryMap): { lo: number; hi: number; fragments: readonly Fragment[] } {
  const at = (pageLo: number, pageHi: number, offset: number): { lo: number; hi: number; fragments: Fragment[] } => {
    const lo = ((pageLo << 12) | offset) >>> 0;
    const hi = ((pageHi << 12) | (pageLo >>> 20)) >>> 0;
    const first = Math.min(LENGTH, FRAME_BYTES - offset);
    const fragments: Fragment[] = [{ page: { lo: pageLo, hi: pageHi }, offset, length: first }];
    if (first < LENGTH) {
      const next = (pageLo + 1) >>> 0;
      const carried = next === 0 ? (pageHi + 1) & 0xfffff : pageHi;
      fragments.push({ page: { lo: next, hi: carried }, offset: 0, length: LENGTH - first });
    }
    return { lo, hi, fragments };
  };
  const half = FRAME_BYTES - LENGTH / 2;
  const { aim, offset } = step;
  switch (aim.at) {
    case 'page':
    case 'superpage':
      return at(aim.page, 0, aim.straddle ? half : offset);
    case 'data frame':
      return at(map.data / FRAME_BYTES + aim.frame, 0, offset);
    case 'table frame':
      return at(map.tables / FRAME_BYTES + aim.frame, 0, offset);
    case 'top':
      return at(0xffffffff, 0xfffff, half);
    case 'beyond':
      return aim.bits === 39 ? at(1 << 27, 0, offset) : at(0, 1 << 4, offset);
    case 'peer device':
      return at(DEVICE_BARS[step.device === 0 ? 1 : 0] / FRAME_BYTES, 0, 64);
    case 'interrupt window':
      return at(INTERRUPT_WINDOW / FRAME_BYTES, 0, 0);
  }
}

/** Every page that a request can ask for. */
export function allPages(map: MemoryMap): PageNumber[] {
  const aims: Aim[] = [
    ...PAGES.flatMap((page): Aim[] => [{ at: 'page', page, straddle: true }]),
    ...Array.from({ length: DATA_FRAMES }, (_, n): Aim => ({ at: 'superpage', page: SUPERPAGE + n, straddle: true })),
    ...Array.from({ length: DATA_FRAMES }, (_, frame): Aim => ({ at: 'data frame', frame })),
    ...Array.from({ length: 11 }, (_, frame): Aim => ({ at: 'table frame', frame })),
    ...([{ at: 'top' }, { at: 'beyond', bits: 39 }, { at: 'beyond', bits: 48 }, { at: 'peer device' }] as const),
  ];
  const pages = aims.flatMap((aim) =>
    ([0, 1] as const).flatMap((device) =>
      fragmentsOf({ do: 'dma', device, direction: 'read', aim, offset: 0 }, map).fragments.map((f) => f.page),
    ),
  );
  return [...new Map(pages.map((p) => [`${p.hi} ${p.lo}`, p])).values()];
}
