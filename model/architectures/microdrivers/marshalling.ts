/**
 * Marshalling: the fields of an object that a call may access are copied to the user half at the call, and back at the return.
 * Source: Ganapathy et al., "Microdrivers" (ASPLOS 2008), D3: static points-to analysis, read and write sets merged, copy-in and copy-out.
 *
 * State: the kernel's copy of one object, the user half's copy, the message; a check and a use of a field by the kernel half. Operations: the kernel half writes, a call carries the fields over, the user half writes, the return carries
 * them back; the kernel half checks a field and uses it, or uses it as it is.
 *
 * Must keep: MD-S3, after each crossing both copies of every accessed field agree; MD-S1, the kernel's memory changes only by the kernel
 * half and by the accessed fields of a return; I5, what was checked is what is
 * used. Not kept by the design: what comes back is believed, whatever it says.
 */

import { gate, type Machine, module, oneOf, operationOn, type State, sort, table } from '../../kernel/index.js';
import { COPY, crossCall } from '../../ledger.js';

/** Fields of the object; the callee accesses the first two, the last one is the kernel half's alone. */
export const objectField = sort('field', { members: ['status', 'limit', 'private'] });
export const STATUS = 0;
export const LIMIT = 1;
export const PRIVATE = 2;
/** The fields that the callee may transitively access. */
export const ACCESSED = [STATUS, LIMIT] as const;

/** What a field can say; the last one is an index beyond the kernel's table. */
export const fieldValue = sort('value', { members: ['low', 'high', 'out of range'] });
export const OUT_OF_RANGE = 2;

/** Where no crossing is under way; where the message waits to be taken; where the user half has the call; where its reply waits. */
export const AT_HOME = 0;
export const GOING = 1;
export const ABROAD = 2;
export const COMING = 3;

const value = oneOf('low', 'high', 'out of range');

export const marshallingTables = {
  kernelCopy: table([objectField], { value }),
  userCopy: table([objectField], { value }),
  /** The message: a private copy of the fields. */
  carried: table([objectField], { value }),
  crossing: table([], { phase: oneOf('none', 'call under way', 'in the user half', 'reply under way') }),
  /** A field that the kernel half has checked and is about to use, and what it then used. */
  inUse: table([], { phase: oneOf('no', 'checked', 'used'), checked: value, used: value }),
  /** What believing a field has done to the kernel. */
  believed: table([], { indexed: oneOf('within bounds', 'out of bounds') }),
};

export type Marshalling = Machine & State<typeof marshallingTables>;
const operation = operationOn<Marshalling>();

/** The kernel half works on what was copied in once, never on the memory of the user half. */
export const copiedOnce = gate('arguments copied once');

/** Whether the kernel half may touch the object: no call has it, and no use is half done. */
export function isAtHome(m: Marshalling): boolean {
  return m.crossing.phase[0] === AT_HOME && m.inUse.phase[0] !== 1;
}

/** The field as the kernel half reads it. */
function read(m: Marshalling, f: number): number {
  return m.on(copiedOnce) ? m.kernelCopy.value[f] : m.userCopy.value[f];
}

/** The kernel half writes a field: what it writes is in range. */
export const kernelWrites = operation('object.kernelWrites', {
  agent: 'kernel half',
  says: 'sets {field} to {value}',
  source: 'D3; D5: shared data changes hands with the lock',
  input: { field: objectField, value: fieldValue },
  where: {
    agent: isAtHome,
    value: (m, op) => op.value !== OUT_OF_RANGE && op.value !== m.kernelCopy.value[op.field],
  },
  touches: (m, op, may) => {
    may.write(m.kernelCopy, op.field);
    may.write(m.inUse);
  },
  steps: {
    write: (m, op) => {
      m.kernelCopy.value[op.field] = op.value;
      m.inUse.phase[0] = 0;
      m.inUse.checked[0] = 0;
      m.inUse.used[0] = 0;
    },
  },
});

/** A call up: the accessed fields go into the message. */
export const marshalCall = operation('object.marshal', {
  agent: 'kernel half',
  says: 'marshals the object for a call',
  source: 'D3: copy-in at the call',
  where: { agent: isAtHome },
  touches: (m, _op, may) => {
    may.writeAll(m.carried);
    may.write(m.crossing);
  },
  steps: {
    'copy in': (m) => {
      crossCall(m);
      m.charge(COPY);
      for (let i = 0; i < ACCESSED.length; i++) m.carried.value[ACCESSED[i]] = m.kernelCopy.value[ACCESSED[i]];
    },
    send: (m) => {
      m.crossing.phase[0] = GOING;
    },
  },
});

/** The user half takes the call. */
export const demarshalCall = operation('object.arrive', {
  agent: 'user half',
  says: 'takes the call and its fields',
  source: 'D2: demarshal stub',
  where: { agent: (m) => m.crossing.phase[0] === GOING },
  touches: (m, _op, may) => {
    may.writeAll(m.userCopy);
    may.write(m.crossing);
  },
  steps: {
    'copy out of the message': (m) => {
      for (let i = 0; i < ACCESSED.length; i++) m.userCopy.value[ACCESSED[i]] = m.carried.value[ACCESSED[i]];
    },
    run: (m) => {
      m.crossing.phase[0] = ABROAD;
    },
  },
});

/** The function in the user half writes an accessed field: an honest one stays in range. */
export const userWrites = operation('object.userWrites', {
  agent: 'user half',
  says: 'sets its copy of {field} to {value}',
  source: 'D3: modified fields',
  input: { field: objectField, value: fieldValue },
  where: {
    agent: (m) => m.crossing.phase[0] === ABROAD,
    field: (_m, op) => op.field !== PRIVATE,
    value: (m, op) => op.value !== OUT_OF_RANGE && op.value !== m.userCopy.value[op.field],
  },
  touches: (m, op, may) => may.write(m.userCopy, op.field),
  steps: {
    write: (m, op) => {
      m.userCopy.value[op.field] = op.value;
    },
  },
});

/** It returns: the accessed fields go into the reply. */
export const marshalReply = operation('object.reply', {
  agent: 'user half',
  says: 'returns, with the fields of its copy',
  source: 'D3: copy-out at the return',
  where: { agent: (m) => m.crossing.phase[0] === ABROAD },
  touches: (m, _op, may) => {
    may.writeAll(m.carried);
    may.write(m.crossing);
  },
  steps: {
    'copy out': (m) => {
      m.charge(COPY);
      for (let i = 0; i < ACCESSED.length; i++) m.carried.value[ACCESSED[i]] = m.userCopy.value[ACCESSED[i]];
    },
    send: (m) => {
      m.crossing.phase[0] = COMING;
    },
  },
});

/** The kernel half takes the reply, and believes it. */
export const demarshalReply = operation('object.return', {
  agent: 'kernel half',
  says: 'takes the fields of the reply into its object',
  source: 'D2, D3: demarshal back; values are not validated',
  where: { agent: (m) => m.crossing.phase[0] === COMING },
  touches: (m, _op, may) => {
    may.writeAll(m.kernelCopy);
    may.write(m.crossing);
    may.write(m.inUse);
  },
  steps: {
    'copy in from the message': (m) => {
      for (let i = 0; i < ACCESSED.length; i++) m.kernelCopy.value[ACCESSED[i]] = m.carried.value[ACCESSED[i]];
    },
    'end the call': (m) => {
      m.crossing.phase[0] = AT_HOME;
      m.inUse.phase[0] = 0;
      m.inUse.checked[0] = 0;
      m.inUse.used[0] = 0;
    },
  },
});

/** Where the driver's own code checks a field before it uses it, it reads the field twice. */
export const check = operation('object.check', {
  agent: 'kernel half',
  says: 'checks the limit',
  where: { agent: (m) => isAtHome(m) && m.inUse.phase[0] === 0 && read(m, LIMIT) !== OUT_OF_RANGE },
  touches: (m, _op, may) => may.write(m.inUse),
  steps: {
    read: (m) => {
      m.inUse.phase[0] = 1;
      m.inUse.checked[0] = read(m, LIMIT);
    },
  },
});

/** The second reading. */
export const useChecked = operation('object.useChecked', {
  agent: 'kernel half',
  says: 'uses the limit that it has checked',
  where: { agent: (m) => m.inUse.phase[0] === 1 },
  touches: (m, _op, may) => may.write(m.inUse),
  steps: {
    read: (m) => {
      m.inUse.phase[0] = 2;
      m.inUse.used[0] = read(m, LIMIT);
    },
  },
});

/** Where it does not, the field is an index into the kernel's memory as it came. */
export const useBelieved = operation('object.useBelieved', {
  agent: 'kernel half',
  says: 'uses the limit as an index, unchecked',
  source: 'marshalled values are not validated: the threat model is bugs, not malice',
  where: { agent: isAtHome },
  touches: (m, _op, may) => may.write(m.believed),
  steps: {
    index: (m) => {
      if (read(m, LIMIT) === OUT_OF_RANGE) m.believed.indexed[0] = 1;
    },
  },
});

/** One object that crosses. No scope. */
export const marshalling = module<Marshalling, typeof marshallingTables>('marshalling', {
  tables: marshallingTables,
  operations: [
    kernelWrites,
    marshalCall,
    demarshalCall,
    userWrites,
    marshalReply,
    demarshalReply,
    check,
    useChecked,
    useBelieved,
  ],
  map: (m) =>
    ['status', 'limit', 'private'].map(
      (name, f) => `${name}: kernel ${m.kernelCopy.value[f]}, user half ${m.userCopy.value[f]}`,
    ),
});
