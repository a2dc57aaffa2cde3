/**
 * Memory that a driver must leave alone: the kernel's, and that of other processes. It is here to be written by those who must not.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008): the user half is a process, the kernel half is the kernel.
 * Must keep: MD-S6, a wild write of the user half alters no byte of it.
 */
import { gate, type Machine, module, oneOf, type State, table } from '../../kernel/index.js';

export const outsideTables = {
  outside: table([], { kernelWritten: oneOf('no', 'yes'), processWritten: oneOf('no', 'yes') }),
};

export type Outside = Machine & State<typeof outsideTables>;

/** The user half is a process: its page tables map its own memory only. */
export const processIsolation = gate('MMU');

/** No scope. */
export const outsideMemory = module<Outside, typeof outsideTables>('memory of others', {
  tables: outsideTables,
  operations: [],
});
