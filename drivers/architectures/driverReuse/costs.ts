/**
 * What a request costs in the driver-reuse architecture, in the steady state: client memory has long been mapped, so no request maps
 * anything, with or without an IO-MMU, in either era (V5; the price of time multiplexing is waiting for the slice, and not counted here).
 */
import type { Era } from '../architecture.js';
import { type CostedRequest, type CostRun, type CostStep, repeated } from '../cost.js';
import { channelMachine, receiveMachine } from './channel.js';

const inClient = (operation: string, more: Readonly<Record<string, number>> = {}): CostStep => ({
  operation,
  in: 'client',
  with: { agent: 0, ...more },
});
const inServer = (operation: string, more: Readonly<Record<string, number>> = {}): CostStep => ({
  operation,
  in: 'DD/OS',
  with: more,
});

const RING_SCOPE = { client: 2, slot: 8, vector: 16 };
const RECEIVE_SCOPE = { client: 2, 'queue length': 8, receiver: 8 };

/** Zero copy: slots are handed over, the device works in client memory, slots are handed back; one wake-up each way. */
function ringSteps(batch: number): CostStep[] {
  const each = (i: number): Record<string, number> => ({ client: 0, slot: i });
  return [
    ...repeated(batch, (i) => [inClient('client.submit', { slot: i })]),
    ...repeated(batch, (i) => [inServer('server.take', each(i)), inServer('server.start', each(i))]),
    ...repeated(batch, (i) => [{ operation: 'device.finish', with: each(i) }]),
    ...repeated(batch, (i) => [inServer('server.answer', each(i))]),
    inServer('server.swap'),
    inServer('server.sleep'),
    ...repeated(batch, (i) => [inClient('client.consume', { slot: i })]),
  ];
}

/** One copy by the hypervisor for each packet. */
function receiveSteps(batch: number): CostStep[] {
  return [
    ...repeated(batch, () => [{ operation: 'device.receive', with: { client: 0 } }]),
    ...repeated(batch, () => [inServer('server.deliver', { client: 0 })]),
    ...repeated(batch, () => [inClient('client.read'), inClient('client.wait')]),
  ];
}

function run(what: CostedRequest, batch: 1 | 8, era: Era): CostRun {
  if (what === 'net receive') {
    const before = repeated(batch, () => [inClient('client.wait')]);
    return { what, batch, era, machine: receiveMachine, scope: RECEIVE_SCOPE, before, steps: receiveSteps(batch) };
  }
  return { what, batch, era, machine: channelMachine, scope: RING_SCOPE, steps: ringSteps(batch) };
}

const REQUESTS: readonly CostedRequest[] = ['block read', 'block write', 'net transmit', 'net receive'];

/** All runs, both eras. */
export const costRuns: readonly CostRun[] = (['then', 'now'] as const).flatMap((era) =>
  REQUESTS.flatMap((what) => ([1, 8] as const).map((batch) => run(what, batch, era))),
);
