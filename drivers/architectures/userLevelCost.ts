/**
 * What a request costs with a user-level driver: clients by shared memory and a call to wake; block buffers mapped and unmapped for each
 * request (the measured cost of the 2005 patches), frames in pinned coherent pages (fast mode) and one copy; one read an interrupt.
 */
import type { Scope } from '../../model/kernel/index.js';
import type { Era } from './architecture.js';
import { type CostedRequest, type CostRun, type CostStep, repeated } from './cost.js';
import { pathMachine } from './userLevelMachines.js';

const DRIVER = 1;
const CLIENT = 'client';
const IN_DRIVER = 'driver';
/** Lowest frame that the driver can be given. */
const FIRST_FREE = 3;

const scopeFor = (batch: number): Scope => ({
  domain: 3,
  generation: 1,
  frame: FIRST_FREE + batch,
  device: 1,
  ats: 0,
  iova: batch,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
  irq: 1,
  request: batch + 1,
  'pin limit': batch,
});

/** Opening the device and its line, memory, and the first read. */
const connect = (what: CostedRequest, batch: number): CostStep[] => [
  { operation: 'user.open', with: { device: 0, process: DRIVER } },
  { operation: 'irq.open', with: { irq: 0, process: DRIVER } },
  { operation: 'service.open', with: { agent: DRIVER } },
  { operation: 'irq.read', with: { irq: 0, process: DRIVER } },
  ...repeated(batch, (i) => [
    isBlock(what)
      ? { operation: 'page.allocate', with: { agent: DRIVER, frame: FIRST_FREE + i } }
      : { operation: 'user.coherent', with: { process: DRIVER, iova: i } },
  ]),
];

const isBlock = (what: CostedRequest): boolean => what === 'block read' || what === 'block write';

/** Whether the device writes memory. */
const intoMemory = (what: CostedRequest): number => (what === 'block read' || what === 'net receive' ? 1 : 0);

const send = (batch: number): CostStep[] =>
  repeated(batch, (i) => [{ operation: 'client.send', in: CLIENT, with: { request: i } }]);

/** The device does request i: registers are the driver’s, so nobody else is asked. */
const work = (i: number, write: number): CostStep[] => [
  { operation: 'driver.issue', in: IN_DRIVER, with: { request: i } },
  { operation: 'dma.issue', with: { agent: 0, iova: i, write } },
  { operation: 'dma.complete' },
  { operation: 'device.perform', with: { domain: DRIVER } },
];

/** One interrupt for the batch, raised by the first that is done. */
const interrupt: readonly CostStep[] = [
  { operation: 'irq.raise', with: { irq: 0 } },
  { operation: 'irq.return', in: IN_DRIVER, with: { irq: 0, process: DRIVER } },
];

function serve(what: CostedRequest, batch: number): CostStep[] {
  const write = intoMemory(what);
  const map = repeated(isBlock(what) ? batch : 0, (i) => [
    {
      operation: 'user.map',
      in: IN_DRIVER,
      with: { device: 0, iova: i, process: DRIVER, frame: FIRST_FREE + i, write },
    },
  ]);
  const unmap = repeated(isBlock(what) ? batch : 0, (i) => [
    { operation: 'user.unmap', in: IN_DRIVER, with: { device: 0, iova: i, process: DRIVER } },
  ]);
  return [
    ...map,
    ...repeated(batch, (i) => [
      ...work(i, write),
      ...(i === 0 ? interrupt : []),
      { operation: 'driver.answer', in: IN_DRIVER, with: { agent: DRIVER } },
    ]),
    ...unmap,
    { operation: 'irq.read', in: IN_DRIVER, with: { irq: 0, process: DRIVER } },
    ...repeated(batch, (i) => [{ operation: 'client.receive', in: CLIENT, with: { request: i } }]),
    ...repeated(batch, (i) => [{ operation: 'client.next', in: CLIENT, with: { request: i } }]),
  ];
}

function run(what: CostedRequest, batch: 1 | 8, era: Era): CostRun {
  // A received frame finds its buffer there: clients put the next ones back before they wait.
  const posted = what === 'net receive';
  return {
    what,
    batch,
    era,
    machine: pathMachine,
    scope: scopeFor(batch),
    initial: {
      'the driver has its device, and a page is mapped': 0,
      'the kernel uses the last line': 0,
      'the first request is a frame': isBlock(what) ? 0 : 1,
      'the driver has its device, and the first request is at it': 0,
    },
    before: [...connect(what, batch), ...(posted ? send(batch) : [])],
    steps: posted ? [...serve(what, batch), ...send(batch)] : [...send(batch), ...serve(what, batch)],
  };
}

const REQUESTS: readonly CostedRequest[] = ['block read', 'block write', 'net transmit', 'net receive'];

/** Both eras do the same work: the I/O MMU of the zx1 is programmed as today’s are. */
export const costRuns: readonly CostRun[] = (['then', 'now'] as const).flatMap((era) =>
  REQUESTS.flatMap((what) => ([1, 8] as const).map((batch) => run(what, batch, era))),
);
