/**
 * Generated mutants: of every operation of a suite's machine, each step left out, each early guard left out, each undo left out, and
 * each two neighbouring steps in the other order. Faults are not touched: what they lack is what gates are for.
 */
import type { Suite } from '../../drivers/suite.js';
import { applyEdits, type Edit } from '../../model/kernel/index.js';

/** A generated mutant. Its name is the same in every suite whose machine has the operation. */
export interface GeneratedMutant {
  readonly name: string;
  readonly operation: string;
  readonly kind: 'step' | 'guard' | 'undo' | 'order';
  readonly edits: readonly Edit[];
}

const nothing = (): void => {};

/** All generated mutants of the suite's operations, as the suite's own edits leave them. */
export function generatedMutants(s: Suite): GeneratedMutant[] {
  const operations = applyEdits(
    s.machine.modules.flatMap((m) => m.operations),
    s.edits ?? [],
  );
  return operations
    .filter(({ op }) => op.fault === undefined)
    .flatMap(({ op, steps, where }) => {
      const of = (kind: GeneratedMutant['kind'], what: string, ...edits: Edit[]): GeneratedMutant => ({
        ...{ name: `${op.name}: ${what}`, operation: op.name, kind, edits },
      });
      const operation = op.name;
      const names = steps.map((step) => step.name);
      return [
        // A step without effect stands for one that is left out: other steps may jump to it by its name.
        ...names.map((step) => of('step', `without '${step}'`, { kind: 'replace', operation, step, with: nothing })),
        ...Object.entries(where).flatMap(([input, guard]) =>
          guard
            ? [of('guard', `without the guard of ${input}`, { kind: 'where', operation, input, with: undefined })]
            : [],
        ),
        ...steps.flatMap((step) =>
          step.undo
            ? [
                of('undo', `without undoing '${step.name}'`, {
                  kind: 'undo',
                  operation,
                  step: step.name,
                  with: undefined,
                }),
              ]
            : [],
        ),
        ...names.slice(1).map((later, i) => {
          const order = names.toSpliced(i, 2, later, names[i]);
          return of('order', `'${later}' before '${names[i]}'`, { kind: 'order', operation, steps: order });
        }),
      ];
    });
}
