/**
 * Ways to put on the data path of each architecture what its "fast path" rules out, as edits: a control message, an allocation, a copy, a
 * mapping, a call for a register access, a notification more. Each is one charge too many, and nothing else.
 */
import { type Mutant, mutant } from '../../drivers/suite.js';
import {
  answer as answerChannel,
  start as startChannel,
  submit as submitChannel,
} from '../../model/architectures/driverReuse/channel.js';
import { issue as issueMux } from '../../model/architectures/driverReuse/muxMemory.js';
import { deliver } from '../../model/architectures/driverReuse/receive.js';
import { completeRequest, handleInterrupt } from '../../model/architectures/microdrivers/dataPath.js';
import {
  answer as answerClass,
  submit as submitClass,
  take as takeClass,
} from '../../model/architectures/reconstructingIo/classPath.js';
import { ABOVE, bottom, REQUEST, RESPONSE, waits } from '../../model/architectures/reconstructingIo/classState.js';
import { flip, tell } from '../../model/architectures/safeHardware/receiveDriver.js';
import { filter, respond, transmit } from '../../model/architectures/safeHardware/transmitDriver.js';
import { send } from '../../model/architectures/safeHardware/transmitGuest.js';
import { readIrq } from '../../model/architectures/userLevel/interrupts.js';
import { programDevice } from '../../model/architectures/userLevel/pages.js';
import {
  ANSWERED,
  anotherIs,
  answerRequest,
  issueRequest,
  QUEUED,
  sendRequest,
} from '../../model/architectures/userLevel/service.js';
import { type AnyOperation, type Edit, insertBefore, type Machine, replace } from '../../model/kernel/index.js';
import {
  ALLOCATION,
  CONTROL_MESSAGE,
  COPY,
  charge,
  hypercall,
  MAPPING,
  NOTIFICATION,
  XPC,
} from '../../model/ledger.js';

/** Charges one of the kind before an operation's last step: one charge more than the specification's. */
function oneMore(of: AnyOperation, kind: number): Edit {
  const last = Object.keys(of.steps).at(-1) ?? '';
  return { kind: 'insert', operation: of.name, before: last, step: 'one more', with: (m: Machine) => charge(m, kind) };
}

const more = (name: string, of: AnyOperation, kind: number, says: string, source: string): Mutant =>
  mutant(name, { says, source, edits: [oneMore(of, kind)] });

const SAFE = 'Fraser et al., OASIS 2004; architectures 1d';

export const netAsks = more(
  'a control message for each packet',
  send,
  CONTROL_MESSAGE,
  'the frontend asks the control domain before it sends',
  SAFE,
);
export const netCopies = more(
  'the payload copied',
  filter,
  COPY,
  'the driver domain copies the packet, not its header alone',
  SAFE,
);
export const netBounces = more(
  'a bounce buffer for each packet',
  transmit,
  ALLOCATION,
  'a buffer that the card reaches is allocated for each packet',
  'Linux kernel/dma/swiotlb.c, with a pool that grows',
);
export const netNotifies = mutant('a notification for each packet', {
  says: 'the frontend notifies whatever the event index says',
  source: 'public/io/netif.h: event index',
  edits: [replace(send, 'notify if asked to', (m) => charge(m, NOTIFICATION))],
});
export const netAnswersLoudly = mutant('a notification for each response', {
  says: 'the driver domain notifies whether the guest has been told or not',
  source: 'public/io/netif.h: event index',
  edits: [replace(respond, 'notify', (m) => charge(m, NOTIFICATION))],
});
export const flipCopies = more('the packet copied', flip, COPY, 'the packet is copied as well as flipped', SAFE);
export const flipAllocates = more(
  'two frames for one',
  flip,
  ALLOCATION,
  'a second frame is allocated for each packet given away',
  SAFE,
);
export const receiveLoudly = mutant('a notification for each packet received', {
  says: 'the driver domain notifies whether the guest has been told or not',
  source: 'public/io/netif.h: event index',
  edits: [replace(tell, 'notify', (m) => charge(m, NOTIFICATION))],
});

const CLASS = 'UCAM-CL-TR-596; architectures 2d';

export const classAsks = more(
  'the manager asked for each request',
  submitClass,
  CONTROL_MESSAGE,
  'a client asks the manager before it submits',
  CLASS,
);
export const classNotifies = mutant('a notification for each request', {
  says: 'a client notifies where something waits as well',
  source: CLASS,
  edits: [
    insertBefore(submitClass, 'submit', 'notify all the same', (m) => {
      if (waits(m, ABOVE, REQUEST)) charge(m, NOTIFICATION);
    }),
  ],
});
export const classAnswersLoudly = mutant('a notification for each answer', {
  says: 'a backend notifies where an answer waits as well',
  source: CLASS,
  edits: [
    insertBefore(answerClass, 'unmap and answer', 'notify all the same', (m) => {
      if (waits(m, bottom(m), RESPONSE)) charge(m, NOTIFICATION);
    }),
  ],
});
export const classMapsAlways = more(
  'mapped for each buffer all the same',
  takeClass,
  MAPPING,
  'a backend enters each buffer in the I/O table, though all of its memory is there already',
  CLASS,
);

const MICRO = 'Ganapathy et al. 2008; architectures 3d';

export const pathAsksUserHalf = more(
  'the user half asked for each interrupt',
  handleInterrupt,
  XPC,
  'the handler calls the user half',
  MICRO,
);
export const pathMarshals = more(
  'each buffer marshalled',
  handleInterrupt,
  COPY,
  'the handler copies what it answers for the user half',
  MICRO,
);
export const pathTracks = more(
  'each buffer tracked',
  completeRequest,
  ALLOCATION,
  'an entry of the object tracker is allocated for each request',
  MICRO,
);
export const raisesAlways = mutant('an interrupt for each request', {
  says: 'the device interrupts although its line is raised already',
  source: MICRO,
  edits: [
    replace(completeRequest, 'raise the line', (m) => {
      m.interrupt.raised[0] = 1;
      charge(m, NOTIFICATION);
    }),
  ],
});

const USER = 'Leslie and Heiser 2003; architectures 4d';

export const mapsForEach = more(
  'a mapping for each request',
  issueRequest,
  MAPPING,
  'the driver maps the buffer of each request',
  USER,
);
export const callsForRegisters = mutant('a call for a register', {
  says: 'the driver calls the kernel to write a register of its device',
  source: USER,
  edits: [insertBefore(issueRequest, 'program', 'call the kernel', (m) => hypercall(m))],
});
export const wakesAlways = mutant('a wake-up for each request', {
  says: 'a client calls the kernel to wake the driver, though it is awake',
  source: USER,
  edits: [
    insertBefore(sendRequest, 'queue', 'wake the driver', (m, op) => {
      if (anotherIs(m, op.request, QUEUED)) hypercall(m);
    }),
  ],
});
export const answersAlways = mutant('a wake-up for each answer', {
  says: 'a driver calls the kernel to wake the client, though it is awake',
  source: USER,
  edits: [
    insertBefore(answerRequest, 'answer', 'wake the client', (m, op) => {
      if (anotherIs(m, m.unit.job[op.agent], ANSWERED)) hypercall(m);
    }),
  ],
});
export const programsByCall = mutant('a call for a descriptor', {
  says: 'the driver calls the kernel to put an address into a descriptor',
  source: USER,
  edits: [insertBefore(programDevice, 'write', 'call the kernel', (m) => hypercall(m))],
});
export const readsTwice = mutant('two calls for an interrupt', {
  says: 'the driver calls once to enable its line, and once more to wait',
  source: USER,
  edits: [insertBefore(readIrq, 'enable line', 'call the kernel', (m) => hypercall(m))],
});

const REUSE = 'LeVasseur et al. 2004; architectures 5d';

export const mapsPages = more(
  'a mapping for each request',
  startChannel,
  MAPPING,
  'the server has a page mapped for each request',
  REUSE,
);
export const copiesPages = more(
  'a copy for each request',
  startChannel,
  COPY,
  'the server copies what it sends',
  REUSE,
);
export const signalsAlways = mutant('a signal for each request', {
  says: 'a client signals whatever the status words say',
  source: REUSE,
  edits: [replace(submitChannel, 'signal if the server was not told', (m) => charge(m, NOTIFICATION))],
});
export const answersLoudly = mutant('a signal for each answer', {
  says: 'the server signals whatever the status words say',
  source: REUSE,
  edits: [replace(answerChannel, 'signal if the client was not told', (m) => charge(m, NOTIFICATION))],
});
export const copiesTwice = more(
  'two copies for a packet',
  deliver,
  COPY,
  'the server copies a packet before the hypervisor does',
  REUSE,
);
export const wakesForEach = mutant('a wake-up for each packet', {
  says: 'a client is woken for each packet, though it has some already',
  source: REUSE,
  edits: [
    insertBefore(deliver, 'wake the receiver', 'wake it all the same', (m, op) => {
      if (m.rx.received[op.client] > 0) charge(m, NOTIFICATION);
    }),
  ],
});
export const mapsOnDma = more(
  'the table changed for each DMA',
  issueMux,
  MAPPING,
  'an entry is made when the device starts, not at the page fault',
  REUSE,
);
