/**
 * Programs for a real VT-d: what software does to its tables and caches, and what devices send. A step is plain data, so that it can be
 * generated (generate.ts), shrunk, kept in a trace file and told in words.
 *
 * Two spaces of fixed table frames: space 0 (domain id 1) with 3 levels, space 1 (domain id 2) with 4. Data frames 0 to 2 are
 * space 0's, 3 to 5 space 1's, 6 the VMM's, 7 nobody's. Device 0 starts in space 0, device 1 in space 1, each with a few pages mapped (software.ts).
 */
export const SPACES = ['space A', 'space B'] as const;
export const DOMAIN_IDS = [1, 2] as const;
/** Pages that software maps: the first three, and the two at the border between two directories. */
export const PAGES = [0, 1, 2, 511, 512] as const;
/** Page of the 2 MiB mapping. */
export const SUPERPAGE = 3 * 512;
export const DATA_FRAMES = 8;
export const LENGTH = 32;
const RIGHTS = ['nothing', 'r', 'w', 'rw'] as const;

/** Where a request aims. */
export type Aim =
  /** A page that may be mapped; `straddle` starts so near its end that half of the request is in the next page. */
  | { readonly at: 'page'; readonly page: number; readonly straddle: boolean }
  | { readonly at: 'superpage'; readonly page: number; readonly straddle: boolean }
  /** The physical address of a data frame, or of a table frame, as if there were no translation. */
  | { readonly at: 'data frame'; readonly frame: number }
  | { readonly at: 'table frame'; readonly frame: number }
  /** 2^64 - 16: the second half wraps to address 0. */
  | { readonly at: 'top' }
  | { readonly at: 'beyond'; readonly bits: 39 | 48 }
  | { readonly at: 'peer device' }
  | { readonly at: 'interrupt window' };

export type Flush =
  | { readonly cache: 'context'; readonly scope: 'global' }
  | { readonly cache: 'context'; readonly scope: 'domain'; readonly space: number }
  | {
      readonly cache: 'context';
      readonly scope: 'device';
      readonly space: number;
      readonly device: 0 | 1;
      readonly functionMask: number;
    }
  | { readonly cache: 'iotlb'; readonly scope: 'global' }
  | { readonly cache: 'iotlb'; readonly scope: 'domain'; readonly space: number }
  | {
      readonly cache: 'iotlb';
      readonly scope: 'page';
      readonly space: number;
      readonly page: number;
      readonly addressMask: number;
      readonly leafOnly: boolean;
    };

/** How a context entry is written: to a space, to nothing, or wrongly. */
export const CONTEXTS = [
  ...(['space A', 'space B', 'nothing', 'pass-through', 'space A, faults disabled', 'space A as 4 levels'] as const),
  ...(['space B as 3 levels', 'reserved bit', '5 levels', 'reserved type'] as const),
] as const;
export type ContextTo = (typeof CONTEXTS)[number];
export const BREAKAGES = ['reserved bit', 'beyond host width', 'out of memory', 'interrupt window'] as const;

/** A request. `offset` is that in its page, where the aim leaves it open. */
export interface DmaStep {
  readonly do: 'dma';
  readonly device: 0 | 1;
  readonly direction: 'read' | 'write';
  readonly aim: Aim;
  readonly offset: number;
}

export type Step =
  | {
      readonly do: 'map';
      readonly space: number;
      readonly page: number;
      readonly frame: number;
      readonly rights: 1 | 2 | 3;
    }
  | { readonly do: 'unmap'; readonly space: number; readonly page: number }
  | { readonly do: 'superpage'; readonly space: number; readonly rights: 0 | 1 | 2 | 3; readonly askew: boolean }
  | { readonly do: 'directory'; readonly space: number; readonly region: 0 | 1; readonly rights: 0 | 1 | 2 | 3 }
  | { readonly do: 'attach'; readonly device: 0 | 1; readonly to: ContextTo }
  | { readonly do: 'root'; readonly entry: 'present' | 'absent' | 'reserved bit' }
  | { readonly do: 'break'; readonly space: number; readonly page: number; readonly how: (typeof BREAKAGES)[number] }
  | { readonly do: 'invalidate'; readonly by: 'queue' | 'registers'; readonly flush: Flush }
  | { readonly do: 'translate'; readonly on: boolean }
  | { readonly do: 'latch root' }
  | DmaStep
  /** Both devices at once: the first request is device 0's, the second device 1's. */
  | { readonly do: 'pair'; readonly first: DmaStep; readonly second: DmaStep };

/** The requests of a step. */
export function requestsOf(step: Step): readonly DmaStep[] {
  switch (step.do) {
    case 'dma':
      return [step];
    case 'pair':
      return [step.first, step.second];
    default:
      return [];
  }
}

/** Families of steps that a run may do without. */
export const FAMILIES = [
  ...(['mapping', 'rights', 'superpages', 'directories', 'attachment', 'breakage', 'switching'] as const),
  ...(['context invalidation', 'IOTLB invalidation', 'register invalidation', 'benign DMA', 'malicious DMA'] as const),
] as const;
export type Family = (typeof FAMILIES)[number];

/** Family of a step. */
export function familyOf(step: Step): Family {
  switch (step.do) {
    case 'map':
    case 'unmap':
      return step.do === 'map' && step.rights !== 3 ? 'rights' : 'mapping';
    case 'superpage':
      return 'superpages';
    case 'directory':
      return 'directories';
    case 'attach':
      return 'attachment';
    case 'break':
      return 'breakage';
    case 'root':
    case 'translate':
    case 'latch root':
      return 'switching';
    case 'invalidate':
      if (step.by === 'registers') return 'register invalidation';
      return step.flush.cache === 'context' ? 'context invalidation' : 'IOTLB invalidation';
    case 'pair':
      return 'malicious DMA';
    case 'dma':
      return step.aim.at === 'page' || step.aim.at === 'superpage' ? 'benign DMA' : 'malicious DMA';
  }
}

const inSpace = (s: number): string => `in ${SPACES[s] ?? `space ${s}`}`;
const hex = (n: number): string => `${n.toString(16)}h`;

function aimName(aim: Aim): string {
  switch (aim.at) {
    case 'page':
    case 'superpage':
      return `page ${aim.page}${aim.straddle ? ' and the next' : ''}`;
    case 'data frame':
      return `the address of data frame ${aim.frame}`;
    case 'table frame':
      return `the address of table frame ${aim.frame}`;
    case 'top':
      return 'the top of the address space, wrapping';
    case 'beyond':
      return `an address beyond ${aim.bits} bits`;
    case 'peer device':
      return 'registers of the other device';
    case 'interrupt window':
      return 'the interrupt window';
  }
}

function flushName(flush: Flush): string {
  const cache = flush.cache === 'context' ? 'context cache' : 'IOTLB';
  switch (flush.scope) {
    case 'global':
      return `the whole ${cache}`;
    case 'domain':
      return `the ${cache} of domain id ${DOMAIN_IDS[flush.space]}`;
    case 'device':
      return `the ${cache} of device ${flush.device} (function mask ${flush.functionMask}), domain id ${DOMAIN_IDS[flush.space]}`;
    case 'page':
      return `2^${flush.addressMask} pages at page ${flush.page} of domain id ${DOMAIN_IDS[flush.space]}${flush.leafOnly ? ', leaves only' : ''}`;
  }
}

/** A step in words. */
export function stepName(step: Step): string {
  switch (step.do) {
    case 'map':
      return `software maps page ${step.page} ${inSpace(step.space)} to data frame ${step.frame}, ${RIGHTS[step.rights]}`;
    case 'unmap':
      return `software unmaps page ${step.page} ${inSpace(step.space)}`;
    case 'superpage':
      return `software maps 2 MiB at page ${SUPERPAGE} ${inSpace(step.space)} to all data frames, ${RIGHTS[step.rights]}${step.askew ? ', not aligned' : ''}`;
    case 'directory':
      return `software sets the directory of pages ${step.region * 512} to ${step.region * 512 + 511} ${inSpace(step.space)} to ${RIGHTS[step.rights]}`;
    case 'attach':
      return `software writes the context entry of device ${step.device}: ${step.to}`;
    case 'root':
      return `software makes the root entry ${step.entry}`;
    case 'break':
      return `software writes an entry for page ${step.page} ${inSpace(step.space)}: ${step.how}`;
    case 'invalidate':
      return `software invalidates ${flushName(step.flush)} through the ${step.by}`;
    case 'translate':
      return `software switches translation ${step.on ? 'on' : 'off'}`;
    case 'latch root':
      return 'software sets the root table pointer';
    case 'pair':
      return `at once, ${stepName(step.first)}, and ${stepName(step.second)}`;
    case 'dma':
      return `device ${step.device} ${step.direction === 'write' ? 'writes to' : 'reads from'} ${aimName(step.aim)}, offset ${hex(step.offset)}`;
  }
}
