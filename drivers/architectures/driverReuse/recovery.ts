/**
 * Ways back to service of the driver-reuse architecture: off the bus, drain, unmap and unpin, boot again, reattach, and the request once
 * more. Both eras have an IO-MMU, and what is taken out of it and put into it is the same.
 */
import { beginDetach } from '../../../model/architectures/driverReuse/detach.js';
import {
  ANSWERED,
  ATTACHED,
  IDLE,
  type Restart,
  RUNNING,
} from '../../../model/architectures/driverReuse/restartState.js';
import { drop } from '../../../model/kernel/index.js';
import type { Era } from '../architecture.js';
import type { CostStep } from '../cost.js';
import { type Failure, failures, type RecoveryRun } from '../recovery.js';
import { restartMachine } from './restart.js';

const monitor = (operation: string): CostStep => ({ operation, in: 'resource monitor' });
const client = (operation: string, choices: Record<string, number> = {}): CostStep => ({
  operation,
  in: 'client',
  with: choices,
});

/** How a failure comes, and how it is noticed: by an operator or a watchdog. */
const FAULTS: Readonly<Record<Failure, { readonly fault: string; readonly noticed: readonly CostStep[] }>> = {
  crash: { fault: 'ddos.crash', noticed: [] },
  hang: { fault: 'ddos.hang', noticed: [monitor('monitor.stopHung')] },
  'wrong suspicion': { fault: 'ddos.suspected', noticed: [] },
};

/** A client that gives up is done with its request as well, and has lost it: none does. */
const KEEPS_ON = [drop(beginDetach)];

/** By number: even requests are block requests, odd ones frames. */
const REQUESTS = { block: 0, net: 1 } as const;
type Kind = keyof typeof REQUESTS;

function recovery(kind: Kind, era: Era): RecoveryRun[] {
  const request = REQUESTS[kind];
  const server = (operation: string, choices: Record<string, number> = {}): CostStep => ({
    operation,
    in: 'DD/OS',
    with: { client: 0, request, ...choices },
  });
  return failures.map((from) => ({
    what: kind,
    from,
    era,
    machine: restartMachine,
    scope: { 'DD/OS': 1, client: 1, request: 2, generation: 2 },
    initial: { 'a request is under way': 0 },
    edits: KEEPS_ON,
    restored: (m: Restart) => m.ddos.life[0] === RUNNING && m.ddos.generation[0] === 1 && done(m, kind),
    before: [client('client.submit', { request }), server('server.start'), { operation: FAULTS[from].fault }],
    steps: [
      ...FAULTS[from].noticed,
      monitor('monitor.leaveBus'),
      { operation: 'device.finish' },
      monitor('monitor.reclaim'),
      monitor('monitor.boot'),
      client('client.reattach'),
      ...(kind === 'net' ? [client('client.submit', { request })] : []),
      server('server.start'),
      { operation: 'device.finish' },
      server('server.answer'),
      ...(kind === 'block' ? [client('client.takeAnswer', { request })] : []),
    ],
  }));
}

/** Whether the client has the answer to its block request, or there is one to its next frame, from the present instance. */
function done(m: Restart, kind: Kind): boolean {
  if (m.link.state[0] !== ATTACHED || m.link.generation[0] !== m.ddos.generation[0]) return false;
  return m.request.stage[REQUESTS[kind]] === (kind === 'block' ? IDLE : ANSWERED);
}

/** Ways back, both eras. */
export const recoveryRuns: readonly RecoveryRun[] = (['then', 'now'] as const).flatMap((era) => [
  ...recovery('block', era),
  ...recovery('net', era),
]);
