/**
 * What requests cost in a microdriver: scripted runs of the data path, which is in the kernel half from end to end. The slow path (open,
 * close, configuration) crosses between the halves; none of the four requests takes it.
 */
import { dmaRemapping } from '../../model/iommu/index.js';
import type { Era } from './architecture.js';
import { type CostRun, type CostStep, costedRequests, repeated } from './cost.js';
import { pathMachine } from './microdriversSuites.js';

const IN_KERNEL = 'kernel';

/** The client is the kernel's own file system or network stack; the interrupt comes once for the batch. */
function stepsOf(batch: 1 | 8): readonly CostStep[] {
  return [
    ...repeated(batch, (request) => [{ operation: 'path.submit', in: IN_KERNEL, with: { request } }]),
    ...repeated(batch, (request) => [{ operation: 'path.complete', with: { request } }]),
    { operation: 'path.interrupt', in: IN_KERNEL },
    ...repeated(batch, (request) => [{ operation: 'path.take', in: IN_KERNEL, with: { request } }]),
  ];
}

/** Four requests, alone and in batches of eight, in both eras. */
export const costRuns: readonly CostRun[] = (['then', 'now'] satisfies Era[]).flatMap((era) =>
  costedRequests.flatMap((what) =>
    ([1, 8] as const).map((batch) => ({
      what,
      batch,
      era,
      machine: pathMachine,
      scope: { request: batch },
      ...(era === 'then' && { gatesOff: [dmaRemapping] }),
      steps: stepsOf(batch),
    })),
  ),
);
