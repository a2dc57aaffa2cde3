/** Where frames go when a driver domain or a guest dies, and where new ones come from (M8, for reception). */
import { DYING } from '../../domains.js';
import { frame, isFree, putPage, touchFrame } from '../../frames.js';
import { NONE, operationOn } from '../../kernel/index.js';
import { DRIVER, guest, guestDomain, guestRuns, ioMap, own, serves, stillReached } from './netState.js';
import { forgetFrame, ownedBy, type Receive, SPARE } from './receiveState.js';

const operation = operationOn<Receive>();

/** A frame of a dead domain goes back to the heap, when it is out of everybody's reach. */
export const relinquish = operation('rx.relinquish', {
  agent: 'vmm',
  says: 'takes {frame} back from its dying owner',
  source: 'xen/arch/x86/domain.c, relinquish_memory',
  input: { frame },
  where: {
    frame: (m, op) =>
      m.frame.owner[op.frame] !== NONE &&
      m.domain.life[m.frame.owner[op.frame]] === DYING &&
      m.rxFrame.second[op.frame] === 0 &&
      !stillReached(m, op.frame),
  },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.rxFrame, op.frame);
  },
  atomic: true,
  steps: {
    'forget its packet': (m, op) => {
      m.rxFrame.stage[op.frame] = SPARE;
      m.rxFrame.packet[op.frame] = NONE;
    },
    'free it': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

/** A new driver domain gets its frames from the heap. */
export const refill = operation('rx.refill', {
  agent: 'driver domain',
  says: 'is given {frame} for packets',
  source: 'xen/common/memory.c, increase_reservation',
  input: { frame },
  where: {
    frame: (m, op) => serves(m) && isFree(m, op.frame) && ownedBy(m, DRIVER) === 0,
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.reach, op.frame);
  },
  steps: {
    'take it': (m, op) => own(m, op.frame, DRIVER),
    'map it': (m, op) => {
      m.reach.entry[op.frame] = 1;
      m.reach.tlb[op.frame] = 1;
      ioMap(m, op.frame);
    },
  },
});

/** A guest whose connection is gone gets its frames back from the heap, and asks for nothing. */
export const regain = operation('rx.regain', {
  agent: guest,
  says: 'is given {frame} back',
  source: 'M8: net, buffers are posted again after the restart',
  input: { frame },
  where: {
    agent: (m, op) =>
      guestRuns(m, op.agent) && ownedBy(m, guestDomain(op.agent)) + m.rx.credits[op.agent] < m.rx.reservation[op.agent],
    frame: (m, op) => isFree(m, op.frame),
  },
  touches: (m, op, may) => may.write(m.frame, op.frame),
  steps: { 'take it': (m, op) => own(m, op.frame, guestDomain(op.agent)) },
});

/** The VMM drops a second mapping that a dead driver domain had of a frame of its own. */
export const dropSecond = operation('rx.dropSecond', {
  agent: 'vmm',
  says: 'drops the second mapping of {frame} in the dead driver domain',
  source: 'xen/arch/x86/domain.c, relinquish_memory',
  input: { frame },
  where: { frame: (m, op) => m.domain.life[DRIVER] === DYING && m.rxFrame.second[op.frame] === 1 },
  touches: (m, op, may) => {
    touchFrame(m, may, op.frame);
    may.write(m.rxFrame, op.frame);
  },
  atomic: true,
  steps: {
    'drop it': (m, op) => {
      m.rxFrame.second[op.frame] = 0;
      putPage(m, op.frame);
    },
  },
});

/** What the driver domain knew of its frames is lost with it. A frame that it gave away stays what it is: its guest has not heard of it. */
export function forgetPackets(m: Receive): void {
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === DRIVER) forgetFrame(m, f);
}

/** A guest discards what was outstanding: frames that it had got without hearing of it are now its own. */
export function discardReceive(m: Receive, g: number): void {
  m.rx.credits[g] = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === guestDomain(g)) forgetFrame(m, f);
}
