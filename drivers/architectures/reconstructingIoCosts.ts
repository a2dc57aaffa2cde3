/**
 * What a request costs in "Reconstructing I/O": in 2004 a driver domain's memory was as good as mapped for its device once and for all;
 * with today's IOMMU every buffer is mapped for the time of its request. The other combinations are exported beside.
 */

import type { Era } from './architecture.js';
import { type CostedRequest, type CostRun, type CostStep, costedRequests, repeated } from './cost.js';
import { classMachine } from './reconstructingIoClass.js';
import { LACKED_THEN } from './reconstructingIoDevices.js';

const EIGHT = { request: 8, place: 2, changes: 1, buffers: 1 };
/** Members of the sort `granularity`. */
export const BY_DOMAIN = 0;
export const BY_BUFFER = 1;

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
const soft = (operation: string): CostStep => ({ operation, in: 'soft-device domain' });

/** From submission to completion. Whoever takes, takes all: a batch costs one call. */
function steps(batch: number, behindSoft: boolean): CostStep[] {
  return [
    ...repeated(batch, (i) => [guest('client.submit', { request: i })]),
    ...(behindSoft ? [soft('soft.pass')] : []),
    driver('backend.take', { agent: 0 }),
    ...repeated(batch, (i) => [driver('backend.perform', { agent: 0, request: i })]),
    driver('backend.answer', { agent: 0 }),
    ...(behindSoft ? [soft('soft.answer')] : []),
    guest('client.complete'),
    ...repeated(batch, (i) => [guest('client.forget', { request: i })]),
  ];
}

/** One run. @param mapped BY_DOMAIN or BY_BUFFER @param behindSoft a soft device is interposed */
export function costRun(what: CostedRequest, batch: 1 | 8, era: Era, mapped: number, behindSoft: boolean): CostRun {
  return {
    what,
    batch,
    era,
    machine: classMachine,
    scope: EIGHT,
    gatesOff: era === 'then' ? LACKED_THEN : [],
    initial: { beginning: 0, 'what is asked for': costedRequests.indexOf(what), mapped },
    before: behindSoft ? [{ operation: 'manager.change', with: { change: 1 } }] : [],
    steps: steps(batch, behindSoft),
  };
}

const all = (era: Era, mapped: number, behindSoft: boolean): CostRun[] =>
  costedRequests.flatMap((what) => ([1, 8] as const).map((batch) => costRun(what, batch, era, mapped, behindSoft)));

/** The runs of the table. */
export const costRuns: readonly CostRun[] = [...all('then', BY_DOMAIN, false), ...all('now', BY_BUFFER, false)];

/** With today's hardware and the driver domain's memory mapped once. */
export const costRunsByDomain: readonly CostRun[] = all('now', BY_DOMAIN, false);

/** With today's hardware, each buffer mapped, and a soft device in between. */
export const costRunsBehindSoft: readonly CostRun[] = all('now', BY_BUFFER, true);
