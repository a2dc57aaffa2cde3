/** Parts of machines: modules without the operations that a suite has no use for. */
import type { AnyModule } from '../../model/kernel/index.js';

/** The modules without these operations. Naming one that none of them has is an error. */
export function leaveOut(modules: readonly AnyModule[], ...names: readonly string[]): AnyModule[] {
  for (const name of names) {
    if (!modules.some((m) => m.operations.some((o) => o.name === name))) {
      throw new RangeError(`no module has the operation '${name}'`);
    }
  }
  return modules.map((m) => ({ ...m, operations: m.operations.filter((o) => !names.includes(o.name)) }));
}
