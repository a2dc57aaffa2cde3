/**
 * What can be left out or put in the wrong order in the net channel of the Safe Hardware Interface: the gaps of the code as published
 * (GAP-X1, GAP-X4, GAP-X6) and the mistakes that its rules exclude.
 */
import { mutant } from '../../../drivers/suite.js';
import { transmitRecovery } from '../../../model/architectures/safeHardware/netEnds.js';
import {
  dropPacket,
  FULL,
  flip,
  flush,
  type Receive,
  refill,
} from '../../../model/architectures/safeHardware/netReceive.js';
import { quiesce, restart, takeBack } from '../../../model/architectures/safeHardware/netRecovery.js';
import {
  CONNECTED,
  DRIVER,
  guestDomain,
  serves,
  stillReached,
} from '../../../model/architectures/safeHardware/netState.js';
import {
  clearTransmit,
  collect,
  map,
  sleep,
  take,
  unmap,
} from '../../../model/architectures/safeHardware/netTransmit.js';
import { ABSENT, DYING, RUNNING, releaseDomain } from '../../../model/domains.js';
import { drop, guardWith, NONE, OK, omit, replace } from '../../../model/kernel/index.js';
import { mapForeign, pushFrame } from './net.js';

/** GAP-X1, 7.3 number 7. */
export const privilegedBackend = mutant('GAP-X1', {
  says: 'the driver domain is privileged, and maps any frame by its machine address',
  source: 'Xen 2.0 xen/common/physdev.c: granting a device sets the fully privileged flag',
  edits: [omit(map, 'the guest owns the frame'), replace(mapForeign, 'the owner offered it', () => OK)],
});

/** GAP-X4. */
export const neverRevoked = mutant('GAP-X4', {
  says: 'revoking a device is not implemented: a dead driver’s card goes on, and its memory is taken back under it',
  source: 'Xen 2.0 xen/common/physdev.c: revocation missing',
  edits: [
    drop(quiesce),
    guardWith(takeBack, 'frame', (m, op) => m.domain.life[DRIVER] === DYING && stillReached(m, op.frame)),
    omit(releaseDomain, 'wait until nothing is held'),
  ],
});

/** GAP-X6 in the net channel: 7.3 number 6 is the block one. */
export const netUnboundedId = mutant('net response id unchecked', {
  says: 'the guest takes the id of a response as an index, whatever it is',
  source: 'Xen 2.0 netfront, network_tx_buf_gc',
  edits: [omit(collect, 'it is outstanding')],
});

export const sizeUnchecked = mutant('packet size unchecked', {
  says: 'a descriptor is taken as it is, whatever its size',
  source: 'Xen 2.0 netback, net_tx_action: PKT_MIN, ETH_FRAME_LEN, page boundary',
  edits: [omit(take, 'check the size')],
});

export const unmapForgotten = mutant('transmit buffer not unmapped', {
  says: 'a packet is answered as soon as it is sent, and its buffer stays mapped',
  source: 'M7: unmap before the response',
  edits: [
    replace(unmap, 'clear the entries', (m) => {
      for (let w = 0; w < m.txWork.rows; w++) if (m.txWork.stage[w] === 5) m.txWork.stage[w] = 6;
    }),
  ],
});

export const flushForgotten = mutant('transmit flush left out', {
  says: 'the mapping is taken back, but the TLB still has it when the packet is answered',
  source: 'M7: unmap and TLB flush before the response',
  edits: [omit(unmap, 'flush the TLB')],
});

/** 7.3 number 14. */
export const noLookAfterEvent = mutant('no mb in the event index', {
  says: 'the driver domain sets its event index and sleeps: the second look comes too early to see a request',
  source: 'xen/include/public/io/ring.h, RING_FINAL_CHECK: the barrier before the second test',
  edits: [omit(sleep, 'look again')],
});

export const sentAgain = mutant('packets replayed', {
  says: 'after a restart the guest sends again what was outstanding, as it would for a disk',
  source: 'M8: outstanding packets are discarded',
  edits: [
    replace(transmitRecovery.disconnected, 'discard', (m, op) => {
      clearTransmit(m, op.agent);
      const row = m.sent.at(op.agent, 0);
      if (m.sent.lent[row] === NONE) return;
      m.txSlot.state[row] = 1;
      m.txSlot.frame[row] = m.sent.lent[row];
      m.txRing.prod[op.agent] = 1;
      m.txRing.kick[op.agent] = 1;
    }),
  ],
});

/** 7.3 number 16, in this architecture: reuse before the old backend has lost the buffer. */
export const reusedTooEarly = mutant('XSA-396 net', {
  says: 'the guest takes its buffers back as soon as it hears that the driver domain is dead, mapped or not',
  source: 'M8: the ordering that the code leaves to the controller; XSA-396',
  edits: [
    guardWith(
      transmitRecovery.disconnected,
      'agent',
      (m, op) => m.domain.life[DRIVER] !== RUNNING && m.link.state[op.agent] === CONNECTED,
    ),
  ],
});

export const idReleasedEarly = mutant('id of the driver domain released early', {
  says: 'the id of a dead driver domain is free while its card still writes',
  source: 'xen/common/domain.c, domain_relinquish_resources before complete_domain_destroy',
  edits: [omit(releaseDomain, 'wait until nothing is held')],
});

export const neverRestarted = mutant('never restarted', {
  says: 'the controller starts no new driver domain',
  source: 'M8: the controller restarts failed drivers',
  edits: [drop(restart)],
});

export const takesNothingBack = mutant('nothing taken back', {
  says: 'the mappings of a dead driver domain are never cleared',
  source: 'xen/arch/x86/domain.c, relinquish_memory: left out',
  edits: [drop(takeBack)],
});

/** The guards of Transfer, one by one. */
export const transferWhileMapped = mutant('frame transferred while mapped', {
  says: 'a frame changes its owner although the old one has it mapped once more',
  source: 'M7 Transfer: only mapping gone',
  edits: [omit(flip, 'only the allocation reference'), omit(pushFrame, 'only the allocation reference')],
});

export const transferToDying = mutant('frame transferred to a dying guest', {
  says: 'a frame is given to a guest whose memory has already been taken back',
  source: 'M7 Transfer: !dying',
  edits: [omit(flip, 'the guest is not dying'), omit(pushFrame, 'the guest is not dying')],
});

export const transferBeyond = mutant('frame transferred beyond the reservation', {
  says: 'a guest is given more frames than it may own',
  source: 'M7 Transfer: room in the reservation',
  edits: [omit(flip, 'room in its reservation'), omit(pushFrame, 'room in its reservation')],
});

export const oldMappingKept = mutant('page flip keeps the old mapping', {
  says: 'the driver domain is given a fresh frame, and its address of the old one stays',
  source: 'M7: be remaps its address to a fresh frame, then reassigns',
  edits: [
    replace(flip, 'remap to a fresh frame', (m, op) => {
      m.reach.entry[op.frame] = 1;
    }),
  ],
});

export const flushAfterResponse = mutant('flush left out of the batch', {
  says: 'the batch ends without its flush, and the guest is told while the driver’s TLB has the frame',
  source: 'M7: TLB clean before the guest sees the response',
  edits: [omit(flush, 'flush the TLB')],
});

export const wrongGuest = mutant('packets for the first guest', {
  says: 'a frame goes to the first guest that has room, whoever its packet is for',
  source: 'M7: demultiplexing',
  edits: [
    guardWith(flip, 'guest', (m, op) => m.rx.credits[op.guest] > 0 && m.domain.life[guestDomain(op.guest)] === 1),
  ],
});

export const waitsForBuffers = mutant('waits for a buffer', {
  says: 'a packet waits until its guest posts a buffer, and all others behind it',
  source: 'M7: receive-livelock defence',
  edits: [
    guardWith(
      dropPacket,
      'frame',
      (m: Receive, op) =>
        serves(m) &&
        m.frame.owner[op.frame] === DRIVER &&
        m.rxFrame.stage[op.frame] === FULL &&
        m.domain.life[guestDomain(m.rxFrame.packet[op.frame])] === ABSENT,
    ),
  ],
});

export const neverRefilled = mutant('restart without frames', {
  says: 'a new driver domain gets no frames, because those of the old one were never counted back',
  source: 'M8: resources of the dead driver return',
  edits: [drop(refill)],
});
