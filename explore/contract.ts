/**
 * Contracting a counterexample: one other step in the place of several. Leaving steps out, which is all that shrinking does, never finds
 * that a domain might have given its page back instead of being destroyed and reaped; so every step that is enabled where a stretch of the
 * run begins is tried in the place of the whole stretch.
 */
import { hashWords } from './lookUp.js';
import type { BrokenProperty, Run, RunStep, Walker } from './walk.js';

/** Longest stretch that one step is tried for. */
const STRETCH = 4;
/** Most steps that are tried at one place; states with more successors are rare, and the finishing search follows anyway. */
const CANDIDATES = 400;

/** A run at most as long, that breaks the same property: none of its stretches can be replaced by one step. */
export function contract(walker: Walker, run: Run, target: BrokenProperty): Run {
  let best = run;
  for (let shorter = contractOnce(walker, best, target); shorter; shorter = contractOnce(walker, best, target)) {
    best = shorter;
  }
  return best;
}

function contractOnce(walker: Walker, { initial, steps }: Run, target: BrokenProperty): Run | undefined {
  for (let at = 0; at + 2 <= steps.length; at++) {
    const before = steps.slice(0, at);
    for (const other of successors(walker, { initial, steps: before })) {
      for (let stretch = Math.min(STRETCH, steps.length - at); stretch >= 2; stretch--) {
        const candidate = { initial, steps: [...before, other, ...steps.slice(at + stretch)] };
        const { broken, run } = walker.execute(candidate, target);
        if (broken && run.steps.length < steps.length) return run;
      }
    }
  }
  return undefined;
}

/** The steps that are enabled at the end of a run, one for each state that they lead to. */
function successors(walker: Walker, run: Run): RunStep[] {
  const { m } = walker;
  walker.execute(run);
  m.beforeWords.set(m.words);
  const found: RunStep[] = [];
  const seen = new Set<number>([hashWords(m.words, 0, m.words.length)]);
  const visit = (kind: number): boolean => {
    const hash = hashWords(m.words, 0, m.words.length);
    if (!seen.has(hash)) {
      seen.add(hash);
      found.push({ kind, digits: [...m.choices.digits.subarray(0, m.choices.used)] });
    }
    return found.length >= CANDIDATES;
  };
  for (let kind = 0; kind < m.transitionKinds && found.length < CANDIDATES; kind++) {
    m.words.set(m.beforeWords);
    m.fireAll(kind, { visit });
  }
  return found;
}
