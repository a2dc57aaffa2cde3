/**
 * The configuration space of a microdriver's device, as far as it moves things: where its register window lies.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008): functions of the kernel that a driver calls stay in the kernel, those that write
 * configuration space among them, and the user half calls them down; PCI 2.2, 6.2.5.1 (base address registers).
 *
 * Must keep, and does not: a window is where the kernel put it. Nothing in the design looks at what is written.
 */
import type { Iommu } from '../../iommu/index.js';
import { device } from '../../iommu/index.js';
import { module, oneOf, type State, table } from '../../kernel/index.js';

export const configurationTables = {
  window: table([device], { place: oneOf('where the kernel put it', 'over memory of the kernel') }),
};

export type Configuration = Iommu & State<typeof configurationTables>;

/** Scope: `device`. */
export const configuration = module<Configuration, typeof configurationTables>('configuration space', {
  tables: configurationTables,
  operations: [],
  map: (m) =>
    [...m.window.place].map((at, v) => `device ${v}: window ${at === 0 ? 'in its place' : 'over the kernel'}`),
});
