/** The specification kernel: what specifications, suites and explorers are written with. */
export * from './choices.js';
export type { CompiledOperation, Visitor } from './compile.js';
export type { MachineDef, MachineOptions, Scope } from './composition.js';
export * from './failures.js';
export * from './footprint.js';
export * from './layout.js';
export * from './machine.js';
export * from './operation.js';
export { labelled } from './settle.js';
export * from './sort.js';
export * from './status.js';
export { numberOf, runsOn, type ThreadAgent, thread } from './threads.js';
