/** The bit-level VT-d: machines made of the parts in this folder. */
import type { MachineDef } from '../kernel/index.js';
import { vtdOperations } from './software.js';
import { vtdState } from './state.js';

export * from './entries.js';
export * from './faultRecords.js';
export * from './invalidation.js';
export * from './reasons.js';
export * from './walk.js';

/** Caches, invalidation, torn entries: the machine of suite `vtd`. */
export const vtdMachine: MachineDef = {
  name: 'vtd',
  modules: [vtdState, vtdOperations],
  threads: () => ['vmm'],
  split: ['device.attach', 'unit.enable', 'unit.disable'],
};
