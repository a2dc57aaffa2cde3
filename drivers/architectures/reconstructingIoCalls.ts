/**
 * "Reconstructing I/O": a driver domain that fails while the VMM maps or unmaps a buffer for its device, at any step of the call, with DMA
 * in flight. The manager pauses it first: a call that is under way is done before anything is taken from its domain.
 */
import { crashDriver, hangDriver, suspectFalsely } from '../../faults/architectures/reconstructingIo.js';
import { devMap, devReap, devUnmap, endLoan } from '../../model/architectures/reconstructingIo/lending.js';
import { isServed, pauseFirst, type Restarts, WORKING } from '../../model/architectures/reconstructingIo/restart.js';
import { IDLE } from '../../model/iommu/index.js';
import { type Gate, guardWith, type MachineDef, module } from '../../model/kernel/index.js';
import { dmaConfined, pinsCounted } from '../../properties/architectures/reconstructingIo.js';
import { oneLiveOwner, pausedFirst, serviceResumes } from '../../properties/architectures/reconstructingIoRestart.js';
import { claim, suite } from '../suite.js';
import { ASSUMPTIONS, LACKED_THEN, SAYS } from './reconstructingIoDevices.js';
import { CLIENT_FRAME, restartMachine } from './reconstructingIoMachines.js';

/** Whether the domain of the DID can call: it works, and is not paused. */
function mayCall(m: Restarts, d: number): boolean {
  const owner = m.ioDomain.owner[d];
  const v = m.device.home.indexOf(owner);
  if (v < 0 || m.backend.health[owner] !== WORKING) return false;
  return !m.on(pauseFirst) || isServed(m, v);
}

const BUFFER_PAGE = 1;

/** Calls of a domain that can make any; all are about the client's frame or its own, at the second page. */
const CALLS = [
  guardWith(devMap, 'did', (m, op) => mayCall(m as Restarts, op.did)),
  guardWith(devMap, 'iova', (_m, op) => op.iova === BUFFER_PAGE),
  guardWith(
    devMap,
    'frame',
    (m, op) => op.frame === CLIENT_FRAME || m.frame.owner[op.frame] === m.ioDomain.owner[op.did],
  ),
  guardWith(devMap, 'write', (_m, op) => op.write === 1),
  guardWith(devUnmap, 'did', (m, op) => mayCall(m as Restarts, op.did) && m.flush.state[op.did] === IDLE),
  guardWith(
    devUnmap,
    'iova',
    (m, op) => op.iova === BUFFER_PAGE && m.ioEntry.rights[m.ioEntry.at(op.did, op.iova)] !== 0,
  ),
];

const FAILURES = [crashDriver, hangDriver, suspectFalsely];

/** One driver domain, whose calls the VMM serves on a thread of its own. */
export const callsMachine: MachineDef = {
  name: 'reconstructing I/O: calls and restarts',
  modules: restartMachine.modules.map((mod) => {
    if (mod.name === 'loans') return { ...mod, operations: [endLoan, devMap, devUnmap, devReap] };
    if (mod.name === 'stale') return { ...mod, operations: [] };
    if (mod.name === 'driver failures') return module('driver failures', { tables: {}, operations: FAILURES });
    return mod;
  }),
  threads: () => ['manager', 'vmm'],
};

const SCOPE = {
  domain: 3,
  generation: 1,
  frame: 4,
  device: 1,
  ats: 0,
  iova: 2,
  did: 1,
  queue: 3,
  dma: 1,
  record: 0,
  restarts: 1,
  client: 1,
} as const;

/** Without an IOMMU that drains, what a finished unmapping leaves in flight is another row's finding. */
const claims = (drains: boolean) => [
  claim(SAYS.calls, {
    keeps: [...(drains ? [dmaConfined] : []), pinsCounted, pausedFirst, oneLiveOwner, serviceResumes],
    against: ['F3', 'F10', 'F11'],
    without: [{ off: pauseFirst, breaks: pausedFirst }],
  }),
];

const callsSuite = (name: string, more: string, gatesOff: readonly Gate[]) =>
  suite(name, {
    title: `a driver domain fails while a buffer is mapped or unmapped for its device, and is restarted${more}`,
    machine: callsMachine,
    schedule: 'split',
    gatesOff,
    edits: CALLS,
    scope: { small: SCOPE, default: SCOPE, large: { ...SCOPE, restarts: 2 } },
    claims: claims(gatesOff.length === 0),
    mayStop: () => true,
    assumptions: ASSUMPTIONS,
  });

export const callsNow = callsSuite('reconstructing-io-calls', '', []);
export const callsThen = callsSuite('reconstructing-io-calls-2004', '; on hardware of 2004', LACKED_THEN);
