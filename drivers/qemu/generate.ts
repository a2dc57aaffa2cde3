/**
 * Random programs for a real VT-d: single steps, and the short stories of drivers (map, use, unmap; change hands; a superpage that comes
 * and goes) with parts missing or late. Families of steps are switched off at random for each program (swarm), and most programs stay
 * with few pages, so that they meet the same translation again.
 */
import fc from 'fast-check';
import {
  type Aim,
  BREAKAGES,
  CONTEXTS,
  type ContextTo,
  DATA_FRAMES,
  type DmaStep,
  FAMILIES,
  type Family,
  type Flush,
  familyOf,
  LENGTH,
  PAGES,
  type Step,
  SUPERPAGE,
} from './program.js';

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
const dma = (aim: fc.Arbitrary<Aim>): fc.Arbitrary<DmaStep> =>
  fc.record({ do: fc.constant('dma' as const), device, direction, aim, offset });
/** Both devices at once; at different offsets, or what they leave in a frame would not tell who was there. */
const pair: fc.Arbitrary<Step> = fc.tuple(dma(fc.oneof(benign, malicious)), dma(fc.oneof(benign, malicious))).map(
  ([a, b]): Step => ({
    ...{ do: 'pair', first: { ...a, device: 0, offset: 0 }, second: { ...b, device: 1, offset: 128 } },
  }),
);
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
      { weight: 2, arbitrary: pair },
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
  const nearby = (dma: DmaStep): DmaStep =>
    dma.aim.at === 'page' ? { ...dma, aim: { ...dma.aim, page: near(dma.aim.page) } } : dma;
  switch (step.do) {
    case 'map':
    case 'unmap':
    case 'break':
      return { ...step, page: near(step.page) };
    case 'invalidate':
      return step.flush.scope === 'page' ? { ...step, flush: { ...step.flush, page: near(step.flush.page) } } : step;
    case 'dma':
      return nearby(step);
    case 'pair':
      return { ...step, first: nearby(step.first), second: nearby(step.second) };
    default:
      return step;
  }
}
