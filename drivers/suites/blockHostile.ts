/** The block backend before a hostile frontend. */
import { hostileFrontends } from '../../faults/blockHostile.js';
import {
  mapFirst,
  partialMappingKept,
  rereadFirst,
  rereadGrant,
  rereadLast,
  rereadOperation,
  rereadSector,
  rereadSegments,
  wrapForgotten,
} from '../../faults/blockMutants.js';
import { overflowTest } from '../../model/blockFront.js';
import { rightsTest } from '../../model/blockState.js';
import { extentTest, formatTest, modeTest, segmentTest } from '../../model/blockTake.js';
import { splitBlock } from '../../model/splitBlock.js';
import { checkedIsUsed, insideExtent, mappedAsNeeded, mappingsCounted, privateOrder } from '../../properties/block.js';
import { claim, suite } from '../suite.js';
import { assumptions, connectedStart } from './blockStarts.js';
import { leaveOut } from './parts.js';

/** What two connected ends do not do: begin, suspend, reconnect, be taken back. */
const handshake = [
  ...['front.initialise', 'front.replay', 'front.connect', 'front.suspend', 'front.reclaim', 'back.announce'],
  ...['back.connect', 'manager.destroy', 'vmm.takeBack', 'vmm.bury', 'manager.restart'],
];

/** For what needs two segments. */
const twoSegments = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 1,
  request: 1,
  page: 3,
  pending: 1,
  segment: 2,
  sector: 8,
  slot: 1,
  index: 2,
  'segment count': 4,
  'message id': 2,
};

export const blockHostile = suite('block-hostile', {
  title: 'a block backend before a hostile frontend, whose ring holds anything and changes between two reads',
  machine: { name: 'block-hostile', modules: leaveOut([splitBlock, hostileFrontends, connectedStart], ...handshake) },
  scope: {
    small: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 1,
      page: 2,
      pending: 1,
      segment: 1,
      sector: 4,
      slot: 1,
      index: 4,
      'segment count': 3,
      'message id': 2,
    },
    default: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 2,
      page: 4,
      pending: 2,
      segment: 1,
      sector: 4,
      slot: 1,
      index: 4,
      'segment count': 3,
      'message id': 2,
    },
    large: {
      device: 1,
      frontend: 1,
      backend: 2,
      epoch: 1,
      request: 1,
      page: 3,
      pending: 1,
      segment: 2,
      sector: 8,
      slot: 1,
      index: 4,
      'segment count': 4,
      'message id': 2,
    },
  },
  claims: [
    claim('a disk access stays inside the extent of the frontend that asked for it', {
      keeps: [insideExtent],
      against: ['F5', 'F6'],
      without: [
        { off: extentTest, breaks: insideExtent },
        { off: modeTest, breaks: insideExtent },
        { off: wrapForgotten, breaks: insideExtent },
        { off: rereadSector, breaks: insideExtent },
        { off: rereadOperation, breaks: insideExtent },
      ],
    }),
    claim('what a backend uses is what it has checked', {
      keeps: [checkedIsUsed, mappedAsNeeded, mappingsCounted],
      against: ['F5', 'F6'],
      without: [
        { off: formatTest, breaks: checkedIsUsed },
        { off: rightsTest, breaks: mappedAsNeeded },
        { off: segmentTest, breaks: checkedIsUsed },
        { off: rereadSegments, breaks: checkedIsUsed },
        { off: rereadFirst, breaks: checkedIsUsed },
        { off: rereadLast, breaks: checkedIsUsed },
        { off: rereadGrant, breaks: mappingsCounted },
        { off: mapFirst, breaks: mappingsCounted },
        { off: partialMappingKept, breaks: mappingsCounted, scope: twoSegments },
      ],
    }),
    claim('a hostile frontend cannot put indices out of order', {
      keeps: [privateOrder],
      against: ['F5', 'F7'],
      without: [{ off: overflowTest, breaks: privateOrder }],
    }),
  ],
  mayStop: () => true,
  assumptions,
});
