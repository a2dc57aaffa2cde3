/**
 * What goes wrong in a microdriver: the user half is wrong, wild, dead or silent; the kernel half is; the device
 * interrupts for nothing. Each names the gate
 * that should stop it, where the design has one. Calls: microdriversXpc.ts; DMA: microdriversDma.ts; mutants:
 * microdriversMutants.ts.
 */
import { ALIVE, type Combolock, GONE, HANGS } from '../../model/architectures/microdrivers/combolock.js';
import { KERNEL_RUNS, type KernelHalf, PANICKED, SPINS } from '../../model/architectures/microdrivers/kernelHalf.js';
import {
  ABROAD,
  fieldValue,
  type Marshalling,
  OUT_OF_RANGE,
  objectField,
} from '../../model/architectures/microdrivers/marshalling.js';
import { type Outside, processIsolation } from '../../model/architectures/microdrivers/outside.js';
import type { Storm } from '../../model/architectures/microdrivers/storm.js';
import {
  bothRun,
  freeObject,
  freePointer,
  insertPair,
  makeObject,
  makeUserObject,
  objectKind,
  SMALL,
  type Tracker,
  touchPair,
} from '../../model/architectures/microdrivers/trackerState.js';
import { blockedBy, module, OK, operationOn, sort } from '../../model/kernel/index.js';
import { ALLOCATION, charge } from '../../model/ledger.js';

type None = Record<never, never>;

const onMarshalling = operationOn<Marshalling & Outside>();

/** Where a wild write outside the process goes. */
export const outsideTarget = sort('target', { members: ['the kernel', 'another process'] });

/** F1: the user half writes anything into its own copy of a field, at any time. */
export const wildWriteInside = onMarshalling('fault.wildInside', {
  agent: 'user half',
  says: 'writes wildly in its own memory: {field} becomes {value}',
  fault: 'F1',
  input: { field: objectField, value: fieldValue },
  where: {
    agent: (m) => m.crossing.phase[0] === ABROAD,
    value: (m, op) => op.value !== m.userCopy.value[op.field],
  },
  touches: (m, op, may) => may.write(m.userCopy, op.field),
  steps: {
    write: (m, op) => {
      m.userCopy.value[op.field] = op.value;
    },
  },
});

/** F1: it writes outside its process. */
export const wildWriteOutside = onMarshalling('fault.wildOutside', {
  agent: 'user half',
  says: 'writes to memory of {target}',
  fault: 'F1',
  input: { target: outsideTarget },
  touches: (m, _op, may) => may.write(m.outside),
  steps: {
    'translate and write': (m, op) => {
      if (m.on(processIsolation)) return blockedBy(processIsolation);
      if (op.target === 0) m.outside.kernelWritten[0] = 1;
      else m.outside.processWritten[0] = 1;
      return OK;
    },
  },
});

/** F5: what it returns is well formed and makes no sense. */
export const returnsNonsense = onMarshalling('fault.nonsense', {
  agent: 'user half',
  says: 'sets the limit out of range',
  fault: 'F5',
  where: { agent: (m) => m.crossing.phase[0] === ABROAD },
  touches: (m, _op, may) => may.writeAll(m.userCopy),
  steps: {
    write: (m) => {
      m.userCopy.value[1] = OUT_OF_RANGE;
    },
  },
});

/** F6: another thread of the process changes the user half's copy while the kernel half is at work. */
export const changesLater = onMarshalling('fault.changesLater', {
  agent: 'user half',
  says: 'changes its copy of {field} to {value} behind the call',
  fault: 'F6',
  input: { field: objectField, value: fieldValue },
  where: {
    agent: (m) => m.crossing.phase[0] !== ABROAD,
    value: (m, op) => op.value !== m.userCopy.value[op.field],
  },
  touches: (m, op, may) => may.write(m.userCopy, op.field),
  steps: {
    write: (m, op) => {
      m.userCopy.value[op.field] = op.value;
    },
  },
});

export const marshallingFaults = module<Marshalling & Outside, None>('wrong user half', {
  tables: {},
  operations: [wildWriteInside, wildWriteOutside, returnsNonsense, changesLater],
});

const onTracker = operationOn<Tracker>();

/** F12: the user half returns a pointer at which nothing is: a miss, and a kernel allocation for each. */
export const unknownPointer = onTracker('fault.unknownPointer', {
  agent: 'user half',
  says: 'returns a pointer of kind {kind} that nobody knows',
  source: 'D4: a miss allocates a zeroed kernel object; an allocation that fails is a panic',
  fault: 'F12',
  input: { kind: objectKind },
  where: { agent: (m) => bothRun(m) && freePointer(m) >= 0 },
  touches: (m, _op, may) => {
    touchPair(m, may, freeObject(m), freePointer(m));
    may.write(m.runtime);
  },
  steps: {
    'allocate on the miss': (m, op) => {
      charge(m, ALLOCATION);
      const k = freeObject(m);
      if (k < 0) {
        m.runtime.panicked[0] = 1;
        return;
      }
      const u = freePointer(m);
      makeObject(m, k, op.kind, SMALL);
      // As far as the tracker can know, there is such an object.
      makeUserObject(m, u, op.kind, SMALL);
      insertPair(m, k, u, op.kind, SMALL);
    },
  },
});

/** F5: a size above the tracker's fixed bound. */
export const sizeAboveBound = onTracker('fault.sizeAboveBound', {
  agent: 'user half',
  says: 'returns an array whose size is above the bound',
  source: 'D4: the tracker panics on a size above a fixed bound',
  fault: 'F5',
  where: { agent: bothRun },
  touches: (m, _op, may) => may.write(m.runtime),
  steps: {
    'check the size': (m) => {
      m.runtime.panicked[0] = 1;
    },
  },
});

/** F10: the process dies, and with it everything at its addresses. The tracker is not told. */
export const trackedHalfDies = onTracker('fault.userHalfDies', {
  agent: 'user half',
  says: 'dies',
  fault: 'F10',
  where: { agent: bothRun },
  touches: (m, _op, may) => {
    may.write(m.runtime);
    may.writeAll(m.userObject);
  },
  steps: {
    die: (m) => {
      m.runtime.userHalf[0] = 1;
      m.userObject.live.fill(0);
      m.userObject.kind.fill(0);
      m.userObject.size.fill(0);
    },
  },
});

export const trackerFaults = module<Tracker, None>('wrong pointers', {
  tables: {},
  operations: [unknownPointer, sizeAboveBound, trackedHalfDies],
});

const onLocks = operationOn<Combolock>();

/** F10: the process dies, whatever it holds. */
export const holderDies = onLocks('fault.holderDies', {
  agent: 'user half',
  says: 'dies',
  fault: 'F10',
  where: { agent: (m) => m.process.state[0] !== GONE },
  touches: (m, _op, may) => may.write(m.process),
  steps: {
    die: (m) => {
      m.process.state[0] = GONE;
    },
  },
});

/** F11: it hangs, whatever it holds. */
export const holderHangs = onLocks('fault.holderHangs', {
  agent: 'user half',
  says: 'hangs',
  fault: 'F11',
  where: { agent: (m) => m.process.state[0] === ALIVE },
  touches: (m, _op, may) => may.write(m.process),
  steps: {
    hang: (m) => {
      m.process.state[0] = HANGS;
    },
  },
});

export const lockFaults = module<Combolock, None>('dead holder', { tables: {}, operations: [holderDies] });

/** Apart, because the design does not notice. */
export const lockHang = module<Combolock, None>('silent holder', { tables: {}, operations: [holderHangs] });

const onStorm = operationOn<Storm>();

/** F9: the device interrupts although it was asked for nothing. */
export const raisesAgain = onStorm('fault.storm', {
  agent: 'device',
  says: 'raises its line again, for nothing',
  fault: 'F9',
  atomic: true,
  where: { agent: (m) => m.deviceLine.raised[0] === 0 },
  touches: (m, _op, may) => may.write(m.deviceLine),
  steps: {
    raise: (m) => {
      m.deviceLine.raised[0] = 1;
    },
  },
});

export const stormFaults = module<Storm, None>('storm', { tables: {}, operations: [raisesAgain] });

const onKernelHalf = operationOn<KernelHalf & Outside>();

/** F1: the kernel half writes anywhere: no gate is between it and the kernel, or any process. */
export const kernelWildWrite = onKernelHalf('fault.kernelWildWrite', {
  agent: 'kernel half',
  says: 'writes wildly to memory of {target}',
  fault: 'F1',
  input: { target: outsideTarget },
  touches: (m, _op, may) => may.write(m.outside),
  steps: {
    write: (m, op) => {
      if (op.target === 0) m.outside.kernelWritten[0] = 1;
      else m.outside.processWritten[0] = 1;
    },
  },
});

/** F10: it follows a bad pointer. */
export const kernelCrash = onKernelHalf('fault.kernelCrash', {
  agent: 'kernel half',
  says: 'follows a bad pointer',
  fault: 'F10',
  where: { agent: (m) => m.system.kernel[0] === KERNEL_RUNS },
  touches: (m, _op, may) => may.write(m.system),
  steps: {
    panic: (m) => {
      m.system.kernel[0] = PANICKED;
    },
  },
});

/** F11: it loops with a spin lock held. */
export const kernelHang = onKernelHalf('fault.kernelHang', {
  agent: 'kernel half',
  says: 'loops with the spin lock held',
  fault: 'F11',
  where: { agent: (m) => m.system.kernel[0] === KERNEL_RUNS },
  touches: (m, _op, may) => may.write(m.system),
  steps: {
    loop: (m) => {
      m.system.kernel[0] = SPINS;
    },
  },
});

export const kernelHalfFaults = module<KernelHalf & Outside, None>('wrong kernel half', {
  tables: {},
  operations: [kernelWildWrite, kernelCrash, kernelHang],
});
