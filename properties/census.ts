/**
 * The census: whatever can be held (frames, pins, grants, mappings, handles, entries of an IOMMU), counted whenever a service is at rest.
 * After any number of restarts as much is held as one life needs: k restarts leak nothing. The same counts are compared over k = 1, 2, 3
 * without anybody saying what is needed (explore/census.ts).
 */
import { type Invariant, invariant } from './property.js';

/** One kind of resource. */
export interface Resource<M> {
  /** How many are held, by whomever. */
  readonly held: (m: M) => number;
  /** How many one life needs. */
  readonly needed: (m: M) => number;
}

export interface Census<M> {
  readonly resources: Readonly<Record<string, Resource<M>>>;
  /** Nothing is under way, and the driver serves. */
  readonly atRest: (m: M) => boolean;
  /** Restarts so far. */
  readonly restarts: (m: M) => number;
}

/** Restarts over which the counts are compared. */
export const RESTARTS = [1, 2, 3] as const;

/** The claim about a census, of a scope that has four lives. */
export function leaksNothing<M>(id: string, name: string, of: Census<M>): Invariant<M> {
  const resources = Object.entries(of.resources);
  const witness = (k: number) => (m: M) => of.restarts(m) === k && of.atRest(m);
  const times = ['', 'one restart', 'two restarts', 'three restarts'];
  return invariant<M>(id, name, {
    states: `at rest, after any number of restarts, as much is held as one life needs: ${Object.keys(of.resources).join(', ')}`,
    holds: (m) => {
      if (!of.atRest(m)) return true;
      for (let i = 0; i < resources.length; i++)
        if (resources[i][1].held(m) !== resources[i][1].needed(m)) return false;
      return true;
    },
    explain: (m) => {
      const wrong = resources.filter(([, r]) => r.held(m) !== r.needed(m));
      return `after ${of.restarts(m)} restarts: ${wrong.map(([what, r]) => `${what} ${r.held(m)}, needed ${r.needed(m)}`).join('; ')}`;
    },
    witnesses: Object.fromEntries(RESTARTS.map((k) => [`at rest after ${times[k]}`, witness(k)])),
  });
}
