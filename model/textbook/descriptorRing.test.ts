/** Counts of the descriptor ring (equal to SPIN's and Rumur's, see bench/), its properties, and the edits that break them. */
import { describe, expect, it } from 'vitest';
import { type ExhaustiveResult, exploreExhaustively } from '../../explore/exhaustive.js';
import { reductionOf } from '../../explore/reduction.js';
import { canonicalizer } from '../../explore/symmetry.js';
import { invariant } from '../../properties/property.js';
import { build, type Edit, type Footprint, NONE, replace, type Scope } from '../kernel/index.js';
import {
  arm,
  checkEvent,
  type DescriptorRing,
  descriptorRing,
  noEmptySlotTaken,
  noLostWakeUp,
  payload,
  put,
  recheck,
  ring,
  SLEEP,
} from './descriptorRing.js';

function ofOneRing(m: DescriptorRing, r: number, reads: Footprint): boolean {
  if (r >= m.size(ring)) return false;
  for (const t of [m.producer, m.consumer, m.prod, m.cons, m.line]) reads.read(t, r);
  return true;
}

const properties = [
  invariant<DescriptorRing>('ring-wake', 'wake', {
    states: 'no consumer sleeps on unconsumed requests with no interrupt to come',
    holds: noLostWakeUp,
    parts: ofOneRing,
    witnesses: {
      'a consumer sleeps': (m) => m.consumer.state[0] === SLEEP,
      'an interrupt is pending': (m) => m.line.pending[0] === 1,
      'requests wait': (m) => m.prod.index[0] !== m.cons.index[0],
    },
  }),
  invariant<DescriptorRing>('ring-slot', 'slot', {
    states: 'a request in hand is one that was written',
    holds: noEmptySlotTaken,
    parts: ofOneRing,
    witnesses: { 'a request is in hand': (m) => m.consumer.held[0] !== NONE },
  }),
];

/** One slot: the threshold and the final test still matter. */
const TINY: Scope = { ring: 1, slot: 1, index: 4, payload: 1 };
const SMALL: Scope = { ring: 1, slot: 2, index: 4, payload: 1 };

/** The mutant that goes to sleep without the last look. */
const sleepAnyway = replace(recheck, 'read req_prod again', (m, op) => {
  m.consumer.state[op.agent] = SLEEP;
});

function explore(scope: Scope, edits: readonly Edit[] = []): ExhaustiveResult {
  return exploreExhaustively(build(descriptorRing, { scope, edits }), { properties, stopAtFirst: true });
}

describe('descriptor ring', () => {
  // Transitions: every firing of an enabled operation, and one for the initial state, as in the peers.
  it.each([
    [{ ring: 1, slot: 2, index: 4, payload: 1 }, 1_092, 2_145],
    [{ ring: 1, slot: 2, index: 4, payload: 2 }, 2_928, 6_037],
    [{ ring: 1, slot: 4, index: 8, payload: 1 }, 11_856, 25_321],
    [{ ring: 1, slot: 4, index: 8, payload: 2 }, 90_272, 203_865],
  ])('has the known counts at %o', (scope, states, transitions) => {
    const found = explore(scope);
    expect(found).toMatchObject({ verdict: 'complete', states, transitions, findings: [] });
    expect(found.witnesses.filter((w) => !w.reached)).toEqual([]);
  });

  it('has the square of its states for two rings, and s * (s + 1) / 2 when they are interchangeable', () => {
    const one = explore(TINY).states;
    const machine = build(descriptorRing, { scope: { ...TINY, ring: 2 } });
    const plain = exploreExhaustively(machine, { properties, frameCondition: false });
    expect(plain).toMatchObject({ verdict: 'complete', states: one * one, findings: [] });
    const symmetric = exploreExhaustively(machine, { properties, symmetry: canonicalizer(machine, ring) });
    expect(symmetric).toMatchObject({ verdict: 'complete', states: (one * (one + 1)) / 2, findings: [] });
  });

  it('has fewer states when payloads are interchangeable', () => {
    const machine = build(descriptorRing, { scope: { ...SMALL, payload: 2 } });
    const found = exploreExhaustively(machine, { properties, symmetry: canonicalizer(machine, payload) });
    expect(found).toMatchObject({ verdict: 'complete', findings: [] });
    expect(found.states).toBeLessThan(2_928);
    expect(found.states).toBeGreaterThan(2_928 / 2);
  });

  it('is two clusters for the reduction when there are two rings, and loses no finding by it', () => {
    const reduced = (edits: readonly Edit[]): ExhaustiveResult => {
      const machine = build(descriptorRing, { scope: { ...TINY, ring: 2 }, edits });
      const reduction = reductionOf(machine, properties);
      expect(reduction.clusterCount).toBe(2);
      return exploreExhaustively(machine, { properties, frameCondition: false, reduction });
    };
    expect(reduced([])).toMatchObject({ verdict: 'complete', findings: [], states: 2 * explore(TINY).states });
    const broken = reduced([sleepAnyway]).findings.map((f) => f.property.id);
    expect(new Set(broken)).toEqual(new Set(['ring-wake']));
  });

  it('loses a wake-up without the last look', () => {
    const [finding] = explore(SMALL, [sleepAnyway]).findings;
    expect(finding?.property.id).toBe('ring-wake');
  });

  it('loses a wake-up when the threshold is the consumer index itself', () => {
    const oneTooLow = replace(arm, 'write req_event', (m, op) => {
      m.event.index[op.agent] = m.cons.index[op.agent];
      m.consumer.state[op.agent] = 3;
    });
    expect(explore(SMALL, [oneTooLow]).findings[0]?.property.id).toBe('ring-wake');
  });

  it('loses a wake-up when only the newest request is compared with the threshold', () => {
    const equalOnly = replace(checkEvent, 'read req_event', (m, op) => {
      if (m.prod.index[op.agent] === m.event.index[op.agent]) m.line.pending[op.agent] = 1;
      m.producer.old[op.agent] = 0;
      m.producer.state[op.agent] = 0;
    });
    expect(explore(SMALL, [equalOnly]).findings[0]?.property.id).toBe('ring-wake');
  });

  it('takes an empty slot when the request is not written', () => {
    const indexOnly = replace(put, 'write request', (m, op) => {
      m.producer.prodPvt[op.agent] = (m.producer.prodPvt[op.agent] + 1) & 3;
    });
    expect(explore(SMALL, [indexOnly]).findings[0]?.property.id).toBe('ring-slot');
  });
});
