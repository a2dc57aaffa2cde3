/**
 * Death and return of a DD/OS beneath the time-multiplexed IO-MMU (V6, V7): its devices leave the bus and lose what they were to get in
 * their next slice, DMA in flight is waited for, its table is emptied, the client's pages are unpinned, its own are free, and it is booted
 * again as a new instance, which has to ask for the bus.
 * Source: LeVasseur et al. 2004, V7 (the virtual machine is rebooted), in the order of V6: off the bus, drain, unmap, unpin. What the
 * patches do with the devices of a dead space is nowhere said.
 * Must keep: DD-S2 to DD-S5 over deaths; nothing of a dead instance is reachable or accounted; no two live owners of a device; the other
 * DD/OS has its slice, its memory and the bus; DD-L1.
 */

import { frame, isFree, putPage } from '../../frames.js';
import { AGAIN, module, NONE, OK, operationOn } from '../../kernel/index.js';
import { ALLOCATION, charge, hypercall, UNMAPPING } from '../../ledger.js';
import { mapHook } from './muxMemory.js';
import { drainSpace } from './muxSlices.js';
import {
  ABSENT,
  domainOfSpace,
  flushGart,
  HUNG,
  LENT,
  type Mux,
  NEVER_LENT,
  NO_LONGER_LENT,
  REVOKED,
  RUNNING,
  STOPPED,
  space,
} from './muxState.js';
import { hangDetection, oneOwner, quiesceDead, reclaimDead } from './restartState.js';

const operation = operationOn<Mux>();

/** A DD/OS may still be booted again: only then does it fail, so that what must recover can. */
export const canReturn = (m: Mux, s: number): boolean => m.space.spare[s] > 0;

/** The hypervisor is in the middle of nothing else: one processor. */
const isFreeToAct = (m: Mux): boolean => !m.isBusy('hypervisor');

/** A DD/OS that does not answer is stopped: the operator's, or a watchdog's, doing. */
export const stopHungSpace = operation('monitor.stopSpace', {
  agent: 'hypervisor',
  says: 'stops the hung {space}',
  source: 'LeVasseur et al. 2004, V7',
  input: { space },
  where: { agent: isFreeToAct, space: (m, op) => m.on(hangDetection) && m.space.life[op.space] === HUNG },
  touches: (m, op, may) => may.write(m.space, op.space),
  steps: {
    stop: (m, op) => {
      m.space.life[op.space] = STOPPED;
    },
  },
});

/** Devices of a stopped DD/OS leave the bus for good: what they wait for does not come, and the space has no turn. */
export const revokeBus = operation('monitor.revokeBus', {
  agent: 'hypervisor',
  says: 'takes the devices of the stopped {space} off the bus',
  source: 'LeVasseur et al. 2004, V6 and V7',
  input: { space },
  where: { agent: isFreeToAct, space: (m, op) => m.space.life[op.space] === STOPPED },
  touches: (m, op, may) => {
    may.write(m.space, op.space);
    may.writeAll(m.master);
  },
  steps: {
    // A call that the DD/OS made is the monitor's work, and goes on without it: it may yet switch a device on.
    'finish its calls': (m, op) => (m.isBusy(op.space) ? AGAIN : OK),
    'void what is deferred': (m, op) => {
      for (let v = 0; v < m.master.rows; v++) if (m.master.home[v] === op.space) m.master.wanted[v] = 0;
    },
    'bus masters off': (m, op) => {
      for (let v = 0; v < m.master.rows; v++) if (m.master.home[v] === op.space) m.master.bus[v] = 0;
    },
    'drop its slice': (m, op) => {
      m.space.slice[op.space] = 0;
    },
    'note it': (m, op) => {
      m.space.life[op.space] = REVOKED;
    },
  },
});

/** The monitor takes back what the dead DD/OS had, when its devices do nothing any more. */
export const takeBackSpace = operation('monitor.takeBack', {
  agent: 'hypervisor',
  says: 'takes back what the dead {space} had',
  source: 'LeVasseur et al. 2004, V7; order as in V6: off the bus, drain, unmap, unpin',
  input: { space },
  where: { agent: isFreeToAct, space: (m, op) => m.space.life[op.space] === REVOKED },
  touches: (m, op, may) => {
    may.write(m.space, op.space);
    may.writeAll(m.frame);
    may.writeAll(m.master);
    may.writeAll(m.flight);
    may.writeAll(m.gart);
    for (let f = 0; f < m.frame.rows; f++) may.write(m.io, m.io.at(op.space, f));
  },
  steps: {
    'wait for drain': (m, op) => (m.on(quiesceDead) ? drainSpace(m, op.space) : OK),
    'empty its table': (m, op) => {
      if (!m.on(reclaimDead)) return;
      for (let f = 0; f < m.frame.rows; f++) {
        const row = m.io.at(op.space, f);
        if (m.io.entry[row] === 1) charge(m, UNMAPPING);
        m.io.entry[row] = 0;
      }
    },
    'invalidate GART': (m) => {
      if (m.on(reclaimDead)) flushGart(m);
    },
    'unpin what was lent': (m, op) => {
      for (let f = 0; f < m.frame.rows; f++) {
        const row = m.io.at(op.space, f);
        if (m.io.lent[row] !== LENT) continue;
        m.io.lent[row] = NO_LONGER_LENT;
        putPage(m, f);
      }
    },
    'free its memory': (m, op) => {
      for (let f = 0; f < m.frame.rows; f++) {
        if (m.frame.owner[f] !== domainOfSpace(op.space)) continue;
        m.io.lent[m.io.at(op.space, f)] = NO_LONGER_LENT;
        putPage(m, f);
      }
    },
    'forget it': (m, op) => {
      for (let v = 0; v < m.master.rows; v++) if (m.master.home[v] === op.space) m.master.table[v] = NONE;
      m.space.life[op.space] = ABSENT;
    },
  },
});

/** The virtual machine is booted again: memory, its devices registered for its table and off the bus, its slice. */
export const rebootSpace = operation('monitor.reboot', {
  agent: 'hypervisor',
  says: 'boots {space} again, in {frame}',
  source: 'LeVasseur et al. 2004, V7; V6 AddSpace, Attach',
  input: { space, frame },
  where: {
    agent: isFreeToAct,
    space: (m, op) => isGone(m, op.space) && canReturn(m, op.space),
    frame: (m, op) => isFree(m, op.frame),
  },
  touches: (m, op, may) => {
    may.write(m.space, op.space);
    may.write(m.frame, op.frame);
    may.write(m.io, m.io.at(op.space, op.frame));
    may.writeAll(m.master);
    may.writeAll(m.gart);
  },
  steps: {
    'give it memory': (m, op) => {
      hypercall(m);
      charge(m, ALLOCATION);
      m.frame.owner[op.frame] = domainOfSpace(op.space);
      m.frame.allocated[op.frame] = 1;
      m.frame.refs[op.frame] = 1;
      m.io.lent[m.io.at(op.space, op.frame)] = NEVER_LENT;
    },
    'map hook': (m, op) => mapHook(m, op.space, op.frame),
    'register its devices': (m, op) => {
      for (let v = 0; v < m.master.rows; v++) if (m.master.home[v] === op.space) m.master.table[v] = op.space;
    },
    'restore its slice': (m, op) => {
      m.space.slice[op.space] = m.space.share[op.space];
    },
    run: (m, op) => {
      m.space.generation[op.space]++;
      m.space.spare[op.space]--;
      m.space.life[op.space] = RUNNING;
    },
  },
});

/** Whether the DD/OS may be booted: nothing of the instance before it is left. */
function isGone(m: Mux, s: number): boolean {
  return m.space.life[s] === ABSENT || (m.space.life[s] === STOPPED && !m.on(oneOwner));
}

export const muxRestart = module<Mux, Record<never, never>>('death and return of a DD/OS', {
  tables: {},
  operations: [stopHungSpace, revokeBus, takeBackSpace, rebootSpace],
  map: (m) =>
    [...m.space.life].map(
      (life, s) =>
        `space ${s}: ${['absent', 'running', 'hung', 'stopped', 'off the bus'][life]}, instance ${m.space.generation[s]}`,
    ),
});
