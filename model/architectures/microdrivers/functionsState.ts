/**
 * The state of the function table of a microdriver, and the tests that an id passes on its way down. Operations: functions.ts.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D4 and D2.
 */
import { blockedBy, gate, type Machine, NONE, OK, oneOf, ref, type State, sort, table } from '../../kernel/index.js';
import { functionIdCheck } from './xpcState.js';

/** Functions of the driver: three of the kernel half, the last of which is its own affair, and two of the user half. */
export const driverFunction = sort('function', { members: ['watchdog', 'link change', 'reset', 'tick', 'tune'] });
export const RESET = 2;
export const TICK = 3;
export const TUNE = 4;
/** Functions below are the kernel half's, in the table by the same number, for as long as the driver is loaded. */
export const KERNEL_FUNCTIONS = 3;

/** What a call through a pointer passes: the type of each function, and of each callback. */
const TIMER = 0;
const COMMAND = 1;
const TYPE_OF = [TIMER, COMMAND, TIMER, TIMER, COMMAND] as const;
/** Callbacks in objects of the kernel; the type of each is its number. */
export const callback = sort('callback', { members: ['the timer callback', 'the command callback'] });

/** Entries of the table. */
export const functionId = sort('id');
/** From where the kernel calls. */
export const context = sort('context', { members: ['a thread', 'a handler'] });
export const HANDLER = 1;

export const NOTHING = 0;
export const KERNEL_FUNCTION = 1;
export const STUB = 2;
/** What is neither: no address of the kernel half's code. */
export const STRAY = 3;

export const functionTables = {
  /** The function of an entry. */
  entry: table([functionId], {
    function: ref(driverFunction),
    /** Kept for properties: it was entered in an earlier life of the user half. */
    past: oneOf('no', 'yes'),
  }),
  callback: table([callback], {
    holds: oneOf('nothing', 'a kernel function', 'a stub', 'what is no function'),
    id: ref(functionId),
    /** The kernel half has set it. */
    own: oneOf('no', 'yes'),
    /** Kept for properties: the function for which a stub was made, and whether that was in an earlier life. */
    meant: ref(driverFunction),
    past: oneOf('no', 'yes'),
  }),
  process: table([], { state: oneOf('running', 'gone') }),
  /** What the kernel runs, and through which callback; by none when the user half called down. */
  running: table([], {
    what: oneOf('nothing', 'a kernel function', 'a user function', 'what is no function'),
    function: ref(driverFunction),
    through: ref(callback),
    blocks: oneOf('no', 'in a handler'),
  }),
};

export type Functions = Machine & State<typeof functionTables>;
/** An entry is taken for what it is: of that type. */
export const functionTypeCheck = gate('function type check');
/** Only functions that are meant for the other half can be named by it. */
export const entryPointCheck = gate('entry point check');
/** Calls up are made from where the kernel may block. */
export const blockingCheck = gate('blocking context check');

/** ENOENT: no function has the id; ENOSPC: no entry is free; EPIPE: the user half is gone. */
export const FUNCTION_ERRORS = { ENOENT: -2, ENOSPC: -28, EPIPE: -32 } as const;

/** What a function is called with. */
export function typeOf(f: number): number {
  return TYPE_OF[f];
}

/** Whether it is a function of the kernel half that the other may name, or one of the user half. */
export function isOpen(f: number): boolean {
  return f !== RESET;
}

/** Whether the user half runs, and nothing of the kernel does in its name. */
export function isIdle(m: Functions): boolean {
  return m.process.state[0] === 0 && m.running.what[0] === NOTHING;
}

/** The entry of a function, or -1. */
export function entryOf(m: Functions, f: number): number {
  for (let i = 0; i < m.entry.rows; i++) if (m.entry.function[i] === f) return i;
  return -1;
}

/** Whether a callback holds the stub with that id. */
function isHeld(m: Functions, id: number): boolean {
  for (let c = 0; c < m.callback.rows; c++) {
    if (m.callback.holds[c] === STUB && m.callback.id[c] === id) return true;
  }
  return false;
}

/** The lowest entry that is free and that no stub in an object names, or -1. */
export function freeEntry(m: Functions): number {
  for (let i = KERNEL_FUNCTIONS; i < m.entry.rows; i++) if (m.entry.function[i] === NONE && !isHeld(m, i)) return i;
  return -1;
}

/** Whether functions of the user half are in the table. */
export function areLeft(m: Functions): boolean {
  for (let i = KERNEL_FUNCTIONS; i < m.entry.rows; i++) if (m.entry.function[i] !== NONE) return true;
  return false;
}

/** Nobody has the entry. */
export function freeTheEntry(m: Functions, id: number): void {
  m.entry.function[id] = NONE;
  m.entry.past[id] = 0;
}

/** A callback that crosses: which one, the id that came, and the entry's function. */
export interface Coming {
  callback: number;
  id: number;
  found: number;
}

/** The id is one of the table, and something has it. */
export function lookUp(m: Functions, op: Coming): number {
  if (op.id >= m.entry.rows) {
    if (m.on(functionIdCheck)) return blockedBy(functionIdCheck);
    // What lies behind the table is taken for an entry.
    op.found = NONE;
    return OK;
  }
  op.found = m.entry.function[op.id];
  return op.found === NONE ? FUNCTION_ERRORS.ENOENT : OK;
}

/** It is of the type that the callback calls with. */
export function testType(m: Functions, op: Coming): number {
  if (op.found === NONE || typeOf(op.found) === op.callback) return OK;
  return m.on(functionTypeCheck) ? blockedBy(functionTypeCheck) : OK;
}

/** It is meant for the other half. */
export function testEntryPoint(m: Functions, op: Coming): number {
  return op.found === NONE || isOpen(op.found) || !m.on(entryPointCheck) ? OK : blockedBy(entryPointCheck);
}

/** A function of the kernel half is put in as it is, one of the user half as a stub with its id. */
export function putIn(m: Functions, op: Coming): void {
  const c = op.callback;
  clearCallback(m, c);
  if (op.found === NONE) {
    m.callback.holds[c] = STRAY;
  } else if (op.found < KERNEL_FUNCTIONS) {
    m.callback.holds[c] = KERNEL_FUNCTION;
    m.callback.id[c] = op.id;
  } else {
    m.callback.holds[c] = STUB;
    m.callback.id[c] = op.id;
    m.callback.meant[c] = op.found;
  }
}

/** Nothing is in the callback. */
export function clearCallback(m: Functions, c: number): void {
  m.callback.holds[c] = NOTHING;
  m.callback.id[c] = NONE;
  m.callback.own[c] = 0;
  m.callback.meant[c] = NONE;
  m.callback.past[c] = 0;
}

/** A call down: the id that came, and the entry's function. */
export interface Called {
  id: number;
  found: number;
}

/** The id is one of the table, and a function of the kernel half has it. */
export function lookUpDown(m: Functions, op: Called): number {
  op.found = NONE;
  if (op.id >= m.entry.rows) return m.on(functionIdCheck) ? blockedBy(functionIdCheck) : OK;
  if (op.id >= KERNEL_FUNCTIONS) return FUNCTION_ERRORS.ENOENT;
  op.found = m.entry.function[op.id];
  return OK;
}

/** It is one that the user half may call. */
export function testEntryPointDown(m: Functions, op: Called): number {
  return op.found === NONE || isOpen(op.found) || !m.on(entryPointCheck) ? OK : blockedBy(entryPointCheck);
}

/** The kernel runs it, in the name of the user half. */
export function jumpDown(m: Functions, op: Called): void {
  m.running.what[0] = op.found === NONE ? STRAY : KERNEL_FUNCTION;
  m.running.function[0] = op.found;
}

/** The kernel is back in its own code. */
export function nothingRuns(m: Functions): void {
  m.running.what[0] = NOTHING;
  m.running.function[0] = NONE;
  m.running.through[0] = NONE;
  m.running.blocks[0] = 0;
}

/** The process ends: its functions are no more, wherever the table and the callbacks still name them. A call of one is over. */
export function end(m: Functions): void {
  m.process.state[0] = 1;
  for (let i = KERNEL_FUNCTIONS; i < m.entry.rows; i++) if (m.entry.function[i] !== NONE) m.entry.past[i] = 1;
  for (let c = 0; c < m.callback.rows; c++) if (m.callback.holds[c] === STUB) m.callback.past[c] = 1;
  if (m.running.what[0] === STUB) nothingRuns(m);
}
