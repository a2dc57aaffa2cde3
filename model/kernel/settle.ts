/** How a whole operation goes on after a step has answered something: the next step, a jump, the end, or back through its undo steps. */
import type { CompiledOperation } from './compile.js';
import type { Machine } from './machine.js';
import { SpecificationError } from './operation.js';
import { AGAIN, DISABLED, DONE, isJump, jumpId, jumpLabel, OK } from './status.js';

const MAX_JUMPS = 1000;

/** Goes on after step i answered something else than OK. */
export function settle(m: Machine, op: CompiledOperation, i: number, first: number): number {
  const { steps, call } = op;
  let at = i;
  let answer: number | undefined = first;
  for (let jumps = 0; ; ) {
    if (answer === undefined || answer === OK) {
      if (++at >= steps.length) return OK;
    } else if (answer === DISABLED || answer === AGAIN) return DISABLED;
    else if (answer === DONE) return OK;
    else if (isJump(answer)) {
      at = labelled(op, answer);
      if (++jumps > MAX_JUMPS)
        throw new SpecificationError(`${op.op.name} jumps without end at '${jumpLabel(answer)}'`);
    } else {
      if (op.hasUndo) for (let j = at - 1; j >= 0; j--) op.undo[j]?.(m, call);
      return answer;
    }
    answer = steps[at](m, call);
  }
}

/** Index of the step that a jump goes to. */
export function labelled(op: CompiledOperation, answer: number): number {
  const at = op.labels[jumpId(answer)];
  if (at === undefined || at < 0) {
    throw new SpecificationError(`${op.op.name} jumps to '${jumpLabel(answer)}', which is none of its steps`);
  }
  return at;
}
