/**
 * Attacks on the channel of a DD/OS: a client that leaves anything in its ring, that rewrites what was validated, that floods, that plays
 * with the status words; a DD/OS that answers what was not asked; a device that interrupts without end.
 */
import { mutant } from '../../../drivers/suite.js';
import { answer, finish, sleep, start, take } from '../../../model/architectures/driverReuse/channel.js';
import {
  ASLEEP,
  BEYOND,
  type Channel,
  CLIENTS,
  client,
  isHostileClient,
  NOTHING,
  OWN,
  ownStatusPage,
  rangePrivilege,
  SERVERS,
  slot,
} from '../../../model/architectures/driverReuse/channelState.js';
import type { Interrupts } from '../../../model/architectures/driverReuse/interruptIpc.js';
import { copyBounds, type Receive } from '../../../model/architectures/driverReuse/receive.js';
import { blockedBy, module, OK, omit, operationOn, replace } from '../../../model/kernel/index.js';

const operation = operationOn<Channel>();
const onReceive = operationOn<Receive>();
const onInterrupts = operationOn<Interrupts>();

/** The hostile client hands over a slot whose address lies beyond it. */
export const badAddress = operation('client.badAddress', {
  agent: client,
  says: 'leaves an address beyond itself in {slot}',
  fault: 'F5',
  input: { slot },
  where: {
    agent: isHostile,
    slot: (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      return m.ring.owner[r] === SERVERS && m.work.stage[r] === NOTHING && m.ring.address[r] === OWN;
    },
  },
  touches: (m, op, may) => may.write(m.ring, m.ring.at(op.agent, op.slot)),
  steps: {
    write: (m, op) => {
      m.ring.address[m.ring.at(op.agent, op.slot)] = BEYOND;
    },
  },
});

/** ...and changes the address after the server has looked at it. */
export const rewrite = operation('client.rewrite', {
  agent: client,
  says: 'rewrites the address in {slot}, which the server has taken',
  source: 'XSA-155',
  fault: 'F6',
  input: { slot },
  where: {
    agent: isHostile,
    slot: (m, op) => {
      const r = m.ring.at(op.agent, op.slot);
      return m.work.stage[r] !== NOTHING && m.ring.address[r] === OWN;
    },
  },
  touches: (m, op, may) => may.write(m.ring, m.ring.at(op.agent, op.slot)),
  steps: {
    write: (m, op) => {
      m.ring.address[m.ring.at(op.agent, op.slot)] = BEYOND;
    },
  },
});

/** The hostile client hands slots over without taking them back. */
export const flood = operation('client.flood', {
  agent: client,
  says: 'hands {slot} over again at once',
  fault: 'F12',
  input: { slot },
  where: {
    agent: isHostile,
    slot: (m, op) => m.ring.owner[m.ring.at(op.agent, op.slot)] === CLIENTS,
  },
  touches: (m, op, may) => {
    may.write(m.ring, m.ring.at(op.agent, op.slot));
    may.write(m.status, op.agent);
    may.write(m.server);
  },
  steps: {
    'hand over': (m, op) => {
      m.ring.owner[m.ring.at(op.agent, op.slot)] = SERVERS;
      m.status.serverTold[op.agent] = 1;
      if (m.server.state[0] === ASLEEP) m.server.state[0] = 1;
    },
  },
});

/** The hostile client writes the status word of another client: the other believes that the server was told. */
export const suppress = operation('client.suppress', {
  agent: client,
  says: 'marks the server as told for {other}',
  source: 'LeVasseur et al. 2004, published server: one status page, mapped writable to all clients (GAP-V2)',
  fault: 'F7',
  input: { other: client },
  where: { agent: isHostile, other: (m, op) => op.other !== op.agent && m.status.serverTold[op.other] === 0 },
  touches: (m, op, may) => may.write(m.status, op.other),
  steps: {
    'reach the page': (m) => (m.on(ownStatusPage) ? blockedBy(ownStatusPage) : OK),
    write: (m, op) => {
      m.status.serverTold[op.other] = 1;
    },
  },
});

/** A DD/OS hands back a slot that nobody gave it. */
export const forgeAnswer = operation('server.forgeAnswer', {
  agent: 'DD/OS',
  says: 'hands {slot} of {client} back, which it was not given',
  fault: 'F5',
  input: { client, slot },
  where: {
    slot: (m, op) => {
      const r = m.ring.at(op.client, op.slot);
      return m.request.outstanding[r] === 0 && m.ring.owner[r] === CLIENTS && m.ring.failed[r] === 0;
    },
  },
  touches: (m, op, may) => may.write(m.ring, m.ring.at(op.client, op.slot)),
  steps: {
    write: (m, op) => {
      m.ring.failed[m.ring.at(op.client, op.slot)] = 1;
    },
  },
});

/** Somebody who does not serve a client asks the monitor where its memory lies. */
export const askRange = operation('stranger.askRange', {
  agent: client,
  says: 'asks for the physical addresses of {other}',
  source: 'LeVasseur et al. 2004, V1 get_client_phys_range: no privilege check in code (GAP-V1)',
  fault: 'F13',
  input: { other: client },
  where: { agent: isHostile, other: (m, op) => op.other !== op.agent && m.seen.exposed[op.other] === 0 },
  touches: (m, op, may) => may.write(m.seen, op.other),
  steps: {
    'check the caller': (m) => (m.on(rangePrivilege) ? blockedBy(rangePrivilege) : OK),
    tell: (m, op) => {
      m.seen.exposed[op.other] = 1;
    },
  },
});

function isHostile(m: Channel, op: { agent: number }): boolean {
  return isHostileClient(m, op.agent);
}

/** A DD/OS announces a packet as longer than the client's buffer. */
export const overlong = onReceive('server.overlong', {
  agent: 'DD/OS',
  says: 'sends {client} more than its buffer holds',
  fault: 'F5',
  input: { client },
  where: { client: (m, op) => m.rx.waits[op.client] > 0 && m.rx.overrun[op.client] === 0 },
  touches: (m, op, may) => may.write(m.rx, op.client),
  steps: {
    'check both mappings': (m) => (m.on(copyBounds) ? blockedBy(copyBounds) : OK),
    copy: (m, op) => {
      m.rx.overrun[op.client] = 1;
    },
  },
});

/** More packets than anybody reads. */
export const burst = onReceive('device.burst', {
  agent: 'device',
  says: 'fills the queue of {client}',
  fault: 'F12',
  input: { client },
  where: { client: (m, op) => m.rx.queued[op.client] === 0 },
  touches: (m, op, may) => may.write(m.rx, op.client),
  steps: {
    fill: (m, op) => {
      m.rx.queued[op.client] = 1;
    },
  },
});

/** The device interrupts without end. */
export const storm = onInterrupts('device.storm', {
  agent: 'device',
  says: 'begins to interrupt without end',
  fault: 'F9',
  where: { agent: (m) => m.irq.storm[0] === 0 },
  touches: (m, _op, may) => may.write(m.irq),
  steps: {
    begin: (m) => {
      m.irq.storm[0] = 1;
      m.irq.asserted[0] = 1;
    },
  },
});

export const channelFaults = module<Channel, Record<never, never>>('attacks on the channel', {
  tables: {},
  operations: [badAddress, rewrite, flood, suppress, forgeAnswer, askRange],
});
export const receiveFaults = module<Receive, Record<never, never>>('attacks on reception', {
  tables: {},
  operations: [overlong, burst],
});
export const stormFaults = module<Interrupts, Record<never, never>>('interrupt storm', {
  tables: {},
  operations: [storm],
});

const CODE = 'LeVasseur et al. 2004, published code';

export const openRange = mutant('GAP-V1', {
  says: 'whoever asks is told where a client\u2019s memory lies',
  source: CODE,
  edits: [omit(askRange, 'check the caller')],
});
export const sharedStatus = mutant('GAP-V2', {
  says: 'all clients may write the server\u2019s status page',
  source: CODE,
  edits: [omit(suppress, 'reach the page')],
});
export const uncheckedAddress = mutant('GAP-V3', {
  says: 'buffer addresses are offset by the client\u2019s bus base, and not checked against its size',
  source: CODE,
  edits: [
    replace(take, 'validate', (m, op) => {
      if (m.connection.open[op.client] === 1) return;
      m.work.stage[m.ring.at(op.client, op.slot)] = NOTHING;
    }),
  ],
});
/** The published server: it reads the slot where it lies. */
export const inPlace = mutant('slots in place', {
  says: 'the server validates a slot in shared memory, and reads it again when it starts the I/O',
  source: CODE,
  edits: [
    replace(start, 'use the snapshot', (m, op) => {
      const r = m.work.at(op.client, op.slot);
      m.work.address[r] = m.ring.address[r];
    }),
  ],
});
export const earlyAnswer = mutant('handed back in flight', {
  says: 'a slot is handed back before its DMA is done',
  source: 'order of V3: the I/O, the error, the owner',
  edits: [omit(answer, 'be done')],
});
export const silentFinish = mutant('no interrupt', {
  says: 'the server sleeps through completions',
  source: 'order of V3',
  edits: [omit(finish, 'interrupt')],
});
export const sleepsAtOnce = mutant('sleeps without a last look', {
  says: 'the server clears its status words and sleeps',
  source: 'V3 notification suppression',
  edits: [
    replace(sleep, 'look once more', (m) => {
      m.server.state[0] = ASLEEP;
    }),
  ],
});
