/**
 * Pointers to functions between the halves: they cross as ids of one table, and never as addresses.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D4 (function table for code pointers) and D2 (stubs; a call down names a function
 * below the size of the table; up only from where the kernel may block).
 *
 * State: the table; two callbacks in objects of the kernel, each with the type of its call; the user half and its function that the kernel
 * runs, or the kernel's that the user half runs. Operations: the user half enters its functions, and takes them out; a return brings a
 * callback down as an id, which becomes a function of the kernel half or a stub with that id; the kernel calls through the callback; the
 * user half calls down by id. It ends, orderly or not, and is loaded anew. Upwards a pointer becomes its id: whoever can name any id needs
 * not be told, so nothing of it is here.
 *
 * Must keep: I7, the kernel runs only functions of its half that are open to the other, and stubs; MD-S4, a stub calls the function for
 * which it was made, in this life of the user half, and with its type; MD-S2, no call up from where nothing may sleep. A stub whose
 * function is gone is an error, and its id is not given again while a callback holds it. Not kept by the design: that a callback of the
 * kernel half's own stays what it was.
 */
import { blockedBy, module, NONE, OK, operationOn } from '../../kernel/index.js';
import { crossCall } from '../../ledger.js';
import {
  areLeft,
  blockingCheck,
  callback,
  clearCallback,
  context,
  driverFunction,
  end,
  entryOf,
  FUNCTION_ERRORS,
  type Functions,
  freeEntry,
  freeTheEntry,
  functionTables,
  HANDLER,
  isIdle,
  isOpen,
  jumpDown,
  KERNEL_FUNCTION,
  KERNEL_FUNCTIONS,
  lookUp,
  lookUpDown,
  NOTHING,
  nothingRuns,
  putIn,
  STRAY,
  STUB,
  testEntryPoint,
  testEntryPointDown,
  testType,
  typeOf,
} from './functionsState.js';

const operation = operationOn<Functions>();

/** The user half has entered a function of its own. */
export const register = operation('function.register', {
  agent: 'user half',
  says: 'enters {function} into the table',
  source: 'D4: function table for code pointers',
  input: { function: driverFunction },
  locals: ['id'],
  where: {
    agent: isIdle,
    function: (m, op) => op.function >= KERNEL_FUNCTIONS && entryOf(m, op.function) < 0,
  },
  touches: (m, _op, may) => may.writeAll(m.entry),
  errors: FUNCTION_ERRORS,
  steps: {
    'find a free entry': (m, op) => {
      op.id = freeEntry(m);
      return op.id < 0 ? FUNCTION_ERRORS.ENOSPC : OK;
    },
    enter: (m, op) => {
      m.entry.function[op.id] = op.function;
      m.entry.past[op.id] = 0;
    },
  },
});

/** And takes it out; stubs for it become errors. */
export const withdraw = operation('function.withdraw', {
  agent: 'user half',
  says: 'takes {function} out of the table',
  source: 'D4: free, of code pointers',
  input: { function: driverFunction },
  where: {
    agent: isIdle,
    function: (m, op) => op.function >= KERNEL_FUNCTIONS && entryOf(m, op.function) >= 0,
  },
  touches: (m, op, may) => may.write(m.entry, entryOf(m, op.function)),
  steps: { 'free the entry': (m, op) => freeTheEntry(m, entryOf(m, op.function)) },
});

/** A return brings a callback down: an honest user half leaves those alone that the kernel half has set, and passes what fits. */
export const bringCallback = operation('callback.bring', {
  agent: 'user half',
  says: 'returns an object with {function} as {callback}',
  source: 'D4: code pointers cross as ids; D2: a stub for each function of the other half',
  input: { callback, function: driverFunction },
  locals: ['id', 'found'],
  where: {
    agent: isIdle,
    callback: (m, op) => m.callback.own[op.callback] === 0,
    function: (m, op) => isOpen(op.function) && typeOf(op.function) === op.callback && entryOf(m, op.function) >= 0,
  },
  touches: (m, op, may) => {
    may.readAll(m.entry);
    may.write(m.callback, op.callback);
  },
  errors: FUNCTION_ERRORS,
  steps: {
    'take its id': (m, op) => {
      crossCall(m);
      op.id = entryOf(m, op.function);
    },
    'look it up': lookUp,
    'test its type': testType,
    'test that it is an entry point': testEntryPoint,
    'put it in': putIn,
  },
});

/** The kernel half sets a callback to a function of its own. */
export const setCallback = operation('callback.set', {
  agent: 'kernel half',
  says: 'sets {callback} to its own function for that',
  input: { callback },
  where: {
    agent: (m) => m.running.what[0] === NOTHING,
    callback: (m, op) => m.callback.own[op.callback] === 0,
  },
  touches: (m, op, may) => may.write(m.callback, op.callback),
  steps: {
    set: (m, op) => {
      clearCallback(m, op.callback);
      m.callback.holds[op.callback] = KERNEL_FUNCTION;
      m.callback.id[op.callback] = op.callback;
      m.callback.own[op.callback] = 1;
    },
  },
});

/** It empties a callback: a timer is deleted, an object is freed. */
export const dropCallback = operation('callback.drop', {
  agent: 'kernel half',
  says: 'empties {callback}',
  input: { callback },
  where: {
    agent: (m) => m.running.what[0] === NOTHING,
    callback: (m, op) => m.callback.holds[op.callback] !== NOTHING,
  },
  touches: (m, op, may) => may.write(m.callback, op.callback),
  steps: { empty: (m, op) => clearCallback(m, op.callback) },
});

/** The kernel calls through a callback: its own function, or a stub, which asks the table at each call. */
export const callThrough = operation('callback.call', {
  agent: 'kernel half',
  says: 'calls through {callback}, from {context}',
  source: 'D2: Up only from where the kernel may block; the stub calls by id',
  input: { callback, context },
  locals: ['found'],
  where: {
    agent: (m) => m.running.what[0] === NOTHING,
    callback: (m, op) => m.callback.holds[op.callback] !== NOTHING,
  },
  touches: (m, op, may) => {
    may.read(m.callback, op.callback);
    may.readAll(m.entry);
    may.read(m.process);
    may.write(m.running);
  },
  errors: FUNCTION_ERRORS,
  steps: {
    'may it block': (m, op) =>
      m.callback.holds[op.callback] === STUB && op.context === HANDLER && m.on(blockingCheck)
        ? blockedBy(blockingCheck)
        : OK,
    'find the user half': (m, op) =>
      m.callback.holds[op.callback] === STUB && m.process.state[0] === 1 ? FUNCTION_ERRORS.EPIPE : OK,
    'look up what it holds': (m, op) => {
      const holds = m.callback.holds[op.callback];
      op.found = holds === STRAY ? NONE : m.entry.function[m.callback.id[op.callback]];
      return op.found === NONE && holds !== STRAY ? FUNCTION_ERRORS.ENOENT : OK;
    },
    jump: (m, op) => {
      const holds = m.callback.holds[op.callback];
      if (holds === STUB) crossCall(m);
      m.running.what[0] = holds;
      m.running.function[0] = op.found;
      m.running.through[0] = op.callback;
      m.running.blocks[0] = holds === STUB && op.context === HANDLER ? 1 : 0;
    },
  },
});

/** The user half calls a function of the kernel half by its id; the arguments are demarshalled by the stub of that function. */
export const callDownById = operation('function.callDown', {
  agent: 'user half',
  says: 'calls {function} of the kernel half',
  source: 'D2: Down(u to k), with the number of the function',
  input: { function: driverFunction },
  locals: ['id', 'found'],
  where: {
    agent: isIdle,
    function: (_m, op) => op.function < KERNEL_FUNCTIONS && isOpen(op.function),
  },
  touches: (m, _op, may) => {
    may.readAll(m.entry);
    may.write(m.running);
  },
  errors: FUNCTION_ERRORS,
  steps: {
    'take its id': (m, op) => {
      crossCall(m);
      op.id = entryOf(m, op.function);
    },
    'look it up': lookUpDown,
    'test that it is an entry point': testEntryPointDown,
    jump: jumpDown,
  },
});

/** What runs comes to its end. */
export const finish = operation('function.return', {
  agent: 'kernel half',
  says: 'comes back from the function',
  where: { agent: (m) => m.running.what[0] !== NOTHING },
  touches: (m, _op, may) => may.write(m.running),
  steps: { return: (m) => nothingRuns(m) },
});

/** The user half is unloaded. */
export const unload = operation('userHalf.unload', {
  agent: 'user half',
  says: 'ends, since it is to be unloaded',
  source: 'D6: exit of the process',
  where: { agent: isIdle },
  touches: (m, _op, may) => {
    may.write(m.process);
    may.writeAll(m.entry);
    may.writeAll(m.callback);
  },
  steps: { exit: (m) => end(m) },
});

/** The runtime takes all its functions out of the table. */
export const clearTable = operation('table.clear', {
  agent: 'runtime',
  says: 'takes the functions of the user half that is gone out of the table',
  source: 'D6, and D4: no entry survives its object',
  where: { agent: (m) => m.process.state[0] === 1 && areLeft(m) },
  touches: (m, _op, may) => may.writeAll(m.entry),
  steps: {
    'free the entries': (m) => {
      for (let i = KERNEL_FUNCTIONS; i < m.entry.rows; i++) freeTheEntry(m, i);
    },
  },
});

/** The user half is loaded anew, once nothing of its last life is in the table. */
export const load = operation('userHalf.load', {
  agent: 'runtime',
  says: 'loads the user half anew',
  source: 'D6 leaves restart open: by hand, as other drivers',
  where: { agent: (m) => m.process.state[0] === 1 && !areLeft(m) && m.running.what[0] === NOTHING },
  touches: (m, _op, may) => may.write(m.process),
  steps: {
    start: (m) => {
      m.process.state[0] = 0;
    },
  },
});

/** Scope: `id`. */
export const functionTable = module<Functions, typeof functionTables>('functions of both halves', {
  tables: functionTables,
  operations: [
    register,
    withdraw,
    bringCallback,
    setCallback,
    dropCallback,
    callThrough,
    callDownById,
    finish,
    unload,
    clearTable,
    load,
  ],
  initial: (m) => {
    m.entry.function.fill(NONE);
    for (let f = 0; f < KERNEL_FUNCTIONS; f++) m.entry.function[f] = f;
    for (let c = 0; c < m.callback.rows; c++) clearCallback(m, c);
    nothingRuns(m);
  },
  map: (m) => [
    ...[...m.entry.function].map((f, i) => `id ${i}: ${f === NONE ? 'free' : driverFunction.members?.[f]}`),
    ...[...m.callback.holds].map(
      (h, c) => `${callback.members?.[c]}: ${['nothing', 'a kernel function', 'a stub', 'no function'][h]}`,
    ),
  ],
});
