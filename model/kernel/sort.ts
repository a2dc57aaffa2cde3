/**
 * Sorts: the small named sets that every choice of a run is taken from, and that index the tables of the state.
 * A sort's size comes from the scope (`{ domain: 3, frame: 2 }`) unless its members are fixed here.
 */

/** A finite named set. `id` is unique in the process and only an index; `name` is what scopes and traces use. */
export interface Sort {
  readonly name: string;
  readonly id: number;
  /** Names of the members, when the members are fixed (then the scope does not size this sort). */
  readonly members: readonly string[] | undefined;
  /** Members from this index on are interchangeable; `undefined` when none are. */
  readonly symmetricFrom: number | undefined;
}

let nextId = 0;

/**
 * Declares a sort.
 * @param name singular, as it reads in a trace: `domain 2`, `frame 0`.
 * @param options `members`: fixed names; `symmetricFrom`: first of the interchangeable members.
 */
export function sort(name: string, options: { members?: readonly string[]; symmetricFrom?: number } = {}): Sort {
  return { name, id: nextId++, members: options.members, symmetricFrom: options.symmetricFrom };
}

/** How many sorts exist in this process; machines size their look-up tables with it. */
export function sortCount(): number {
  return nextId;
}

/** `domain 2`, or the member's own name where members are fixed. */
export function memberName(of: Sort, value: number): string {
  return of.members?.[value] ?? `${of.name} ${value}`;
}

/** A yes-or-no choice. */
export const flag = sort('flag', { members: ['no', 'yes'] });
/** Whether an allocation, a mapping, an invalidation or a wait succeeds. */
export const outcome = sort('outcome', { members: ['succeeds', 'fails'] });
