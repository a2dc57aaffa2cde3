/** Scripted runs of block requests over the split driver, for the architectures that share disks by it. */
import { backendFailures } from '../../faults/block.js';
import { bookedBlock } from '../../model/architectures/blockBook.js';
import { type Block, DONE_OK, DYING, KEPT_BACK } from '../../model/blockState.js';
import type { Gate } from '../../model/kernel/index.js';
import { splitBlock } from '../../model/splitBlock.js';
import { plainStart } from '../suites/blockStarts.js';
import type { Era } from './architecture.js';
import { type CostRun, type CostStep, repeated } from './cost.js';
import { type Failure, failures, type RecoveryRun } from './recovery.js';

const machine = bookedBlock({ name: 'block, with its ledger', modules: [splitBlock, plainStart] });

/** A ring of eight. Even requests read, odd ones write; the last page is for the ring. */
const EIGHT = {
  device: 1,
  frontend: 1,
  backend: 2,
  epoch: 1,
  request: 16,
  page: 17,
  pending: 8,
  segment: 1,
  sector: 4,
  slot: 8,
  index: 16,
  'segment count': 3,
  'message id': 17,
};

const guest = (operation: string, choices: Record<string, number> = {}): CostStep => ({
  operation,
  in: 'guest',
  with: choices,
});
const driver = (operation: string, choices: Record<string, number> = {}): CostStep => ({
  operation,
  in: 'driver domain',
  with: choices,
});

/** From submission to completion; the backend takes the requests in turn, each through all of its stages. */
function steps(batch: number, write: number): CostStep[] {
  return [
    ...repeated(batch, (i) => [guest('front.submit', { request: 2 * i + write })]),
    driver('back.wake'),
    ...repeated(batch, () => [driver('back.take')]),
    ...repeated(batch, () => [driver('back.map')]),
    ...repeated(batch, () => [driver('back.access')]),
    ...repeated(batch, () => [driver('back.unmap')]),
    ...repeated(batch, () => [driver('back.respond')]),
    driver('back.finalCheck'),
    guest('front.interrupt'),
    ...repeated(batch, () => [guest('front.collect')]),
    guest('front.finalCheck'),
    ...repeated(batch, (i) => [guest('client.again', { request: 2 * i + write })]),
  ];
}

/** Block reads and writes, alone and by eight, in an era. */
export function blockCostRuns(era: Era, gatesOff: readonly Gate[]): CostRun[] {
  return (['block read', 'block write'] as const).flatMap((what) =>
    ([1, 8] as const).map((batch) => ({
      what,
      batch,
      era,
      machine,
      scope: EIGHT,
      gatesOff,
      before: [driver('back.finalCheck'), guest('front.finalCheck')],
      steps: steps(batch, what === 'block write' ? 1 : 0),
    })),
  );
}

const failing = bookedBlock({
  name: 'block that fails, with its ledger',
  modules: [splitBlock, backendFailures, plainStart],
});
const ONE = { ...EIGHT, epoch: 2, request: 1, page: 3, pending: 1, slot: 1, index: 2, 'message id': 3 };

/** How a failure comes, and how it is noticed. */
const FAILURES: Readonly<Record<Failure, { readonly fault: CostStep; readonly noticed: readonly CostStep[] }>> = {
  crash: { fault: { operation: 'backend.crash' }, noticed: [] },
  hang: { fault: { operation: 'backend.hang' }, noticed: [{ operation: 'manager.destroy', in: 'control domain' }] },
  'wrong suspicion': { fault: { operation: 'manager.suspectFalsely', in: 'control domain' }, noticed: [] },
};

/** The client has its answer, and no dead backend has anything. */
function blockRestored(m: Block): boolean {
  return m.client.state[0] === DONE_OK && !m.be.life.includes(DYING) && !m.page.use.includes(KEPT_BACK);
}

/** A failure with a request performed but not answered, until its client has the answer from the next backend. */
export function blockRecovery(era: Era, gatesOff: readonly Gate[]): RecoveryRun[] {
  return failures.map((from) => ({
    what: 'block',
    from,
    era,
    machine: failing,
    scope: ONE,
    gatesOff,
    restored: blockRestored,
    before: [
      guest('front.submit'),
      driver('back.take'),
      driver('back.map'),
      driver('back.access'),
      FAILURES[from].fault,
    ],
    steps: [
      ...FAILURES[from].noticed,
      ...repeated(2, () => [{ operation: 'vmm.takeBack', in: 'VMM' }]),
      { operation: 'vmm.bury', in: 'VMM' },
      { operation: 'manager.restart', in: 'control domain' },
      guest('front.suspend'),
      guest('front.initialise'),
      driver('back.connect'),
      guest('front.replay'),
      guest('front.connect'),
      driver('back.take'),
      driver('back.map'),
      driver('back.access'),
      driver('back.unmap'),
      driver('back.respond'),
      guest('front.collect'),
    ],
  }));
}
