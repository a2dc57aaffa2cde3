/**
 * The census over restarts: what is held in every reachable state at rest, by the number of restarts before it. If k restarts leak nothing,
 * the sets are the same for k = 1, 2, 3; nobody has to say what a life needs.
 */
import type { Machine } from '../model/kernel/index.js';
import type { Census } from '../properties/census.js';
import { exploreExhaustively } from './exhaustive.js';

/** What is held at rest, by number of restarts: each holding once, in words, sorted. */
export type Holdings = ReadonlyMap<number, readonly string[]>;

/** Explores the machine completely and takes the census. */
export function takeCensus(m: Machine, of: Census<never>): Holdings {
  const { store } = exploreExhaustively(m, { frameCondition: false, mayStop: () => true }).progressing;
  const census = of as unknown as Census<Machine>;
  const resources = Object.entries(census.resources);
  const found = new Map<number, Set<string>>();
  for (let id = 0; id < store.count; id++) {
    store.load(id, m.words);
    if (!census.atRest(m)) continue;
    const k = census.restarts(m);
    const holdings = found.get(k) ?? new Set();
    holdings.add(resources.map(([what, r]) => `${r.held(m)} ${what}`).join(', '));
    found.set(k, holdings);
  }
  return new Map([...found].sort(([a], [b]) => a - b).map(([k, holdings]) => [k, [...holdings].sort()]));
}
