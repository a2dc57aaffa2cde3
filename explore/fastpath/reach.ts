/**
 * Looks for calls that random runs did not meet: breadth first, until each wanted operation has run, or every state of the scope was
 * visited. What was not found in all states cannot happen; what was not found in some of them is merely not known to.
 */
import type { Machine, Visitor } from '../../model/kernel/index.js';
import { StateStore } from '../store.js';

/** How far a search went. */
export interface Search {
  readonly states: number;
  /** Every reachable state of the scope was visited. */
  readonly complete: boolean;
}

/**
 * Performs transitions breadth first and hands those of wanted operations to `keep`, while `m.beforeWords` holds the state before and
 * `m.choices` the answers. Ends with the level in which the last wanted operation has run. Leaves the machine in an unspecified state.
 * @param wanted by operation index: 1 for those to look for
 * @param limit states to visit at most
 */
export function reach(
  m: Machine,
  wanted: Uint8Array,
  limit: number,
  keep: (kind: number, status: number) => void,
): Search {
  return new Reach(m, wanted, keep).run(limit);
}

class Reach implements Visitor {
  private readonly store: StateStore;
  private readonly found: Uint8Array;
  private missing: number;
  private from = 0;

  constructor(
    private readonly m: Machine,
    private readonly wanted: Uint8Array,
    private readonly keep: (kind: number, status: number) => void,
  ) {
    this.store = new StateStore(m.words.length);
    this.found = new Uint8Array(wanted.length);
    this.missing = wanted.reduce((n, w) => n + w, 0);
  }

  run(limit: number): Search {
    const { m, store } = this;
    m.choices.begin();
    do {
      m.loadInitial();
      store.add(m.words, -1);
    } while (m.choices.next());
    let levelEnd = store.count;
    for (; this.from < store.count; this.from++) {
      if (this.from === levelEnd) {
        if (this.missing === 0) break;
        levelEnd = store.count;
      }
      if (store.count >= limit) return { states: store.count, complete: false };
      store.load(this.from, m.beforeWords);
      m.words.set(m.beforeWords);
      for (let k = 0; k < m.transitionKinds; k++) m.fireAll(k, this);
    }
    return { states: store.count, complete: this.from === store.count };
  }

  visit(kind: number, status: number): boolean {
    const { m } = this;
    const operation = m.current.index;
    if (this.wanted[operation] === 1) {
      if (this.found[operation] === 0) this.missing--;
      this.found[operation] = 1;
      this.keep(kind, status);
    }
    this.store.add(m.words, this.from);
    return false;
  }
}
