/**
 * Ways back to service of a user-level driver: close (disable, drain, unmap, invalidate, unpin, release), exit, start again, open, map, and
 * the request once more. One machine has all of it, so nothing of the way is left out.
 */

import { mapCoherent, mapStreaming } from '../../model/architectures/userLevel/mappings.js';
import { allocatePage } from '../../model/architectures/userLevel/pages.js';
import { COMPLETE, type Service } from '../../model/architectures/userLevel/service.js';
import { DRIVER, NO_MAPPING, type UserDrivers } from '../../model/architectures/userLevel/state.js';
import { RUNNING } from '../../model/domains.js';
import { drop, type Edit } from '../../model/kernel/index.js';
import type { Era } from './architecture.js';
import type { CostStep } from './cost.js';
import { type Failure, failures, type RecoveryRun } from './recovery.js';
import { failingPathMachine } from './userLevelFailingPath.js';

const CLIENT = 'client';
const IN_DRIVER = 'driver';
const KERNEL = 'kernel';
/** The driver's first page, and the frame that its next one has. */
const OWN = 2;
const BUFFER = 3;

const SCOPE = {
  domain: 3,
  generation: 2,
  frame: 4,
  device: 1,
  ats: 0,
  iova: 1,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
  irq: 1,
  request: 2,
  'pin limit': 1,
};

type Kind = 'block' | 'net';

/** How a failure comes, and how it is noticed: nobody watches, so somebody kills. */
const FAULTS: Readonly<Record<Failure, { readonly fault: CostStep; readonly noticed: readonly CostStep[] }>> = {
  crash: { fault: { operation: 'process.dies', with: { agent: DRIVER } }, noticed: [] },
  hang: {
    fault: { operation: 'process.hang', with: { agent: DRIVER } },
    noticed: [{ operation: 'process.kill', in: 'operator' }],
  },
  'wrong suspicion': { fault: { operation: 'process.suspected', with: { agent: DRIVER } }, noticed: [] },
};

/** Each kind has its own way to memory that its device works in. */
const ELSEWHERE: Readonly<Record<Kind, readonly Edit[]>> = {
  block: [drop(mapCoherent)],
  net: [drop(mapStreaming), drop(allocatePage)],
};

/** Memory that the device works in: a page of the process for a block, a coherent page for a frame. */
const memory = (kind: Kind, frame: number): CostStep[] =>
  kind === 'block'
    ? [
        { operation: 'page.allocate', in: IN_DRIVER, with: { agent: DRIVER, frame } },
        { operation: 'user.map', in: IN_DRIVER, with: { device: 0, iova: 0, process: DRIVER, frame, write: 1 } },
      ]
    : [{ operation: 'user.coherent', in: IN_DRIVER, with: { process: DRIVER, iova: 0 } }];

const open: readonly CostStep[] = [
  { operation: 'user.open', in: IN_DRIVER, with: { device: 0, process: DRIVER } },
  { operation: 'irq.open', in: IN_DRIVER, with: { irq: 0, process: DRIVER } },
  { operation: 'service.open', in: IN_DRIVER, with: { agent: DRIVER } },
  { operation: 'irq.read', in: IN_DRIVER, with: { irq: 0, process: DRIVER } },
];

/** A request until its DMA is in flight. */
const begun = (kind: Kind): CostStep[] => [
  { operation: 'client.send', in: CLIENT, with: { request: 0 } },
  { operation: 'driver.issue', in: IN_DRIVER, with: { request: 0 } },
  { operation: 'dma.issue', with: { agent: 0, iova: 0, write: kind === 'block' ? 1 : 0 } },
];

/** ...and until its client has the answer. */
const ended: readonly CostStep[] = [
  { operation: 'dma.complete' },
  { operation: 'device.perform', with: { domain: DRIVER } },
  { operation: 'irq.raise', with: { irq: 0 } },
  { operation: 'irq.return', in: IN_DRIVER, with: { irq: 0, process: DRIVER } },
  { operation: 'driver.answer', in: IN_DRIVER, with: { agent: DRIVER } },
  { operation: 'client.receive', in: CLIENT, with: { request: 0 } },
];

/** Everything of the dead driver goes: its requests are noticed, its device is drained and closed, its pages are taken. */
const gone = (pages: readonly number[]): CostStep[] => [
  { operation: 'client.notice', in: CLIENT, with: { request: 0 } },
  { operation: 'device.perform', with: { domain: DRIVER } },
  ...['user.close', 'irq.close', 'service.close'].map((operation) => ({ operation, in: KERNEL })),
  ...pages.map((frame) => ({ operation: 'page.exit', in: KERNEL, with: { process: DRIVER, frame } })),
  { operation: 'domain.release', in: KERNEL },
];

/** The next driver has device, line and memory, and the client what it asked for. */
function restored(m: Service & UserDrivers): boolean {
  return (
    m.domain.life[DRIVER] === RUNNING &&
    m.domain.generation[DRIVER] === 1 &&
    m.device.home[0] === DRIVER &&
    m.irqFile.open[m.irqFile.at(DRIVER, 0)] === 1 &&
    m.mapping.kind[0] !== NO_MAPPING &&
    m.request.state[0] === COMPLETE
  );
}

function recovery(kind: Kind, era: Era): RecoveryRun[] {
  return failures.map((from) => ({
    what: kind,
    from,
    era,
    machine: failingPathMachine,
    scope: SCOPE,
    edits: ELSEWHERE[kind],
    initial: {
      'the driver has its device, and a page is mapped': 0,
      'the kernel uses the last line': 0,
      'the first request is a frame': kind === 'block' ? 0 : 1,
      'the driver has its device, and the first request is at it': 0,
    },
    restored,
    before: [...open, ...memory(kind, BUFFER), ...begun(kind), FAULTS[from].fault],
    steps: [
      ...FAULTS[from].noticed,
      ...gone([OWN, BUFFER]),
      { operation: 'service.restart', in: 'init' },
      ...open,
      ...memory(kind, OWN),
      ...(kind === 'net' ? [{ operation: 'client.next', in: CLIENT, with: { request: 0 } }] : []),
      ...begun(kind),
      ...ended,
    ],
  }));
}

/** Ways back, both eras: the I/O MMU of the zx1 is programmed as today's are. */
export const recoveryRuns: readonly RecoveryRun[] = (['then', 'now'] as const).flatMap((era) => [
  ...recovery('block', era),
  ...recovery('net', era),
]);
