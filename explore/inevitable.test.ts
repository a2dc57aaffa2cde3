/** The step since which a breach was inevitable is the one that did the damage, not the one that shows it. */
import { expect, it } from 'vitest';
import { build, gate, type Machine, module, oneOf, operationOn, type State, table } from '../model/kernel/index.js';
import { invariant, type UntypedProperty } from '../properties/property.js';
import { exploreExhaustively } from './exhaustive.js';
import { inevitableSince } from './inevitable.js';

const flush = gate('inevitable: flush');
const tables = {
  page: table([], { mapped: oneOf('no', 'yes'), cached: oneOf('no', 'yes'), given: oneOf('no', 'yes') }),
};
type Page = Machine & State<typeof tables>;
const operation = operationOn<Page>();
const step = (name: string, when: (m: Page) => boolean, effect: (m: Page) => void) =>
  operation(name, { agent: 'vmm', where: { agent: when }, steps: { go: effect } });

const def = {
  name: 'stale',
  modules: [
    module<Page, typeof tables>('stale', {
      tables,
      operations: [
        step(
          'map',
          (m) => m.page.given[0] === 0 && m.page.mapped[0] === 0,
          (m) => void m.page.mapped.fill(1),
        ),
        step(
          'cache',
          (m) => m.page.mapped[0] === 1,
          (m) => void m.page.cached.fill(1),
        ),
        step(
          'unmap',
          (m) => m.page.mapped[0] === 1,
          (m) => {
            m.page.mapped[0] = 0;
            if (m.on(flush)) m.page.cached[0] = 0;
          },
        ),
        step(
          'give',
          (m) => m.page.mapped[0] === 0,
          (m) => void m.page.given.fill(1),
        ),
      ],
    }),
  ],
};
const reach = invariant<Page>('I1', 'reach', {
  states: 'what was given away is not cached',
  holds: (m) => !(m.page.given[0] === 1 && m.page.cached[0] === 1),
  witnesses: {},
});

it('is the unmap without a flush, and not the gift that shows it', () => {
  const machine = build(def, { scope: {}, gatesOff: [flush] });
  const { findings } = exploreExhaustively(machine, { properties: [reach], stopAtFirst: true, mayStop: () => true });
  const { trace } = findings[0];
  expect(trace.map((s) => s.operation)).toEqual(['initial', 'map', 'cache', 'unmap', 'give']);
  expect(trace[inevitableSince(machine, trace, reach as unknown as UntypedProperty)].operation).toBe('unmap');
});
