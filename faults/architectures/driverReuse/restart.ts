/** What ends a DD/OS, what an older instance still says, and mutants of restart and detachment. */
import { mutant } from '../../../drivers/suite.js';
import { client } from '../../../model/architectures/driverReuse/channelState.js';
import { endDetach } from '../../../model/architectures/driverReuse/detach.js';
import { joinInstance, reattach } from '../../../model/architectures/driverReuse/reattach.js';
import { reclaim, startRequest } from '../../../model/architectures/driverReuse/restart.js';
import {
  ANSWERED,
  canReturn,
  clearRequest,
  DYING,
  ddos,
  dropClient,
  epochCheck,
  HUNG,
  QUEUED,
  type Restart,
  RUNNING,
  request,
  STARTED,
} from '../../../model/architectures/driverReuse/restartState.js';
import { blockedBy, module, OK, omit, operationOn, reorder, replace } from '../../../model/kernel/index.js';

const operation = operationOn<Restart>();

/** The DD/OS crashes, at any moment, with whatever its device has in flight. */
export const crash = operation('ddos.crash', {
  agent: ddos,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: {
    agent: (m, op) => (m.ddos.life[op.agent] === RUNNING || m.ddos.life[op.agent] === HUNG) && canReturn(m, op.agent),
  },
  touches: (m, op, may) => may.write(m.ddos, op.agent),
  steps: {
    stop: (m, op) => {
      m.ddos.life[op.agent] = DYING;
      m.killThreads(op.agent, ddos);
    },
  },
});

/** The DD/OS stops answering; its device goes on. */
export const hang = operation('ddos.hang', {
  agent: ddos,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.ddos.life[op.agent] === RUNNING && canReturn(m, op.agent) },
  touches: (m, op, may) => may.write(m.ddos, op.agent),
  steps: {
    hang: (m, op) => {
      m.ddos.life[op.agent] = HUNG;
      m.killThreads(op.agent, ddos);
    },
  },
});

/** A DD/OS that works is taken for hung. */
export const suspect = operation('ddos.suspected', {
  agent: ddos,
  says: 'is wrongly taken for hung, and stopped',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.ddos.life[op.agent] === RUNNING && canReturn(m, op.agent) },
  touches: (m, op, may) => may.write(m.ddos, op.agent),
  steps: {
    stop: (m, op) => {
      m.ddos.life[op.agent] = DYING;
      m.killThreads(op.agent, ddos);
    },
  },
});

/** An answer that an older instance left behind is found by the client of a newer one. */
export const oldAnswer = operation('ddos.oldAnswer', {
  agent: client,
  says: 'finds an answer to {request} that an older instance left',
  fault: 'F14',
  input: { request },
  where: {
    agent: (m, op) => m.link.generation[op.agent] > 0,
    request: (m, op) => {
      const stage = m.request.stage[m.request.at(op.agent, op.request)];
      return stage === QUEUED || stage === STARTED;
    },
  },
  touches: (m, op, may) => may.write(m.request, m.request.at(op.agent, op.request)),
  steps: {
    'ask whose answer it is': (m) => (m.on(epochCheck) ? blockedBy(epochCheck) : OK),
    believe: (m, op) => {
      m.request.stage[m.request.at(op.agent, op.request)] = ANSWERED;
    },
  },
});

export const restartFaults = module<Restart, Record<never, never>>('failures of a DD/OS', {
  tables: {},
  operations: [crash, hang, suspect, oldAnswer],
});

export const detachAtOnce = mutant('GAP-V4', {
  says: 'a client is detached while its DMA is in flight',
  source: 'LeVasseur et al. 2004, published code ("to do: wait for quiesce")',
  edits: [omit(endDetach, 'wait for DMA')],
});
export const reclaimAtOnce = mutant('reclaimed in flight', {
  says: 'what a dead DD/OS had is taken back while its DMA is in flight',
  source: 'order of V6 and V7',
  edits: [omit(reclaim, 'wait for DMA')],
});
export const keepsBus = mutant('dead device on the bus', {
  says: 'the device of a dead DD/OS keeps the bus',
  source: 'order of V6 and V7',
  edits: [omit(reclaim, 'be off the bus')],
});
export const leaksPins = mutant('pins leak', {
  says: 'what a dead DD/OS had pinned stays pinned',
  source: 'V5 pin rule',
  edits: [omit(reclaim, 'unmap and unpin')],
});
export const replaysFrames = mutant('frames replayed', {
  says: 'after a restart the client submits frames again as well',
  source: 'V7',
  edits: [
    replace(reattach, 'replay', (m, op) => {
      for (let r = 0; r < m.size(request); r++) {
        const row = m.request.at(op.agent, r);
        if (m.request.stage[row] !== 0 && m.request.stage[row] !== ANSWERED) m.request.stage[row] = QUEUED;
      }
    }),
  ],
});
export const forgetsRequests = mutant('requests forgotten', {
  says: 'after a restart the client forgets block requests',
  source: 'V7',
  edits: [
    replace(reattach, 'replay', (m, op) => {
      for (let r = 0; r < m.size(request); r++) clearRequest(m, m.request.at(op.agent, r));
    }),
  ],
});
export const noReplay = mutant('nothing replayed', {
  says: 'after a restart nobody submits again what was under way',
  source: 'V7',
  edits: [omit(reattach, 'replay')],
});
export const ringFirst = mutant('ring before replay', {
  says: 'the new instance has the ring before the client has put its requests in order',
  source: 'V2 reattach, V7',
  edits: [
    reorder(reattach, ['new ring', 'replay']),
    replace(reattach, 'new ring', (m, op) => joinInstance(m, op.agent)),
  ],
});
export const joinsTheDead = mutant('attached to the dead', {
  says: 'a client that reattaches does not notice that the new instance has died as well',
  source: 'V2 reattach, V7',
  edits: [replace(reattach, 'new ring', (m, op) => joinInstance(m, op.agent))],
});
export const unpinnedStart = mutant('started unpinned', {
  says: 'the device is given a buffer that is not pinned',
  source: 'V5 pin rule',
  edits: [omit(startRequest, 'pin the buffer')],
});
export const reclaimsAll = mutant('everybody\u2019s clients dropped', {
  says: 'the death of one DD/OS takes the regions of all clients',
  source: 'V7: other clients are not concerned',
  edits: [
    replace(reclaim, 'unmap and unpin', (m: Restart) => {
      for (let c = 0; c < m.link.rows; c++) dropClient(m, c);
    }),
  ],
});
