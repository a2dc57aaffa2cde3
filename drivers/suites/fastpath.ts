/**
 * The fast path in the model. `fastpath-ring`: one ring, each step on its own; requests and responses flow without control messages, and
 * a line that becomes non-empty is notified once. `fastpath-dma`: one device behind the IOMMU, while mappings are made and taken away
 * beside it; requests are translated and completed without an allocation, a mapping or an invalidation. The block driver: fastpathBlock.ts.
 */
import {
  askController,
  bounceEachBuffer,
  flushEachBuffer,
  mapEachBuffer,
  notifyEachRequest,
  notifyEachResponse,
} from '../../faults/fastpath.js';
import { type BookedRing, bookedMachine, iommuBook, lineBook, pushBook } from '../../model/books.js';
import type { Iommu } from '../../model/iommu/index.js';
import { module, sort } from '../../model/kernel/index.js';
import { line, wakes } from '../../model/ledger.js';
import { ringIndex } from '../../model/ring.js';
import {
  BACK,
  FRONT,
  REQUEST,
  RESPONSE,
  type Ring,
  respond,
  ringEnds,
  ringThreads,
  submit,
} from '../../model/ringEnds.js';
import { frugalDataPath, notifiedOnce, STANDING } from '../../properties/fastpath.js';
import { claim, suite } from '../suite.js';
import { fastpathBlock } from './fastpathBlock.js';
import { fastpathVtd } from './fastpathVtd.js';
import { iommuRaceMachine } from './iommuMachines.js';

const PUSHES: readonly string[] = [submit.name, respond.name];

/** Where a run of the ring begins. The other two can be reached from the first; they make counterexamples short. */
const ringStart = sort('start of the ring', { members: ['just connected', 'a request unread', 'a response unread'] });

/** Sets one of the beginnings; they need two slots. */
function beginRing(m: BookedRing): void {
  const from = m.slot.rows < 2 ? 0 : m.choose(ringStart);
  if (from === 0) return;
  const pushed = from;
  m.front.reqProdPvt[0] = pushed;
  m.sring.reqProd[0] = pushed;
  m.front.outstanding[0] = (1 << pushed) - 1;
  m.side.pending[BACK] = 1;
  m.slot.unread[0] = 1;
  m.slot.holds[0] = from === 1 ? REQUEST : RESPONSE;
  if (from === 1) return;
  // The first request is answered, the second one is in work.
  m.slot.holds[1] = REQUEST;
  m.slot.id[1] = 1;
  m.taken.busy[0] = 1;
  m.taken.id[0] = 1;
  m.back.reqCons[0] = 2;
  m.back.rspProdPvt[0] = 1;
  m.sring.rspProd[0] = 1;
  m.side.pending[FRONT] = 1;
  m.side.found[BACK] = 1;
}

const beginning = module<BookedRing, Record<never, never>>('start of the ring', {
  tables: {},
  operations: [],
  initial: beginRing,
});

/**
 * The ring as it is, but for as many requests as there are indices, less one. Indices that turn pass a threshold that was set a whole turn
 * ago: on a real machine a reader that never sleeps is notified for nothing once in 2^32 entries, here it would be once in four.
 */
const oneTurn: typeof ringEnds = {
  ...ringEnds,
  operations: ringEnds.operations.map((op) =>
    op.name === submit.name ? { ...submit, where: { ...submit.where, agent: hasTurnLeft } } : op,
  ),
};

function hasTurnLeft(m: Ring, op: Parameters<NonNullable<NonNullable<typeof submit.where>['agent']>>[1]): boolean {
  return m.front.reqProdPvt[0] + 1 < m.size(ringIndex) && (submit.where?.agent?.(m, op) ?? true);
}

const ringMachine = bookedMachine<BookedRing>(
  { name: 'ring, with its ledger', modules: [oneTurn, wakes, beginning], threads: ringThreads },
  (operation) => (PUSHES.includes(operation) ? pushBook : lineBook),
);

export const ringFrugal = frugalDataPath({ roles: ['submit', 'complete', 'notify'], limits: STANDING });

/** In a ring of one slot every push makes it non-empty. */
const TWO_SLOTS = { slot: 2, index: 4, entry: 1, 'wire id': 2, [line.name]: 2 } as const;

export const fastpathRing = suite('fastpath-ring', {
  title: 'the data path of a ring: no control message, and one notification for each time it becomes non-empty',
  machine: ringMachine,
  schedule: 'split',
  scope: {
    small: { slot: 1, index: 2, entry: 1, 'wire id': 1, [line.name]: 2 },
    default: TWO_SLOTS,
    large: { slot: 2, index: 8, entry: 2, 'wire id': 2, [line.name]: 2 },
  },
  claims: [
    claim('requests and responses flow without allocations, mappings or control messages', {
      keeps: [ringFrugal],
      against: [],
      without: [{ off: askController, breaks: ringFrugal }],
    }),
    claim('a line is notified at most once for each time it becomes non-empty', {
      keeps: [notifiedOnce],
      against: [],
      without: [
        { off: notifyEachRequest, breaks: notifiedOnce, scope: TWO_SLOTS },
        { off: notifyEachResponse, breaks: notifiedOnce, scope: TWO_SLOTS },
      ],
    }),
  ],
  mayStop: (m: Ring) => m.front.reqProdPvt[0] + 1 === m.size(ringIndex),
  assumptions: [
    'scoped: indices do not turn; each turn of 2^32 entries may bring one notification for a threshold of the turn before',
    'both ends are honest: a hostile end may set any threshold and be notified for every push, at its own expense',
    'empty and non-empty are what stands in shared memory, after the store buffers',
  ],
});

const dmaMachine = bookedMachine<Iommu>(iommuRaceMachine, () => iommuBook);

export const dmaFrugal = frugalDataPath({
  roles: ['translate', 'complete'],
  limits: STANDING,
  elsewhere: ['allocation', 'mapping', 'unmapping', 'invalidation'],
});

export const fastpathDma = suite('fastpath-dma', {
  title:
    'DMA behind an IOMMU with standing mappings: translated and completed without an allocation, a mapping or an invalidation',
  machine: dmaMachine,
  scope: {
    small: { domain: 2, generation: 1, frame: 4, device: 1, ats: 0, iova: 1, did: 1, queue: 3, dma: 1, record: 0 },
    default: { domain: 2, generation: 1, frame: 5, device: 1, ats: 0, iova: 1, did: 1, queue: 3, dma: 1, record: 0 },
    large: { domain: 2, generation: 1, frame: 5, device: 1, ats: 1, iova: 2, did: 1, queue: 4, dma: 2, record: 1 },
  },
  claims: [
    claim('a DMA costs no allocation, no mapping and no invalidation, whoever issues it', {
      keeps: [dmaFrugal],
      against: ['F2', 'F8'],
      without: [
        { off: mapEachBuffer, breaks: dmaFrugal },
        { off: flushEachBuffer, breaks: dmaFrugal },
        { off: bounceEachBuffer, breaks: dmaFrugal },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: ['granularity is the domain: what a device may reach stays mapped between requests'],
});

export const fastpathSuites = [fastpathRing, fastpathDma, fastpathBlock, fastpathVtd] as const;
