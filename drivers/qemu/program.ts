/**
 * Programs for a real VT-d: what software does to its tables and caches, and what devices send. A step is plain data, so that it can be
 * generated, shrunk, kept in a trace file and told in words.
 *
 * Two spaces of fixed table frames: space 0 (domain id 1) with 3 levels, space 1 (domain id 2) with 4. Data frames 0 to 2 are
 * space 0's, 3 to 5 space 1's, 6 the VMM's, 7 nobody's. Device 0 starts in space 0, device 1 in space 1, each with a few pages mapped (software.ts).
 */
import fc from 'fast-check';

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
  | {
      readonly do: 'dma';
      readonly device: 0 | 1;
      readonly direction: 'read' | 'write';
      readonly aim: Aim;
      readonly offset: number;
    };

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
    case 'dma':
      return step.aim.at === 'page' || step.aim.at === 'superpage' ? 'benign DMA' : 'malicious DMA';
  }
}

const space = fc.nat(1);
const device = fc.constantFrom(0 as const, 1 as const);
const page = fc.constantFrom(...PAGES);
const direction = fc.constantFrom('write' as const, 'read' as const);
/** Offsets of requests within their page. */
const offset = fc.constantFrom(0, 64, 2048, 4096 - LENGTH);

const map = fc
  .tuple(space, page, fc.nat(2), fc.constantFrom(3 as const, 1 as const, 2 as const))
  .map(([s, p, f, rights]): Step => ({ do: 'map', space: s, page: p, frame: s * 3 + f, rights }));
const unmap = fc.record({ do: fc.constant('unmap' as const), space, page });
const superpage = fc.record({
  ...{
    do: fc.constant('superpage' as const),
    space,
    rights: fc.constantFrom(3 as const, 1 as const, 2 as const, 0 as const),
  },
  askew: fc.integer({ min: 0, max: 9 }).map((n) => n === 9),
});
const directory = fc.record({
  ...{ do: fc.constant('directory' as const), space, region: fc.constantFrom(0 as const, 1 as const) },
  rights: fc.constantFrom(0 as const, 3 as const, 1 as const, 2 as const),
});
const attach = fc.record({
  ...{ do: fc.constant('attach' as const), device },
  to: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<ContextTo>('space A', 'space B', 'space A', 'space B', 'nothing') },
    fc.constantFrom(...CONTEXTS),
  ),
});
const root = fc.record({
  do: fc.constant('root' as const),
  entry: fc.constantFrom('present' as const, 'absent' as const, 'reserved bit' as const),
});
const breaking = fc.record({ do: fc.constant('break' as const), space, page, how: fc.constantFrom(...BREAKAGES) });
const flush: fc.Arbitrary<Flush> = fc.oneof(
  fc.constant<Flush>({ cache: 'iotlb', scope: 'global' }),
  fc.constant<Flush>({ cache: 'context', scope: 'global' }),
  space.map((s): Flush => ({ cache: 'iotlb', scope: 'domain', space: s })),
  space.map((s): Flush => ({ cache: 'context', scope: 'domain', space: s })),
  fc
    .tuple(space, device, fc.nat(3))
    .map(([s, d, fm]): Flush => ({ cache: 'context', scope: 'device', space: s, device: d, functionMask: fm })),
  fc
    .tuple(space, fc.oneof(page, fc.constant(SUPERPAGE + 3)), fc.constantFrom(0, 0, 1, 2, 3, 9), fc.boolean())
    .map(
      ([s, p, am, ih]): Flush => ({ cache: 'iotlb', scope: 'page', space: s, page: p, addressMask: am, leafOnly: ih }),
    ),
);
const invalidate = fc.record({
  ...{
    do: fc.constant('invalidate' as const),
    by: fc.constantFrom('queue' as const, 'queue' as const, 'registers' as const),
  },
  flush,
});
const benign: fc.Arbitrary<Aim> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      at: fc.constant('page' as const),
      page,
      straddle: fc.integer({ min: 0, max: 3 }).map((n) => n === 3),
    }),
  },
  fc.record({
    at: fc.constant('superpage' as const),
    page: fc.nat(6).map((n) => SUPERPAGE + n),
    straddle: fc.boolean(),
  }),
);
const malicious: fc.Arbitrary<Aim> = fc.oneof(
  fc.record({ at: fc.constant('data frame' as const), frame: fc.nat(DATA_FRAMES - 1) }),
  fc.record({ at: fc.constant('table frame' as const), frame: fc.nat(10) }),
  fc.constant<Aim>({ at: 'top' }),
  fc.constantFrom<Aim>({ at: 'beyond', bits: 39 }, { at: 'beyond', bits: 48 }),
  fc.constant<Aim>({ at: 'peer device' }),
  fc.constant<Aim>({ at: 'interrupt window' }),
);
const dma = (aim: fc.Arbitrary<Aim>): fc.Arbitrary<Step> =>
  fc.record({ do: fc.constant('dma' as const), device, direction, aim, offset });
const switching: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Step>({ do: 'latch root' }) },
  fc.record({ do: fc.constant('translate' as const), on: fc.boolean() }),
  root,
);

/** What drivers do often, in the order in which they do it, so that programs get past the first steps: each part may be missing. */
const life: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    space,
    page,
    fc.nat(2),
    fc.constantFrom(3 as const, 1 as const),
    device,
    direction,
    fc.subarray([0, 1, 2, 3, 4], { minLength: 2 }),
    fc.boolean(),
  )
  .map(([s, p, f, rights, d, dir, parts, late]) => {
    const use: Step = {
      do: 'dma',
      device: d,
      direction: dir,
      aim: { at: 'page', page: p, straddle: false },
      offset: 0,
    };
    const forget: Step = {
      ...{ do: 'invalidate', by: 'queue' },
      flush: { cache: 'iotlb', scope: 'page', space: s, page: p, addressMask: 0, leafOnly: true },
    };
    const whole: readonly Step[] = [
      { do: 'map', space: s, page: p, frame: s * 3 + f, rights },
      use,
      { do: 'unmap', space: s, page: p },
      ...(late ? [use, forget] : [forget, use]),
    ];
    return whole.filter((_, i) => parts.includes(i));
  });

/** A device that changes hands, and what it had cached before. */
const move: fc.Arbitrary<readonly Step[]> = fc
  .tuple(device, page, direction, fc.nat(2), fc.subarray([0, 1, 2, 3, 4], { minLength: 3 }))
  .map(([d, p, dir, how, parts]) => {
    const use: Step = {
      do: 'dma',
      device: d,
      direction: dir,
      aim: { at: 'page', page: p, straddle: false },
      offset: 0,
    };
    const flushes: readonly Flush[] = [
      { cache: 'context', scope: 'device', space: d, device: d, functionMask: 0 },
      { cache: 'context', scope: 'domain', space: d },
      { cache: 'context', scope: 'global' },
    ];
    const whole: readonly Step[] = [
      use,
      { do: 'attach', device: d, to: d === 0 ? 'space B' : 'space A' },
      { do: 'invalidate', by: 'queue', flush: flushes[how] ?? flushes[0] },
      { do: 'invalidate', by: 'queue', flush: { cache: 'iotlb', scope: 'domain', space: d } },
      use,
    ];
    return whole.filter((_, i) => parts.includes(i));
  });

/** A superpage that comes and goes. */
const big: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    device,
    fc.nat(6),
    direction,
    fc.constantFrom(3 as const, 1 as const),
    fc.subarray([0, 1, 2, 3, 4], { minLength: 2 }),
  )
  .map(([d, n, dir, rights, parts]) => {
    const page = SUPERPAGE + n;
    const use: Step = {
      do: 'dma',
      device: d,
      direction: dir,
      aim: { at: 'superpage', page, straddle: false },
      offset: 64,
    };
    const whole: readonly Step[] = [
      { do: 'superpage', space: d, rights, askew: false },
      use,
      { do: 'superpage', space: d, rights: 0, askew: false },
      {
        ...{ do: 'invalidate', by: 'registers' },
        flush: { cache: 'iotlb', scope: 'page', space: d, page: SUPERPAGE + 3, addressMask: 0, leafOnly: true },
      },
      use,
    ];
    return whole.filter((_, i) => parts.includes(i));
  });

const single: fc.Arbitrary<Step> = fc.oneof(
  ...[
    ...[
      { weight: 6, arbitrary: map },
      { weight: 3, arbitrary: unmap },
      { weight: 2, arbitrary: superpage },
    ],
    ...[
      { weight: 2, arbitrary: directory },
      { weight: 3, arbitrary: attach },
      { weight: 1, arbitrary: breaking },
    ],
    ...[
      { weight: 5, arbitrary: invalidate },
      { weight: 1, arbitrary: switching },
    ],
    ...[
      { weight: 8, arbitrary: dma(benign) },
      { weight: 4, arbitrary: dma(malicious) },
    ],
  ],
);

/** Programs: a list of steps, and the families that this run does without (swarm). Shrinks to few steps with all families on. */
export const programs: fc.Arbitrary<readonly Step[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: single.map((s): readonly Step[] => [s]) },
        { weight: 1, arbitrary: fc.oneof(life, move, big) },
      ),
      {
        ...{ minLength: 1, maxLength: 20 },
      },
    ),
    fc.oneof(fc.constant<readonly Family[]>([]), fc.subarray<Family>([...FAMILIES], { maxLength: 6 })),
    fc.oneof(fc.constant<readonly Page[]>(PAGES), fc.subarray<Page>([...PAGES], { minLength: 1, maxLength: 2 })),
  )
  .map(([steps, off, pages]) =>
    steps
      .flat()
      .filter((s) => !off.includes(familyOf(s)))
      .map((s) => onPages(s, pages)),
  );

type Page = (typeof PAGES)[number];

/** The step on a few pages: programs that stay with them meet the same translation again. */
function onPages(step: Step, pages: readonly Page[]): Step {
  const near = (page: number): number => {
    const i = PAGES.indexOf(page as Page);
    return i < 0 ? page : (pages[i % pages.length] ?? page);
  };
  switch (step.do) {
    case 'map':
    case 'unmap':
    case 'break':
      return { ...step, page: near(step.page) };
    case 'invalidate':
      return step.flush.scope === 'page' ? { ...step, flush: { ...step.flush, page: near(step.flush.page) } } : step;
    case 'dma':
      return step.aim.at === 'page' ? { ...step, aim: { ...step.aim, page: near(step.aim.page) } } : step;
    default:
      return step;
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
    case 'dma':
      return `device ${step.device} ${step.direction === 'write' ? 'writes to' : 'reads from'} ${aimName(step.aim)}, offset ${hex(step.offset)}`;
  }
}
