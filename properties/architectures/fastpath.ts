/**
 * The fast path of each architecture, as its paper has it: what one operation of a request may charge, and when it may notify. The sections
 * are 1d to 5d of the architectures.
 */
import { requestWaits } from '../../model/architectures/driverReuse/channel.js';
import { type Channel, CLIENTS, slot } from '../../model/architectures/driverReuse/channelState.js';
import { deliver, type Receive as ReuseReceive } from '../../model/architectures/driverReuse/receive.js';
import type { DataPath as MicroPath } from '../../model/architectures/microdrivers/dataPath.js';
import {
  ABOVE,
  BELOW,
  bottom,
  type ClassPath,
  REQUEST,
  RESPONSE,
  waits,
} from '../../model/architectures/reconstructingIo/classState.js';
import { packetWaits, type Receive } from '../../model/architectures/safeHardware/netReceive.js';
import { responseWaits, type Transmit } from '../../model/architectures/safeHardware/netTransmit.js';
import { ANSWERED, anotherIs, QUEUED, type Service } from '../../model/architectures/userLevel/service.js';
import { HYPERCALL } from '../../model/ledger.js';
import { frugalDataPath, STANDING, wokenOnce } from '../fastpath.js';

/** 1d: no message to the controller, no memory from Xen, no copy of the payload; the header is copied, pages are mapped by grant. */
export const transmitFrugal = frugalDataPath({
  roles: ['submit', 'translate', 'complete', 'notify'],
  limits: { ...STANDING, 'page flip': 0 },
  allow: { 'net.filter': { copy: 1 } },
});

/** 2d, where the I/O table follows each buffer: a mapping, an unmapping and an invalidation for each request of a batch, and no more. */
export const transmitFrugalPerBuffer = (batch: number) =>
  frugalDataPath({
    roles: ['submit', 'translate', 'complete', 'notify'],
    limits: { ...STANDING, 'page flip': 0 },
    allow: {
      'net.filter': { copy: 1 },
      'net.map': { mapping: batch },
      'net.unmap': { unmapping: batch, invalidation: batch },
    },
  });

/** For machines with one guest. */
export const transmitWoken = wokenOnce<Transmit>([
  { by: ['net.send'], waits: (before) => before.txRing.prod[0] !== before.txRing.cons[0] },
  { by: ['net.respond'], waits: (before) => responseWaits(before, 0) },
]);

/** 1d for reception: a page changes hands instead of being copied; the frame that takes its place is the one allocation. */
export const receiveFrugal = frugalDataPath({
  roles: ['submit', 'translate', 'complete', 'notify'],
  limits: STANDING,
  allow: { 'rx.flip': { allocation: 1, 'page flip': 1 } },
});

/** With an I/O table, the new frame is entered, and the old one taken out. */
export const receiveFrugalPerBuffer = frugalDataPath({
  roles: ['submit', 'translate', 'complete', 'notify'],
  limits: STANDING,
  allow: { 'rx.flip': { allocation: 1, 'page flip': 1, mapping: 1, unmapping: 1, invalidation: 1 } },
});

/** For machines with one guest. */
export const receiveWoken = wokenOnce<Receive>([{ by: ['rx.respond'], waits: (before) => packetWaits(before, 0) }]);

/** 2d, as 1d, whatever lies between client and backend. The I/O table holds the domain; where it follows each buffer, that is the price. */
export const classFrugal = frugalDataPath({ roles: ['submit', 'complete'], limits: STANDING });

export const classWoken = wokenOnce<ClassPath>([
  { by: ['client.submit'], waits: (before) => waits(before, ABOVE, REQUEST) },
  { by: ['soft.pass'], waits: (before) => waits(before, BELOW, REQUEST) },
  { by: ['backend.answer'], waits: (before) => waits(before, bottom(before), RESPONSE) },
  { by: ['soft.answer'], waits: (before) => waits(before, ABOVE, RESPONSE) },
]);

/** 3d: no XPC, no marshalling, no entry of the tracker, one lock; the IOMMU of today is the kernel's affair, buffer by buffer. */
export const pathFrugal = frugalDataPath({
  roles: ['submit', 'complete', 'notify'],
  limits: { copy: 0, XPC: 0, 'domain crossing': 0, hypercall: 0, lock: 1 },
  allow: { 'path.submit': { mapping: 1 } },
  elsewhere: ['XPC'],
});

export const pathWoken = wokenOnce<MicroPath>([
  { by: ['path.complete'], waits: (before) => before.interrupt.raised[0] === 1 },
]);

/** 4d: registers and buffers stand; the kernel is called to wake somebody who sleeps, and for nothing else. Frames are copied out. */
export const clientFrugal = frugalDataPath({
  roles: ['submit', 'complete'],
  limits: { ...STANDING, hypercall: 0, 'domain crossing': 0 },
  allow: {
    'client.send': { hypercall: 1, 'domain crossing': 2 },
    'driver.answer': { hypercall: 1, 'domain crossing': 2 },
    'client.receive': { copy: 1 },
  },
});

export const clientWoken = wokenOnce<Service>([
  { by: ['client.send'], waits: (before, m) => anotherIs(before, m.current.call.request, QUEUED), charge: HYPERCALL },
  {
    by: ['driver.answer'],
    waits: (before, m) => anotherIs(before, before.unit.job[m.current.call.agent], ANSWERED),
    charge: HYPERCALL,
  },
]);

/** 4d: an interrupt is one read. */
export const interruptFrugal = frugalDataPath({
  roles: ['notify'],
  limits: { ...STANDING, hypercall: 0, 'domain crossing': 0, notification: 1 },
  allow: { 'irq.read': { hypercall: 1, 'domain crossing': 2 } },
});

/** 4d: an address goes into a descriptor, and a DMA through the table, without the kernel. */
export const programFrugal = frugalDataPath({
  roles: ['submit', 'translate', 'complete'],
  limits: { ...STANDING, hypercall: 0, 'domain crossing': 0 },
  elsewhere: ['mapping', 'unmapping', 'hypercall'],
});

/** 5d: transmission copies nothing, no I/O table is touched, and a call is a signal. */
export const channelFrugal = frugalDataPath({
  roles: ['submit', 'complete', 'notify'],
  limits: { ...STANDING, hypercall: 0, 'page flip': 0 },
  allow: { 'client.submit': { hypercall: 1 }, 'server.answer': { hypercall: 1 } },
});

export const channelWoken = wokenOnce<Channel>([
  { by: ['client.submit'], waits: (before, m) => requestWaits(before, m.current.call.agent) },
  { by: ['server.answer'], waits: (before, m) => servedWaits(before, m.current.call.client) },
]);

/** Whether a served slot lies with the client that it has not taken; slots that were refused are handed back without a signal. */
function servedWaits(m: Channel, c: number): boolean {
  for (let s = 0; s < m.size(slot); s++) {
    const r = m.ring.at(c, s);
    if (m.ring.owner[r] === CLIENTS && m.request.outstanding[r] === 1 && m.ring.failed[r] === 0) return true;
  }
  return false;
}

/** 5d: reception is one copy by the hypervisor, which is the wake-up as well. */
export const deliverFrugal = frugalDataPath({
  roles: ['submit', 'complete'],
  limits: { ...STANDING, hypercall: 0 },
  allow: { [deliver.name]: { hypercall: 1, copy: 1 } },
});

export const deliverWoken = wokenOnce<ReuseReceive>([
  { by: [deliver.name], waits: (before, m) => before.rx.received[m.current.call.client] > 0 },
]);

/** 5d: mapping is at page-fault time: a DMA does no work on the I/O table. */
export const muxFrugal = frugalDataPath({
  roles: ['translate', 'complete'],
  limits: { ...STANDING, hypercall: 0 },
  elsewhere: ['mapping', 'unmapping', 'invalidation'],
});
