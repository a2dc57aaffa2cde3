/**
 * A hostile network driver domain beside strangers: what it writes by processor and by DMA, into memory and into the registers of a card
 * that it was not given. Then the mistakes of VMM and controller by which strangers would notice it, or notice that it fails.
 */
import { mutant } from '../../../drivers/suite.js';
import { transmitRecovery } from '../../../model/architectures/safeHardware/netEnds.js';
import { ownedBy, refill, relinquish } from '../../../model/architectures/safeHardware/netReceive.js';
import { takeBack } from '../../../model/architectures/safeHardware/netRecovery.js';
import {
  CLOSED,
  cardReaches,
  DRIVER,
  type Net,
  serves,
  startDma,
  stillReached,
  stopCard,
} from '../../../model/architectures/safeHardware/netState.js';
import {
  answer,
  contentOf,
  ON_CARD,
  OUT,
  otherDriver,
  restartWithCard,
  type Strangers,
} from '../../../model/architectures/safeHardware/netStrangers.js';
import { DYING, RUNNING } from '../../../model/domains.js';
import { frame, TYPE_VMM } from '../../../model/frames.js';
import { dmaRemapping } from '../../../model/iommu/index.js';
import { registerMmu } from '../../../model/ioSpace.js';
import { blockedBy, guardWith, NONE, OK, operationOn, replace } from '../../../model/kernel/index.js';
import { translation } from '../../memory.js';
import { suspectDriver } from './net.js';

const operation = operationOn<Strangers>();
const STOPPED_BY_MMU = blockedBy(translation);
const STOPPED_BY_IOMMU = blockedBy(dmaRemapping);
const STOPPED_BY_PAGES = blockedBy(registerMmu);

const lives = (m: Net): boolean => m.domain.life[DRIVER] === RUNNING;

/** The driver domain writes into a frame by its processor: one that it has mapped, or any other. */
export const store = operation('driver.store', {
  agent: 'driver domain',
  says: 'writes into {frame}',
  source: '1c: wild writes',
  fault: 'F1',
  input: { frame },
  where: { frame: (m, op) => lives(m) && m.content.writer[contentOf(m, op.frame)] !== DRIVER },
  touches: (m, op, may) => may.write(m.content, contentOf(m, op.frame)),
  atomic: true,
  steps: {
    translate: (m, op) =>
      m.on(translation) && m.reach.entry[op.frame] === 0 && m.reach.tlb[op.frame] === 0 ? STOPPED_BY_MMU : OK,
    write: (m, op) => {
      m.content.writer[contentOf(m, op.frame)] = DRIVER;
    },
  },
});

/** The driver domain has its card write into a frame: one that the card may reach, or any other. */
export const aimWrite = operation('driver.aimDma', {
  agent: 'driver domain',
  says: 'aims its card at {frame}, to write into it',
  source: '1c, not contained: DMA to any machine frame',
  fault: 'F2',
  input: { frame },
  where: { frame: (m, op) => lives(m) && m.nic.dma[0] === NONE && m.content.writer[contentOf(m, op.frame)] !== DRIVER },
  touches: (m, op, may) => {
    may.write(m.nic);
    may.write(m.reach, op.frame);
  },
  steps: {
    translate: (m, op) => {
      if (!cardReaches(m, op.frame)) return STOPPED_BY_IOMMU;
      startDma(m, op.frame, 1, NONE, 0);
      return OK;
    },
  },
});

/** ...and the card has done so. */
export const landWrite = operation('card.write', {
  agent: 'card',
  says: 'writes where it was told to',
  fault: 'F2',
  where: { agent: (m) => m.nic.dma[0] !== NONE && m.nic.write[0] === 1 && m.nic.guest[0] === NONE },
  touches: (m, _op, may) => {
    may.write(m.nic);
    may.write(m.content, contentOf(m, m.nic.dma[0]));
  },
  atomic: true,
  steps: {
    write: (m) => {
      m.content.writer[contentOf(m, m.nic.dma[0])] = DRIVER;
      stopCard(m);
    },
  },
});

/** The driver domain writes into the registers of the other card: its packet is lost, and that card's driver takes it for sent. */
export const resetOther = operation('driver.resetOther', {
  agent: 'driver domain',
  says: 'resets the card of the other driver domain',
  source: 'M1: registers are mapped by the driver domain that was given the device',
  fault: 'F1',
  where: { agent: (m) => lives(m) && m.other.stage[0] === ON_CARD },
  touches: (m, _op, may) => may.write(m.other),
  atomic: true,
  steps: {
    'reach its registers': (m) => (m.on(registerMmu) && m.drives.second[DRIVER] === 0 ? STOPPED_BY_PAGES : OK),
    reset: (m) => {
      m.other.stage[0] = OUT;
    },
  },
});

export const everyoneDisconnected = mutant('all guests disconnected', {
  says: 'when a driver domain is gone, the controller tells the guests of every driver domain so',
  source: 'M8: only its own guests are told',
  edits: [
    replace(transmitRecovery.disconnected, 'close the link', (m, op) => {
      const all = m as Net as Strangers;
      all.link.state[op.agent] = CLOSED;
      all.other.link[0] = CLOSED;
    }),
  ],
});

export const takenFromAll = mutant('taken back from every driver domain', {
  says: 'when a driver domain dies, the VMM takes back whatever any driver domain has mapped',
  source: 'xen/arch/x86/domain.c, relinquish_memory: of the dying domain',
  edits: [
    guardWith(
      takeBack,
      'frame',
      (m, op) =>
        m.domain.life[DRIVER] === DYING &&
        m.nic.dma[0] !== op.frame &&
        (stillReached(m, op.frame) || (m as Strangers).otherReach.entry[op.frame] === 1),
    ),
    replace(takeBack, 'clear the entry', (m, op) => {
      const all = m as Strangers;
      all.reach.entry[op.frame] = 0;
      all.otherReach.entry[op.frame] = 0;
      all.otherReach.io[op.frame] = 0;
    }),
  ],
});

export const waitsForHung = mutant('unmapping waits for the hung', {
  says: 'a call that unmaps waits until every driver domain has acknowledged it, and a hung one never does',
  source: 'M7: unmap and TLB flush before the response, on the processors of the domain that unmaps',
  edits: [
    guardWith(
      answer,
      'agent',
      (m) => m.domain.life[otherDriver(m)] === RUNNING && m.other.stage[0] === OUT && m.driver.hung[0] === 0,
    ),
  ],
});

export const everyCardGiven = mutant('every card for the new driver domain', {
  says: 'the controller starts a new driver domain with all network cards, and not with the one that it had',
  source: 'M8: the configuration of the failed driver domain',
  edits: [
    replace(restartWithCard, 'give it the card', (m) => {
      m.drives.first[DRIVER] = 1;
      m.drives.second[DRIVER] = 1;
    }),
  ],
});

export const spareBesideSuspect = mutant('spare beside the suspected', {
  says: 'the controller gives the card of a driver domain that it suspects to a running spare, and lets the suspected one run',
  source: 'M8, with the warm spare of HPL-2009-115: destroyed before it is replaced',
  edits: [
    replace(suspectDriver, 'stop it', (m) => {
      const all = m as Net as Strangers;
      all.drives.first[otherDriver(all)] = 1;
    }),
  ],
});

export const oneIoSpace = mutant('one I/O address space for both cards', {
  says: 'the cards of both driver domains translate by one I/O page table',
  source: 'VT-d 3.4 (one domain for several devices); Linux drivers/iommu, iommu_group (aliases of a bridge)',
  edits: [
    replace(aimWrite, 'translate', (m, op) => {
      if (!cardReaches(m, op.frame) && m.otherReach.io[op.frame] === 0) return STOPPED_BY_IOMMU;
      startDma(m, op.frame, 1, NONE, 0);
      return OK;
    }),
  ],
});

export const relinquishedFromAll = mutant('frames of all relinquished', {
  says: 'when a driver domain dies, the VMM returns the frames of whoever has some to the heap',
  source: 'xen/arch/x86/domain.c, relinquish_memory: of the dying domain',
  edits: [
    guardWith(
      relinquish,
      'frame',
      (m, op) =>
        m.domain.life[DRIVER] === DYING &&
        m.frame.owner[op.frame] !== NONE &&
        m.rxFrame.second[op.frame] === 0 &&
        !stillReached(m, op.frame),
    ),
  ],
});

export const refilledFromAll = mutant('refilled with frames of others', {
  says: 'a new driver domain is given frames without a look at whose they are',
  source: 'xen/common/memory.c, increase_reservation: from the heap',
  edits: [
    guardWith(
      refill,
      'frame',
      (m, op) =>
        serves(m) && ownedBy(m, DRIVER) === 0 && m.frame.type[op.frame] !== TYPE_VMM && !stillReached(m, op.frame),
    ),
  ],
});
