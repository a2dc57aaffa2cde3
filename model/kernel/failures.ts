/** Failure sites: the places of a specification where an allocation, a mapping, an invalidation or a wait can fail by choice. */

/** A place where an allocation, a mapping, an invalidation or a wait can fail. */
export interface FailureSite {
  readonly name: string;
  readonly id: number;
  /** Kind of charge (see ../ledger.ts) that passing this site makes, or -1. */
  charges: number;
}

const sites: FailureSite[] = [];

/** Declares a failure site, or returns the one of that name. */
export function failure(name: string): FailureSite {
  const known = sites.find((s) => s.name === name);
  if (known) return known;
  const made = { name, id: sites.length, charges: -1 };
  sites.push(made);
  return made;
}

/** All failure sites declared so far, by id. */
export function allFailureSites(): readonly FailureSite[] {
  return sites;
}
