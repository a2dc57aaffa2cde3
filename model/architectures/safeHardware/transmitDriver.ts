/** What the driver domain does with a request for transmission, stage by stage (M7): copy, check, map, filter, send, unmap, answer. */
import { frame } from '../../frames.js';
import { AGAIN, blockedBy, NONE, OK, operationOn } from '../../kernel/index.js';
import { COPY, charge, GRANT_MAPPING, GRANT_UNMAPPING, hypercall, NOTIFICATION } from '../../ledger.js';
import { following, indexMask } from '../../ring.js';
import {
  CHANGING,
  CONNECTED,
  cardReaches,
  flushBeforeResponse,
  flushTlb,
  foreignCheck,
  guest,
  guestDomain,
  HONEST,
  headerCopy,
  ioMap,
  ioUnmap,
  serves,
  sizeTest,
  startDma,
  stopCard,
  touchReach,
} from './netState.js';
import {
  ANSWER,
  AWAKE,
  CHECKED,
  clearWork,
  FILTERED,
  facesHostile,
  header,
  inStage,
  MAPPED,
  NOTHING,
  packetSize,
  RESPONSE,
  SENDING,
  SENT,
  slotAt,
  slots,
  type Transmit,
  touchWork,
} from './transmitState.js';

const operation = operationOn<Transmit>();

/** Copies a descriptor out of the ring, and checks the copy. */
export const take = operation('net.take', {
  agent: 'driver domain',
  path: 'submit',
  says: 'takes a descriptor of {guest}',
  source: 'Xen 2.0 netback, net_tx_action: memcpy of the request, then the tests',
  input: { guest },
  locals: ['work', 'slot'],
  where: {
    guest: (m, op) =>
      serves(m) &&
      m.link.state[op.guest] === CONNECTED &&
      m.txRing.backend[op.guest] === AWAKE &&
      inStage(m, NOTHING) !== NONE &&
      (m.link.hostile[op.guest] !== HONEST || m.txRing.prod[op.guest] !== m.txRing.cons[op.guest]),
  },
  touches: (m, op, may) => {
    may.write(m.txRing, op.guest);
    touchWork(m, may);
  },
  onFailure: 'safe',
  steps: {
    'copy the descriptor': (m, op) => {
      const hostile = m.link.hostile[op.guest] !== HONEST;
      op.work = inStage(m, NOTHING);
      op.slot = m.txSlot.at(op.guest, slotAt(m, m.txRing.cons[op.guest]));
      m.txRing.cons[op.guest] = following(m.txRing.cons[op.guest], indexMask(m));
      m.txWork.stage[op.work] = CHECKED;
      m.txWork.guest[op.work] = op.guest;
      m.txWork.slot[op.work] = op.slot;
      m.txWork.frame[op.work] = hostile ? m.choose(frame, 'frame') : m.txSlot.frame[op.slot];
      m.txWork.size[op.work] = hostile ? m.choose(packetSize, 'size') : 0;
    },
    'check the size': (m, op) => {
      if (m.txWork.size[op.work] === 0 || !m.on(sizeTest)) return OK;
      m.txWork.stage[op.work] = ANSWER;
      m.txWork.frame[op.work] = NONE;
      m.txWork.size[op.work] = 0;
      return blockedBy(sizeTest);
    },
  },
});

/** Maps the buffers of all checked requests: one multicall. The VMM maps only what the guest of the channel owns. */
export const map = operation('net.map', {
  agent: 'driver domain',
  path: 'submit',
  says: 'maps the buffers that it was given',
  source: 'Xen 2.0 netback, net_tx_action (MULTI_update_va_mapping_otherdomain); xen/arch/x86/mm.c, get_page',
  locals: ['bad'],
  where: { agent: (m) => serves(m) && inStage(m, CHECKED) !== NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    touchReach(m, may);
  },
  onFailure: 'safe',
  steps: {
    'the guest owns the frame': (m, op) => {
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== CHECKED) continue;
        if (m.frame.owner[m.txWork.frame[w]] === guestDomain(m.txWork.guest[w])) continue;
        m.txWork.stage[w] = ANSWER;
        m.txWork.frame[w] = NONE;
        op.bad = 1;
      }
    },
    'map each': (m, op) => {
      hypercall(m);
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== CHECKED) continue;
        m.reach.entry[m.txWork.frame[w]] = 1;
        m.reach.tlb[m.txWork.frame[w]] = 1;
        charge(m, GRANT_MAPPING);
        ioMap(m, m.txWork.frame[w]);
        m.txWork.stage[w] = MAPPED;
      }
      return op.bad === 1 ? blockedBy(foreignCheck) : OK;
    },
  },
});

/** Copies the header into private memory and looks at the copy: from here on the guest can change nothing that matters. */
export const filter = operation('net.filter', {
  agent: 'driver domain',
  path: 'submit',
  says: 'copies a header and filters it',
  source: 'Xen 2.0 netback, net_tx_action: PKT_PROT_LEN bytes, then net_filter; the rest is mapped',
  locals: ['work'],
  where: { agent: (m) => serves(m) && inStage(m, MAPPED) !== NONE },
  touches: (m, _op, may) => touchWork(m, may),
  steps: {
    'copy the header': (m, op) => {
      op.work = inStage(m, MAPPED);
      charge(m, COPY);
      m.txWork.header[op.work] = facesHostile(m, op.work) ? m.choose(header, 'header') : 0;
    },
    'look at it': (m, op) => {
      m.txWork.stage[op.work] = m.txWork.header[op.work] === 0 ? FILTERED : SENT;
      m.txWork.header[op.work] = 0;
    },
  },
});

/** Hands header and buffer to the card. */
export const transmit = operation('net.transmit', {
  agent: 'driver domain',
  path: 'translate',
  says: 'hands a packet to the card',
  source: 'Xen 2.0 netback, dev_queue_xmit',
  locals: ['work'],
  where: { agent: (m) => serves(m) && inStage(m, FILTERED) !== NONE && m.nic.dma[0] === NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    touchReach(m, may);
    may.write(m.wire);
  },
  steps: {
    'write the descriptor of the card': (m, op) => {
      op.work = inStage(m, FILTERED);
      const w = op.work;
      if (!cardReaches(m, m.txWork.frame[w])) return AGAIN;
      m.txWork.stage[w] = SENDING;
      startDma(m, m.txWork.frame[w], 0, m.txWork.guest[w], m.txWork.slot[w]);
      return OK;
    },
    'send the header': (m, op) => {
      if (m.txWork.size[op.work] !== 0) m.wire.beyond[0] = 1;
      if (m.on(headerCopy) || m.link.hostile[m.txWork.guest[op.work]] !== CHANGING) return;
      if (m.choose(header, 'header, read again') === 1) m.wire.spoofed[0] = 1;
    },
  },
});

/** The card has read the buffer. */
export const complete = operation('net.complete', {
  agent: 'card',
  path: 'complete',
  says: 'has sent a packet',
  where: { agent: (m) => m.nic.dma[0] !== NONE && m.nic.write[0] === 0 },
  touches: (m, _op, may) => {
    may.write(m.nic);
    touchWork(m, may);
    if (m.nic.guest[0] !== NONE) may.write(m.sent, m.nic.slot[0]);
  },
  atomic: true,
  steps: {
    'put it on the wire': (m) => {
      const g = m.nic.guest[0];
      if (g === NONE || m.link.hostile[g] !== HONEST) return;
      const row = m.nic.slot[0];
      if (m.sent.lent[row] !== NONE && m.sent.wire[row] < 2) m.sent.wire[row]++;
    },
    'tell the driver': (m) => {
      const w = inStage(m, SENDING);
      if (w !== NONE && m.txWork.frame[w] === m.nic.dma[0]) m.txWork.stage[w] = SENT;
      stopCard(m);
    },
  },
});

/** Takes the mappings of all sent packets back: one multicall, with one flush. */
export const unmap = operation('net.unmap', {
  agent: 'driver domain',
  path: 'complete',
  says: 'unmaps what was sent',
  source: 'Xen 2.0 netback, net_tx_action (dealloc ring, UVMF_FLUSH_TLB)',
  where: { agent: (m) => serves(m) && inStage(m, SENT) !== NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    touchReach(m, may);
  },
  steps: {
    'clear the entries': (m) => {
      hypercall(m);
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== SENT) continue;
        m.reach.entry[m.txWork.frame[w]] = 0;
        charge(m, GRANT_UNMAPPING);
        ioUnmap(m, m.txWork.frame[w]);
        m.txWork.stage[w] = ANSWER;
        m.txWork.frame[w] = NONE;
        m.txWork.size[w] = 0;
      }
    },
    'flush the TLB': (m) => {
      if (m.on(flushBeforeResponse)) flushTlb(m);
    },
  },
});

/** Whether a response lies in the ring that the guest has not collected: then it has been told. */
export function responseWaits(m: Transmit, g: number): boolean {
  for (let s = 0; s < slots(m); s++) if (m.txSlot.state[m.txSlot.at(g, s)] === RESPONSE) return true;
  return false;
}

/** Posts the responses, and notifies each guest that has none to collect: what the event index of its ring says. */
export const respond = operation('net.respond', {
  agent: 'driver domain',
  path: 'notify',
  says: 'answers what it has done with',
  source: 'Xen 2.0 netback, make_tx_response (i == netif->tx->event)',
  locals: ['told'],
  where: { agent: (m) => serves(m) && inStage(m, ANSWER) !== NONE },
  touches: (m, _op, may) => {
    touchWork(m, may);
    for (let s = 0; s < m.txSlot.rows; s++) may.write(m.txSlot, s);
  },
  steps: {
    'post the responses': (m, op) => {
      for (let w = 0; w < m.txWork.rows; w++) {
        if (m.txWork.stage[w] !== ANSWER) continue;
        if (!responseWaits(m, m.txWork.guest[w])) op.told |= 1 << m.txWork.guest[w];
        if (!facesHostile(m, w)) m.txSlot.state[m.txWork.slot[w]] = RESPONSE;
        m.txSlot.frame[m.txWork.slot[w]] = NONE;
        clearWork(m, w);
      }
    },
    notify: (m, op) => {
      for (let told = op.told; told !== 0; told &= told - 1) {
        charge(m, NOTIFICATION);
        hypercall(m);
      }
    },
  },
});
