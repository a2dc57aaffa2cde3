/**
 * What "Reconstructing I/O" has in common with the Safe Hardware Interface before it: block rings between ends that do not trust each
 * other, and interrupt lines. The machines are those of the model; the claims are this paper's.
 */
import { hostileBackends, hostileFrontends } from '../../faults/blockHostile.js';
import {
  endFailureIgnored,
  mapFirst,
  rereadGrant,
  rereadOperation,
  rereadSector,
  rereadSegments,
  unboundedId,
} from '../../faults/blockMutants.js';
import { lineFaults } from '../../faults/interrupts.js';
import { outstandingTest, overflowTest } from '../../model/blockFront.js';
import { extentTest, formatTest, modeTest, segmentTest } from '../../model/blockTake.js';
import { managerTimeOut, maskingUntilNotify } from '../../model/interruptLines.js';
import { bindLine, interruptMachine } from '../../model/interrupts.js';
import { guardWith, module } from '../../model/kernel/index.js';
import { splitBlock } from '../../model/splitBlock.js';
import {
  checkedIsUsed,
  completedOnce,
  insideExtent,
  mappedAsNeeded,
  mappingsCounted,
  privateOrder,
} from '../../properties/block.js';
import { notReusedWhileMapped } from '../../properties/blockRecovery.js';
import { lineServed, lineServedUnaided, oneRaise } from '../../properties/interrupts.js';
import { claim, suite } from '../suite.js';
import { assumptions, blockStart, connectedStart } from '../suites/blockStarts.js';

/** Sentences that cells name. */
export const PART_SAYS = {
  malformed: 'a backend stays inside the extent and the indices, whatever a frontend puts into the ring',
  inPlace: 'a backend uses what it has checked, and checks what it has copied',
  distrust: 'a frontend completes only what is outstanding, whatever its backend answers',
  kept: 'a page that a backend keeps mapped is not used again',
  storm: 'a storm interrupts once for each notification',
  wedge: 'a sharer of a line that hangs is ended, and the line is served again',
  unaided: 'a hung sharer does not keep its line from the others, even when nobody ends it',
} as const;

const RING = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 1,
  request: 1,
  page: 3,
  pending: 1,
  segment: 1,
  sector: 4,
  slot: 1,
  index: 4,
  'segment count': 3,
  'message id': 2,
};

const both = [...assumptions, 'one run for both eras: what it checks does not depend on the hardware'];

export const channelSuite = suite('reconstructing-io-channel', {
  title: 'a block backend before a hostile frontend',
  machine: { name: 'reconstructing I/O: channel', modules: [splitBlock, hostileFrontends, connectedStart] },
  scope: {
    small: { ...RING, page: 2, index: 2 },
    default: { ...RING, pending: 2 },
    large: { ...RING, segment: 2, sector: 8, 'segment count': 4 },
  },
  claims: [
    claim(PART_SAYS.malformed, {
      keeps: [insideExtent, privateOrder, mappedAsNeeded, mappingsCounted],
      against: ['F5', 'F7'],
      without: [
        { off: extentTest, breaks: insideExtent },
        { off: modeTest, breaks: insideExtent },
        { off: overflowTest, breaks: privateOrder },
        { off: mapFirst, breaks: mappingsCounted },
      ],
    }),
    claim(PART_SAYS.inPlace, {
      keeps: [checkedIsUsed, mappingsCounted],
      against: ['F6'],
      without: [
        { off: formatTest, breaks: checkedIsUsed },
        { off: segmentTest, breaks: checkedIsUsed },
        { off: rereadSegments, breaks: checkedIsUsed },
        { off: rereadSector, breaks: checkedIsUsed },
        { off: rereadOperation, breaks: checkedIsUsed },
        { off: rereadGrant, breaks: mappingsCounted },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: both,
});

export const distrustSuite = suite('reconstructing-io-distrust', {
  title: 'a block frontend before a hostile backend',
  machine: { name: 'reconstructing I/O: distrust', modules: [splitBlock, hostileBackends, blockStart] },
  scope: {
    small: { ...RING, epoch: 2, index: 2, 'message id': 3 },
    default: { ...RING, epoch: 2, index: 2, 'message id': 3 },
    large: { ...RING, epoch: 2, request: 2, page: 4, slot: 2, 'message id': 5 },
  },
  claims: [
    claim(PART_SAYS.distrust, {
      keeps: [completedOnce],
      against: ['F5', 'F7'],
      without: [
        { off: unboundedId, breaks: completedOnce },
        { off: outstandingTest, breaks: completedOnce },
      ],
    }),
    claim(PART_SAYS.kept, {
      keeps: [notReusedWhileMapped],
      against: ['F12'],
      without: [{ off: endFailureIgnored, breaks: notReusedWhileMapped }],
    }),
  ],
  mayStop: () => true,
  assumptions: both,
});

const linesMachine = {
  ...interruptMachine,
  modules: [...interruptMachine.modules, module('attacks by lines', { tables: {}, operations: lineFaults })],
};

const LINES = { domain: 2, generation: 1, port: 2, word: 1, line: 1, sharer: 2 };

/** Lines of 2004: shared. */
export const linesThen = suite('reconstructing-io-lines-2004', {
  title: 'interrupt lines that devices share, with storms and hung sharers',
  machine: linesMachine,
  scope: { small: LINES, default: LINES, large: { ...LINES, domain: 3, port: 3, line: 2, sharer: 3 } },
  claims: [
    claim(PART_SAYS.storm, {
      keeps: [oneRaise],
      against: ['F9'],
      without: [{ off: maskingUntilNotify, breaks: oneRaise }],
    }),
    claim(PART_SAYS.wedge, {
      keeps: [lineServed],
      against: ['F10', 'F11'],
      without: [{ off: managerTimeOut, breaks: lineServed }],
    }),
    claim(PART_SAYS.unaided, { keeps: [lineServedUnaided], against: ['F11'], without: [], expects: 'not contained' }),
  ],
  assumptions: ['acknowledging, masking and signalling a line is one step of the VMM'],
});

/** Today every device has interrupts of its own: nobody shares. */
export const linesNow = suite('reconstructing-io-lines', {
  title: 'an interrupt for each device, with storms and hung drivers',
  machine: linesMachine,
  edits: [
    guardWith(bindLine, 'line', (m, op) => m.line.count[op.line] === 0),
    guardWith(bindLine, 'share', (_m, op) => op.share === 0),
  ],
  scope: { small: LINES, default: { ...LINES, domain: 3 }, large: { ...LINES, domain: 3, port: 3, line: 2 } },
  claims: [
    claim(PART_SAYS.storm, {
      keeps: [oneRaise],
      against: ['F9'],
      without: [{ off: maskingUntilNotify, breaks: oneRaise }],
    }),
    claim(PART_SAYS.wedge, {
      keeps: [lineServed],
      against: ['F10', 'F11'],
      without: [{ off: managerTimeOut, breaks: lineServed }],
    }),
  ],
  assumptions: ['acknowledging, masking and signalling a line is one step of the VMM'],
});
