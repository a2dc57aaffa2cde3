/** Mistakes about device TLBs, as edits of machine `vtd-ats`. */
import { mutant } from '../drivers/suite.js';
import { type Edit, guardWith, omit, reorder, replace } from '../model/kernel/index.js';
import { disableAts, enableAts, takePages } from '../model/vtd/atsMachine.js';
import {
  type Ats,
  contextWord,
  deviceTlbInvalidation,
  invalidateDevice,
  invalidateIotlb,
  invalidateNoted,
  RANGE_FIRST,
  RANGE_SIZE,
} from '../model/vtd/atsUnit.js';
import { ALL_REQUESTS } from '../model/vtd/entries.js';
import {
  coversDevicePage,
  decodeDescriptor,
  deviceAddressHigh,
  deviceAddressWord,
  deviceDescriptor0,
  deviceDescriptor1,
  Request,
} from '../model/vtd/invalidation.js';
import { SOURCE_IDS } from '../model/vtd/state.js';

const request = new Request();

/** Replaces how the device reads or software writes the descriptor of a range. */
const asks = (by: (m: Ats, which: number, q: Request) => void): readonly Edit[] => [
  replace(takePages, 'invalidate the device TLBs', (m, op) => {
    if (!m.on(deviceTlbInvalidation) || m.atsDevice.noted[0] === 0) return;
    const size = RANGE_SIZE[op.which];
    const address = deviceAddressWord(RANGE_FIRST[op.which], size);
    decodeDescriptor(deviceDescriptor0(), deviceDescriptor1(SOURCE_IDS[0]), address, deviceAddressHigh(size), request);
    by(m, op.which, request);
  }),
];

function forget(m: Ats, q: Request): void {
  for (let p = 0; p < m.atsMeant.rows; p++) {
    if (coversDevicePage(q, SOURCE_IDS[0], p, 0)) m.atc.rights[m.atc.at(0, p)] = 0;
  }
}

export const deviceBeforeIotlb = mutant('device TLB before IOTLB', {
  says: 'the device TLB is invalidated before the IOTLB that it fills from',
  source: 'H22, Linux 353e3cf8590c',
  edits: [
    reorder(takePages, [
      ...([
        'change the entries',
        'invalidate the device TLBs',
        'invalidate the IOTLB',
        'give the frames away',
      ] as const),
    ]),
  ],
});

export const deviceForgotten = mutant('device TLB not invalidated', {
  says: 'only the IOTLB is invalidated',
  source: 'H12, pkvm-ia issue 91: no flush at all',
  edits: [omit(takePages, 'invalidate the device TLBs')],
});

export const notNoted = mutant('ATS sampled too early', {
  says: 'software asks whether the device has ATS before it is enabled, and never again',
  source: 'H12, pkvm-ia issues 84 and 86',
  edits: [omit(enableAts, 'note it')],
});

export const notedLate = mutant('ATS noted after it is enabled', {
  says: 'the device may keep translations before software knows that it must invalidate them',
  source: 'H12, pkvm-ia issues 84 and 86',
  edits: [reorder(enableAts, ['write the context entry', 'enable it in the device', 'note it'])],
});

export const sizeBitLost = mutant('size bit lost', {
  says: 'the device reads a request for several pages as one for a single page',
  source: 'PCI Express 10.3.2 (S); H41',
  edits: asks((m, _which, q) => {
    q.sized = false;
    forget(m, q);
  }),
});

export const sizeTooSmall = mutant('size half of what was asked', {
  says: 'the number of trailing ones is taken for the logarithm of the size',
  source: 'PCI Express 10.3.2: one more than the trailing ones; H41 60b',
  edits: asks((m, _which, q) => {
    const ones = q.pageLo ^ (q.pageLo + 1);
    if (q.sized && q.pageLo !== 0xffffffff) q.sized = ones >>> 1 > 0;
    if (q.sized && q.pageLo !== 0xffffffff) q.pageLo &= ~(ones & ~(ones >>> 1)) & ~((ones >>> 1) & ~(ones >>> 2));
    forget(m, q);
  }),
});

export const wholeRangeOverflows = mutant('request for everything overflows', {
  says: 'the end of a request for all pages overflows, and nothing is invalidated',
  source: 'H41 60j (QEMU 1194140b7f)',
  edits: asks((m, which, q) => {
    if (RANGE_SIZE[which] < 32) forget(m, q);
  }),
});

export const wrongDevice = mutant('another device asked', {
  says: 'the source id of the request is cut to 8 bits, and another device is asked',
  source: 'H41 60c (QEMU 04eb6247eb)',
  edits: [replace(takePages, 'invalidate the device TLBs', (m, op) => invalidateDevice(m, op.which, SOURCE_IDS[1]))],
});

export const givenBeforeDevice = mutant('frames given away before the device forgets', {
  says: 'the frames are given away as soon as the IOTLB is invalidated',
  source: 'generated: order of the steps of a revocation',
  edits: [
    reorder(takePages, [
      ...([
        'change the entries',
        'invalidate the IOTLB',
        'give the frames away',
        'invalidate the device TLBs',
      ] as const),
    ]),
  ],
});

export const downgradeNotFlushed = mutant('only removals invalidated', {
  says: 'whether to invalidate is decided by whether a page went, and rights that shrink are forgotten',
  source: 'H19, XSA-275 (Xen efe21ad442)',
  edits: [
    replace(takePages, 'invalidate the IOTLB', (m, op) => {
      if (op.read === 0) invalidateIotlb(m, op.which);
    }),
    replace(takePages, 'invalidate the device TLBs', (m, op) => {
      if (op.read === 0) invalidateNoted(m, op.which);
    }),
  ],
});

export const anyoneTrusted = mutant('ATS for anyone', {
  says: 'ATS is enabled for a device that is not trusted with it',
  source: 'H27, Thunderclap (NDSS 2019)',
  edits: [
    guardWith(enableAts, 'who', (m, op) => m.atsDevice.noted[op.who] === 0),
    replace(enableAts, 'note it', (m) => {
      m.atsUnit.busy[0] = 1;
    }),
  ],
});

export const typeKept = mutant('translation type kept', {
  says: 'when ATS is switched off the context entry still lets translated requests through',
  source: 'VT-d 9.3; generated: omitted step',
  edits: [
    replace(disableAts, 'write the context entry', (m, op) => {
      m.atsContext.word[op.who] = contextWord(ALL_REQUESTS);
    }),
    replace(disableAts, 'disable it in the device', (m) => {
      m.atsUnit.busy[0] = 1;
    }),
  ],
});
