/**
 * Mutants of a microdriver: what its runtime, its stubs or its locks forget, each of which must be found. Attacks: microdrivers.ts.
 */
import { mutant } from '../../drivers/suite.js';
import {
  breakLock,
  kernelUnlock,
  SPIN_MODE,
  USER,
  userAsks,
  userTakes,
  userUnlock,
} from '../../model/architectures/microdrivers/combolock.js';
import { handleInterrupt, submitRequest } from '../../model/architectures/microdrivers/dataPath.js';
import { type KernelHalf, PANICKED } from '../../model/architectures/microdrivers/kernelHalf.js';
import {
  demarshalReply,
  LIMIT,
  marshalCall,
  marshalReply,
  PRIVATE,
  STATUS,
} from '../../model/architectures/microdrivers/marshalling.js';
import {
  CONFIGURE,
  carries,
  decide,
  decideAll,
  HANDLER,
  IN_KERNEL,
  IN_USER,
  propagate,
  type Split,
  UNDECIDED,
} from '../../model/architectures/microdrivers/split.js';
import { FAIR_ROW, handleLine } from '../../model/architectures/microdrivers/storm.js';
import {
  bringDown,
  freeKernelObject,
  freeUser,
  passUp,
  resizeUserObject,
} from '../../model/architectures/microdrivers/tracker.js';
import { acquire, callUp, clearAway, reply, takeCall, takeReply } from '../../model/architectures/microdrivers/xpc.js';
import {
  CALL_UP,
  depthOf,
  PARKED,
  REPLY_UP,
  send,
  taken,
  WANTS,
  type Xpc,
} from '../../model/architectures/microdrivers/xpcState.js';
import { drop, guardWith, NONE, omit, replace } from '../../model/kernel/index.js';
import { crossCall, LOCK } from '../../model/ledger.js';

const PAPER = 'Ganapathy et al., ASPLOS 2008';

export const noRecursiveLock = mutant('MD-no-lock', {
  says: 'a second kernel thread crosses although the lock is held',
  source: `${PAPER}, D2`,
  edits: [guardWith(acquire, 'agent', (m, op) => m.caller.state[op.agent] === WANTS)],
});

export const lockNotRecursive = mutant('MD-lock-not-recursive', {
  says: 'a nested call up does not count on the lock, and its return frees it',
  source: `${PAPER}, D2`,
  edits: [omit(callUp, 'take the lock again')],
});

export const repliesOutOfOrder = mutant('MD-nesting', {
  says: 'a reply goes to the oldest call, not to the newest',
  source: `${PAPER}, D2: nesting is last in, first out`,
  edits: [
    replace(reply, 'marshal and send', (m) => {
      send(m, REPLY_UP, 0);
      m.userHalf.state[0] = PARKED;
    }),
  ],
});

export const nestedCallNotTaken = mutant('MD-nested-call-not-taken', {
  says: 'the user thread that waits in a call down takes no call up',
  source: `${PAPER}, D2: wake parked user thread`,
  edits: [
    guardWith(takeCall, 'agent', (m) => {
      return m.userHalf.state[0] === PARKED && m.message.kind[0] === CALL_UP && depthOf(m) === 1;
    }),
  ],
});

export const callersNotTold = mutant('MD-callers-not-told', {
  says: 'after a crash the calls are ended and the callers not woken',
  source: `${PAPER}, D6`,
  edits: [omit(clearAway, 'tell the callers')],
});

export const driverLockNotBroken = mutant('MD-lock-not-broken', {
  says: 'after a crash the lock of the driver stays with the call that was ended',
  source: `${PAPER}, D6`,
  edits: [omit(clearAway, 'break the lock')],
});

export const crashNotNoticed = mutant('MD-crash-not-noticed', {
  says: 'nothing is cleared away after a crash, as the papers leave it',
  source: `${PAPER}, D6: recovery is out of the implemented scope`,
  edits: [drop(clearAway)],
});

export const crashIsPanic = mutant('MD-crash-is-panic', {
  says: 'the death of the user half is an unexpected state, and the runtime panics as the tracker does',
  source: `${PAPER}, D4 and D6`,
  edits: [
    replace(clearAway, 'drop the message', (m: Xpc & { readonly system?: KernelHalf['system'] }) => {
      taken(m);
      if (m.system) m.system.kernel[0] = PANICKED;
    }),
  ],
});

export const lockKeptOnReturn = mutant('MD-lock-kept', {
  says: 'the lock is not released when a call returns',
  source: `${PAPER}, D2`,
  edits: [omit(takeReply, 'release the lock once')],
});

export const fieldLeftOutUp = mutant('MD-field-left-out', {
  says: 'the limit is not marshalled into the call',
  source: `${PAPER}, D3: fields that the callee may transitively access`,
  edits: [
    replace(marshalCall, 'copy in', (m) => {
      m.carried.value[STATUS] = m.kernelCopy.value[STATUS];
    }),
  ],
});

export const fieldLeftOutDown = mutant('MD-field-not-copied-out', {
  says: 'the limit is not copied out at the return',
  source: `${PAPER}, D3: read and write sets merged`,
  edits: [
    replace(marshalReply, 'copy out', (m) => {
      m.carried.value[STATUS] = m.userCopy.value[STATUS];
    }),
  ],
});

export const wholeStructure = mutant('MD-whole-structure', {
  says: 'a return brings the whole structure back, fields that were never sent included',
  source: `${PAPER}, D3`,
  edits: [
    replace(demarshalReply, 'copy in from the message', (m) => {
      m.kernelCopy.value[STATUS] = m.carried.value[STATUS];
      m.kernelCopy.value[LIMIT] = m.carried.value[LIMIT];
      m.kernelCopy.value[PRIVATE] = m.userCopy.value[PRIVATE];
    }),
  ],
});

/** Mutant 17 of the catalogue. */
export const entrySurvivesFree = mutant('MD-17 entry survives free', {
  says: 'the kernel half frees an object and the tracker keeps its entry for the user half’s pointer',
  source: `${PAPER}, D4: free removes both directions, before either address is used again`,
  edits: [omit(freeKernelObject, 'drop the entry for the user address')],
});

export const kernelEntrySurvives = mutant('MD-17 entry survives free in user half', {
  says: 'the user half frees an object and the tracker keeps the entry for the kernel’s address',
  source: `${PAPER}, D4`,
  edits: [omit(freeUser, 'drop the entry for the kernel address')],
});

export const staleSizeUp = mutant('MD-stale-size', {
  says: 'the user half reallocates an array and its size is not recorded',
  source: `${PAPER}, D4`,
  edits: [omit(resizeUserObject, 'record the size')],
});

export const noRealloc = mutant('MD-no-reallocation', {
  says: 'a return with another size is copied into the kernel’s object as it is',
  source: `${PAPER}, D4: AllocArrayK`,
  edits: [omit(bringDown, 'reallocate when the sizes differ')],
});

export const noReallocUp = mutant('MD-no-reallocation in user half', {
  says: 'a call with another size is copied into the user half’s object as it is',
  source: `${PAPER}, D4`,
  edits: [omit(passUp, 'reallocate the copy when the sizes differ')],
});

/** Mutant 18 of the catalogue: the line is not masked, and its handler takes the lock in semaphore mode. */
export const interruptNotDisabled = mutant('MD-18 interrupt not disabled', {
  says: 'the user half takes the lock without masking the line whose handler takes it too',
  source: `${PAPER}, D5`,
  edits: [omit(userAsks, 'disable the interrupt')],
});

/** Mutant 18, on the data path. */
export const pathSleeps = mutant('MD-18 data path sleeps', {
  says: 'the data path takes the lock in semaphore mode',
  source: `${PAPER}, D5`,
  edits: [guardWith(submitRequest, 'agent', (m) => m.combolock.spin[0] === NONE)],
});

export const interruptsLeftOn = mutant('MD-interrupts-on', {
  says: 'a kernel thread holds the spin lock with interrupts on',
  source: `${PAPER}, D5; the usual rule of spin locks that handlers take`,
  edits: [guardWith(handleInterrupt, 'agent', (m) => m.interrupt.raised[0] === 1 && m.interrupt.masked[0] === 0)],
});

export const modeTooSoon = mutant('MD-mode-too-soon', {
  says: 'the lock spins again although a kernel thread waits on the semaphore',
  source: `${PAPER}, D5, read literally: spin mode when no user holder or waiter is left`,
  edits: [
    replace(userUnlock, 'back to spinning', (m) => {
      m.combolock.mode[0] = SPIN_MODE;
      m.interrupt.masked[0] = 0;
    }),
  ],
});

export const modeKept = mutant('MD-mode-kept', {
  says: 'the last kernel thread to hold the semaphore leaves the mode and the line as they are',
  source: `${PAPER}, D5`,
  edits: [
    replace(kernelUnlock, 'back to spinning', (m, op) => {
      m.context.state[op.agent] = 0;
    }),
  ],
});

export const notPublished = mutant('MD-not-published', {
  says: 'the user half releases the lock and its writes are not copied down',
  source: `${PAPER}, D5`,
  edits: [omit(userUnlock, 'copy the shared data down')],
});

export const notCopiedUp = mutant('MD-not-copied-up', {
  says: 'the user half takes the lock and has old data',
  source: `${PAPER}, D5`,
  edits: [omit(userTakes, 'copy the shared data up')],
});

export const modeIgnored = mutant('MD-mode-ignored', {
  says: 'the user half takes the semaphore without turning the mode',
  source: `${PAPER}, D5`,
  edits: [
    guardWith(userTakes, 'agent', (m) => {
      return m.process.state[0] === 0 && m.context.state[USER] === 1 && m.combolock.semaphore[0] === NONE;
    }),
  ],
});

export const comboNotBroken = mutant('MD-combolock-not-broken', {
  says: 'the lock of a dead user half is not broken',
  source: `${PAPER}, D6`,
  edits: [drop(breakLock)],
});

export const lineNotReopened = mutant('MD-line-not-reopened', {
  says: 'the lock of a dead user half is broken and the line stays masked',
  source: `${PAPER}, D6`,
  edits: [omit(breakLock, 'back to spinning')],
});

export const unpublishedKept = mutant('MD-unpublished-kept', {
  says: 'the lock of a dead user half is broken, and what it had not published counts as written',
  source: `${PAPER}, D6`,
  edits: [omit(breakLock, 'forget what it wrote')],
});

export const answeredAgain = mutant('MD-not-retired', {
  says: 'the handler answers a request and leaves it on the list',
  source: `${PAPER}, the data path`,
  edits: [omit(handleInterrupt, 'retire')],
});

export const bufferStaysMapped = mutant('MD-buffer-stays-mapped', {
  says: 'the handler answers a request whose buffer is still mapped for the device',
  source: `${PAPER}, the data path, with an IOMMU`,
  edits: [omit(handleInterrupt, 'unmap the buffers')],
});

export const pathCrosses = mutant('MD-path-crosses', {
  says: 'submission calls the user half',
  source: `${PAPER}, D1: performance-critical roots stay in the kernel`,
  edits: [
    replace(submitRequest, 'take the lock', (m) => {
      m.charge(LOCK);
      crossCall(m);
    }),
  ],
});

export const lineStaysRaised = mutant('MD-line-stays-raised', {
  says: 'the handler does not lower the line that it serves',
  source: `${PAPER}, interrupts`,
  edits: [
    replace(handleLine, 'handle', (m) => {
      if (m.processor.inARow[0] <= FAIR_ROW) m.processor.inARow[0]++;
    }),
  ],
});

export const tooSoon = mutant('MD-no-fixpoint', {
  says: 'functions are decided before the labels have come to rest',
  source: `${PAPER}, D1: to a fixpoint`,
  edits: [guardWith(decideAll, 'agent', (m) => m.functions.half[HANDLER] === UNDECIDED)],
});

/** Whether a root has labels to give. */
function rootsCarry(m: Split): boolean {
  for (let from = HANDLER; from <= CONFIGURE; from++) {
    for (let to = 0; to < m.functions.rows; to++) if (carries(m, from, to)) return true;
  }
  return false;
}

export const oneLevel = mutant('MD-one-level', {
  says: 'labels are carried from roots to what they call, and no further',
  source: `${PAPER}, D1: what is reachable, not only what is called`,
  edits: [
    guardWith(propagate, 'from', (_m, op) => op.from <= CONFIGURE),
    guardWith(decideAll, 'agent', (m) => m.functions.half[HANDLER] === UNDECIDED && !rootsCarry(m)),
  ],
});

export const bothToUser = mutant('MD-both-to-user', {
  says: 'a function with both labels goes to the user half',
  source: `${PAPER}, D1: several labels, the kernel half`,
  edits: [
    replace(decideAll, 'decide', (m) => {
      for (let f = 0; f < m.functions.rows; f++) {
        const half = decide(m.functions.hasBody[f] === 1, m.functions.labels[f]);
        m.functions.half[f] = half === IN_KERNEL && m.functions.labels[f] === 3 ? IN_USER : half;
      }
    }),
  ],
});
