/**
 * Memory under the time-multiplexed IO-MMU (V1, V5, V6): client pages are mapped into a DD/OS's space and leave it again, memory changes
 * hands, and DMA is issued, translated and completed.
 * Source: LeVasseur et al. 2004: request_client_pages, MapHook, the pin rule.
 * Must keep: DD-S1, DD-S2 (whatever passes translation, its device's DD/OS may have), DD-S5 (a page under DMA is pinned).
 */
import { frame, getPage, isFree, putPage } from '../../frames.js';
import { device, dmaSlot } from '../../iommu/index.js';
import { AGAIN, module, NONE, OK, operationOn } from '../../kernel/index.js';
import { charge, hypercall, MAPPING, UNMAPPING } from '../../ledger.js';
import { tick, writeCommand } from './muxSlices.js';
import {
  clientDomain,
  domainOfSpace,
  drainBeforeUnpin,
  drainTimeout,
  endFlight,
  flushGart,
  freeFlight,
  HUNG,
  LENT,
  type Mux,
  mayReach,
  muxTables,
  NO_LONGER_LENT,
  passes,
  pins,
  RUNNING,
  rebootReserve,
  resetDevice,
  SERVER,
  space,
  unmapHook,
} from './muxState.js';

const operation = operationOn<Mux>();

/** Error codes of the resource monitor. */
export const MONITOR_ERRORS = { EPERM: -1, EBUSY: -16 } as const;

/** Enters a frame into a space's table, as the hook of every page mapping does. */
export function mapHook(m: Mux, s: number, f: number): void {
  m.io.entry[m.io.at(s, f)] = 1;
  charge(m, MAPPING);
  flushGart(m);
}

/** request_client_pages, of a page of the client that this DD/OS serves: mapped, entered, pinned. */
export const lendPage = operation('monitor.mapClientPage', {
  agent: space,
  says: 'has {frame} of its client mapped',
  source: 'LeVasseur et al. 2004, V1 request_client_pages, V6 MapHook',
  input: { frame },
  errors: MONITOR_ERRORS,
  where: {
    agent: (m, op) => op.agent === SERVER && m.space.life[op.agent] === RUNNING,
    frame: (m, op) => m.frame.owner[op.frame] === clientDomain(m) && m.io.lent[m.io.at(op.agent, op.frame)] !== LENT,
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.io, m.io.at(op.agent, op.frame));
    may.writeAll(m.gart);
  },
  steps: {
    pin: (m, op) => {
      hypercall(m);
      return getPage(m, op.frame, clientDomain(m)) ? OK : MONITOR_ERRORS.EPERM;
    },
    'map it': (m, op) => {
      m.io.lent[m.io.at(op.agent, op.frame)] = LENT;
    },
    'map hook': (m, op) => mapHook(m, op.agent, op.frame),
  },
});

/** Whether a request to the frame by a device of the space is in flight. */
function frameInFlight(m: Mux, s: number, f: number): boolean {
  for (let i = 0; i < m.flight.rows; i++) {
    if (m.flight.frame[i] === f && m.master.home[m.flight.device[i]] === s) return true;
  }
  return false;
}

/** Waits until no request of the space to the frame is in flight; a device that does not complete is reset. */
function drainFrame(m: Mux, s: number, f: number): number {
  for (let i = 0; i < m.flight.rows; i++) {
    const v = m.flight.device[i];
    if (v === NONE || m.flight.frame[i] !== f || m.master.home[v] !== s) continue;
    if (m.master.stuck[v] === 1 && m.on(drainTimeout)) resetDevice(m, v);
  }
  return frameInFlight(m, s, f) ? AGAIN : OK;
}

/** The page leaves the DD/OS's space: out of the table, out of the cache, no DMA under way, and only then unpinned. */
export const unlendPage = operation('monitor.unmapClientPage', {
  agent: 'hypervisor',
  says: 'unmaps {frame} from the DD/OS of its client',
  source: 'LeVasseur et al. 2004, V5 pin rule; the hook on unmap is what the published code lacks',
  input: { frame },
  where: {
    // A page is not taken out of a space while a call of its DD/OS is under way, which may be about that page.
    frame: (m, op) => m.io.lent[m.io.at(SERVER, op.frame)] === LENT && !m.isBusy(SERVER),
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.io, m.io.at(SERVER, op.frame));
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
    may.writeAll(m.gart);
    may.writeAll(m.flight);
    may.writeAll(m.master);
  },
  steps: {
    'unmap hook': (m, op) => {
      if (!m.on(unmapHook)) return;
      m.io.entry[m.io.at(SERVER, op.frame)] = 0;
      charge(m, UNMAPPING);
    },
    'invalidate GART': (m) => {
      if (m.on(unmapHook)) flushGart(m);
    },
    'wait for drain': (m, op) => (m.on(drainBeforeUnpin) ? drainFrame(m, SERVER, op.frame) : OK),
    unpin: (m, op) => {
      m.io.lent[m.io.at(SERVER, op.frame)] = NO_LONGER_LENT;
      putPage(m, op.frame);
    },
  },
});

/** The balloon: the client gives a page back. The monitor refuses pages that are pinned. */
export const reclaimPage = operation('monitor.reclaim', {
  agent: 'monitor',
  says: 'takes {frame} back from the client',
  source: 'LeVasseur et al. 2004, V5 pin rule',
  input: { frame },
  errors: MONITOR_ERRORS,
  where: { frame: (m, op) => m.frame.owner[op.frame] === clientDomain(m) },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.content, m.content.at(op.frame, 0));
    may.write(m.content, m.content.at(op.frame, 1));
  },
  steps: {
    'refuse a pinned page': (m, op) => (m.on(pins) && m.frame.refs[op.frame] > 1 ? MONITOR_ERRORS.EBUSY : OK),
    'take it': (m, op) => {
      m.frame.allocated[op.frame] = 0;
      m.frame.owner[op.frame] = NONE;
      m.frame.refs[op.frame]--;
    },
  },
});

function freeFrames(m: Mux): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (isFree(m, f)) n++;
  return n;
}

/** Pages that are kept: one for each DD/OS that is to be booted again, from when it is stopped. */
function reserved(m: Mux): number {
  if (!m.on(rebootReserve)) return 0;
  let n = 0;
  for (let s = 0; s < m.space.rows; s++) if (m.space.life[s] !== RUNNING && m.space.life[s] !== HUNG) n++;
  return n;
}

/** A free page becomes the second DD/OS's, with an entry in its table. */
export const givePage = operation('monitor.give', {
  agent: 'monitor',
  says: 'gives {frame} to {space}',
  source: 'LeVasseur et al. 2004, V1 request_pages',
  input: { frame, space },
  where: {
    frame: (m, op) => isFree(m, op.frame) && freeFrames(m) > reserved(m),
    space: (m, op) => op.space !== SERVER && m.space.life[op.space] === RUNNING,
  },
  touches: (m, op, may) => {
    may.write(m.frame, op.frame);
    may.write(m.io, m.io.at(op.space, op.frame));
    may.writeAll(m.gart);
  },
  steps: {
    'set owner': (m, op) => {
      m.frame.owner[op.frame] = domainOfSpace(op.space);
      m.frame.allocated[op.frame] = 1;
      m.frame.refs[op.frame] = 1;
    },
    'map hook': (m, op) => mapHook(m, op.space, op.frame),
  },
});

/** A device is told by its DD/OS to use a page that the DD/OS may have, and the table lets it pass. */
export const issue = operation('device.dma', {
  agent: device,
  path: 'translate',
  says: 'starts a DMA to {frame}',
  atomic: true,
  input: { frame },
  where: {
    agent: (m, op) => m.master.bus[op.agent] === 1 && freeFlight(m) >= 0,
    frame: (m, op) => mayReach(m, m.master.home[op.agent], op.frame) && passes(m, op.frame),
  },
  touches: (m, _op, may) => {
    may.readAll(m.master);
    may.readAll(m.io);
    may.readAll(m.gart);
    may.readAll(m.frame);
    may.read(m.northbridge);
    may.writeAll(m.flight);
  },
  steps: { translate: (m, op) => takeFlight(m, op.agent, op.frame) },
});

/** The request has passed translation. */
export function takeFlight(m: Mux, v: number, f: number): void {
  const i = freeFlight(m);
  m.flight.device[i] = v;
  m.flight.frame[i] = f;
  m.flight.of[i] = m.space.generation[m.master.home[v]];
}

/** The request reaches memory. What it writes where it may is not told apart; elsewhere it leaves its mark. */
export const complete = operation('memory.dma', {
  agent: 'memory',
  path: 'complete',
  says: 'takes the effect of {dma}',
  atomic: true,
  input: { dma: dmaSlot },
  where: { dma: (m, op) => m.flight.device[op.dma] !== NONE && m.master.stuck[m.flight.device[op.dma]] === 0 },
  touches: (m, op, may) => {
    may.write(m.flight, op.dma);
    may.write(m.content, m.content.at(m.flight.frame[op.dma], 0));
    may.write(m.content, m.content.at(m.flight.frame[op.dma], 1));
  },
  steps: {
    'take effect': (m, op) => {
      mark(m, m.master.home[m.flight.device[op.dma]], m.flight.frame[op.dma]);
      endFlight(m, op.dma);
    },
  },
});

/** A frame that the space may not have carries its mark from now on. */
export function mark(m: Mux, s: number, f: number): void {
  if (mayReach(m, s, f)) return;
  m.content.writer[m.content.at(f, 0)] = domainOfSpace(s);
  m.content.writer[m.content.at(f, 1)] = domainOfSpace(s);
}

/** The translation cache takes an entry of the active table. */
export const refillGart = operation('gart.refill', {
  agent: 'northbridge',
  says: 'caches the translation of {frame}',
  source: 'AMD K8 northbridge, GART TLB',
  idle: true,
  atomic: true,
  input: { frame },
  where: {
    frame: (m, op) => m.gart.from[op.frame] === NONE && m.io.entry[m.io.at(m.northbridge.current[0], op.frame)] === 1,
  },
  touches: (m, op, may) => {
    may.read(m.northbridge);
    may.readAll(m.io);
    may.write(m.gart, op.frame);
  },
  steps: {
    fill: (m, op) => {
      m.gart.from[op.frame] = m.northbridge.current[0];
    },
  },
});

/** Honest operations. */
export const muxOperations = [
  tick,
  writeCommand,
  lendPage,
  unlendPage,
  reclaimPage,
  givePage,
  issue,
  complete,
  refillGart,
];

/** The time-multiplexed IO-MMU and the memory behind it, without a start state. */
export const mux = module<Mux, typeof muxTables>('time-multiplexed IO-MMU', {
  tables: muxTables,
  operations: muxOperations,
  map: (m) => {
    const lines = [
      `table of space ${m.northbridge.current[0]} active${m.northbridge.switching[0] ? ', switching' : ''}`,
    ];
    for (let v = 0; v < m.master.rows; v++) {
      lines.push(`device ${v}: of space ${m.master.home[v]}, bus master ${m.master.bus[v] ? 'on' : 'off'}`);
    }
    for (let f = 0; f < m.gart.rows; f++) {
      const ways: string[] = [];
      for (let s = 0; s < m.space.rows; s++) if (m.io.entry[m.io.at(s, f)]) ways.push(`entry of space ${s}`);
      if (m.gart.from[f] !== NONE) ways.push(`cached from space ${m.gart.from[f]}`);
      if (m.flight.frame.includes(f)) ways.push('DMA in flight');
      if (ways.length > 0) lines.push(`frame ${f}: ${ways.join(', ')}`);
    }
    return lines;
  },
});
