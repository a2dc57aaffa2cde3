/**
 * What follows a failure of the user half of a microdriver. Nobody restarts it: the way back ends where the kernel threads that waited have
 * their error, the lock is broken and the data path goes on (MD-L1). After a hang there is no way, since nobody notices; for the same
 * reason nobody suspects wrongly. And to the service of the user half itself no way leads at all.
 */
import { type Combolock, OUTSIDE, SPIN_MODE, USER } from '../../model/architectures/microdrivers/combolock.js';
import { type DataPath, FREE } from '../../model/architectures/microdrivers/dataPath.js';
import { depthOf, IDLE, PARKED, RUNNING, TOLD, type Xpc } from '../../model/architectures/microdrivers/xpcState.js';
import { dmaRemapping } from '../../model/iommu/index.js';
import { NONE } from '../../model/kernel/index.js';
import type { Era } from './architecture.js';
import type { CostStep } from './cost.js';
import { locksHangSuite, pathMachine, xpcHangSuite, xpcSuite } from './microdriversSuites.js';
import type { RecoveryRun } from './recovery.js';

const kernel = (operation: string, choices: Record<string, number> = {}): CostStep => ({
  operation,
  in: 'kernel',
  with: choices,
});
const user = (operation: string): CostStep => ({ operation, in: 'user half' });
const device = (operation: string): CostStep => ({ operation });

const missing = (era: Era) => (era === 'then' ? [dmaRemapping] : []);

/** The thread that called has an error or an answer, and nobody holds the lock. */
const calledBack = (m: Xpc): boolean =>
  (m.caller.state[0] === TOLD || m.caller.state[0] === IDLE) && m.reclock.owner[0] === NONE && depthOf(m) === 0;

/** The user half takes calls again. */
const servesAgain = (m: Xpc): boolean =>
  (m.userHalf.state[0] === PARKED || m.userHalf.state[0] === RUNNING) && calledBack(m);

/** A call up, with a call down of the user half inside it. */
const outstanding: readonly CostStep[] = [
  kernel('xpc.begin', { agent: 0 }),
  kernel('xpc.acquire', { agent: 0 }),
  kernel('xpc.up', { agent: 0 }),
  user('user.take'),
];

function callRecovery(era: Era): RecoveryRun[] {
  const common = { era, machine: xpcSuite.machine, scope: { caller: 1, level: 3 } };
  const crashed = [...outstanding, user('user.down'), device('user.crash')];
  return [
    {
      ...common,
      what: 'a kernel thread\u2019s call',
      from: 'crash',
      restored: calledBack,
      before: crashed,
      steps: [kernel('xpc.answer'), kernel('xpc.clearAway')],
    },
    {
      ...common,
      what: 'a kernel thread\u2019s call',
      from: 'hang',
      machine: xpcHangSuite.machine,
      restored: calledBack,
      before: [...outstanding, device('user.hang')],
      steps: [],
    },
    { ...common, what: 'the user half', from: 'crash', restored: servesAgain, before: crashed, steps: [] },
  ];
}

/** The lock is free and in its common mode, and the request that was under way is answered and taken. */
const pathGoesOn = (m: Combolock & DataPath): boolean =>
  m.context.state[USER] === OUTSIDE &&
  m.combolock.mode[0] === SPIN_MODE &&
  m.interrupt.masked[0] === 0 &&
  m.request.state[0] === FREE;

/** The user half fails with the lock that the interrupt handler needs, and with a request at the device: block or net, it is one path. */
function pathRecovery(era: Era): RecoveryRun[] {
  const common = { what: 'block and net', era, scope: { request: 1 }, gatesOff: missing(era), restored: pathGoesOn };
  const held: readonly CostStep[] = [
    kernel('path.submit', { request: 0 }),
    user('lock.userAsks'),
    kernel('lock.turn'),
    user('lock.userTakes'),
  ];
  return [
    {
      ...common,
      from: 'crash',
      machine: pathMachine,
      before: [...held, device('fault.holderDies')],
      steps: [
        device('path.complete'),
        kernel('lock.break'),
        kernel('path.interrupt'),
        kernel('path.take', { request: 0 }),
      ],
    },
    {
      ...common,
      from: 'hang',
      machine: locksHangSuite.machine,
      before: [...held, device('fault.holderHangs')],
      steps: [],
    },
  ];
}

/** Ways back, both eras. */
export const recoveryRuns: readonly RecoveryRun[] = (['then', 'now'] as const).flatMap((era) => [
  ...callRecovery(era),
  ...pathRecovery(era),
]);
