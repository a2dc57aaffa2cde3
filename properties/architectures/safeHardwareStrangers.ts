/**
 * X-L2 for the net channel: what another guest and its driver domain notice of the first driver domain, that is nothing, whether it fails,
 * writes wildly or lets its card do so; and who drives which card.
 */
import { DRIVER, type Net } from '../../model/architectures/safeHardware/netState.js';
import {
  ANSWERED,
  contentOf,
  IDLE,
  LENT,
  OFFERED,
  OUT,
  otherBuffer,
  otherDriver,
  otherGuest,
  type Strangers,
} from '../../model/architectures/safeHardware/netStrangers.js';
import { DYING, RUNNING } from '../../model/domains.js';
import { NONE } from '../../model/kernel/index.js';
import { invariant, noninterference, progress } from '../property.js';

/** What they see: that they live, their connection, their packet and what went out of it, their memory, and what is mapped of it. */
function viewOfStrangers(m: Strangers, out: Int32Array): number {
  let n = 0;
  out[n++] = m.domain.life[otherGuest(m)];
  out[n++] = m.domain.life[otherDriver(m)];
  out[n++] = m.other.link[0];
  out[n++] = m.other.stage[0];
  out[n++] = m.other.header[0];
  out[n++] = m.other.body[0];
  for (let f = otherBuffer(m); f < m.frame.rows; f++) {
    out[n++] = m.frame.owner[f];
    out[n++] = m.frame.refs[f];
    out[n++] = m.content.writer[contentOf(m, f)];
    out[n++] = m.otherReach.entry[f];
    out[n++] = m.otherReach.io[f];
  }
  return n;
}

const FAILURES = ['driver.crash', 'driver.hang', 'manager.suspect'];
const STORES = ['driver.mapForeign', 'driver.store', 'driver.resetOther'];

const restarted = (m: Net): boolean => m.domain.generation[DRIVER] > 0 && m.domain.life[DRIVER] === RUNNING;

export const netFailuresUnnoticed = noninterference<Strangers>('X-L2', 'failure of another network driver domain', {
  states:
    'what a guest and its driver domain see does not depend on whether another network driver domain crashes, hangs or is suspected',
  view: viewOfStrangers,
  purge: (_m, operation) => FAILURES.includes(operation),
  witnesses: {
    'the other driver domain is dead while a packet is on its way': (m) =>
      m.domain.life[DRIVER] === DYING && m.other.stage[0] !== IDLE,
    'the other driver domain hangs': (m) => m.driver.hung[0] === 1,
    'the other driver domain has been restarted': restarted,
  },
});

/** Whether somebody else than the strangers has written into some frame. */
const hasWritten = (m: Strangers): boolean => m.content.writer.includes(DRIVER);

export const netStoresUnnoticed = noninterference<Strangers>('X-L2', 'stores of another network driver domain', {
  states:
    'what a guest and its driver domain see does not depend on what another network driver domain maps and writes',
  view: viewOfStrangers,
  purge: (_m, operation) => STORES.includes(operation),
  witnesses: { 'it has written into a frame': hasWritten },
});

export const netDmaUnnoticed = noninterference<Strangers>('X-L2', 'DMA of another network driver domain', {
  states: 'what a guest and its driver domain see does not depend on where another network driver domain aims its card',
  view: viewOfStrangers,
  purge: (_m, operation) => operation === 'driver.aimDma',
  witnesses: { 'its card has written into a frame': hasWritten },
});

/** What of the strangers' path is not as they left it, or -1. */
function disturbed(m: Strangers): number {
  const stage = m.other.stage[0];
  const mapped = m.otherReach.entry[otherBuffer(m)] === 1;
  const inWork = stage >= LENT && stage <= OUT;
  if (mapped !== inWork) return mapped ? 1 : 0;
  if (stage !== OUT && stage !== ANSWERED) return -1;
  if (m.other.header[0] !== otherGuest(m)) return 2;
  return m.other.body[0] === otherGuest(m) ? -1 : 3;
}

const whose = (d: number): string => (d === NONE ? 'nobody’s' : `what domain ${d} had written`);

export const othersIntact = invariant<Strangers>('X-L2', 'packets of strangers', {
  states:
    'a packet of a guest of another driver domain is mapped as long as it is in work, and goes out as its guest wrote it',
  holds: (m) => disturbed(m) < 0,
  explain: (m) =>
    [
      'the packet is in work, and its buffer is not mapped',
      'the packet is not in work, and its buffer is mapped',
      `the header that went out is ${whose(m.other.header[0])}`,
      `the body that went out is ${whose(m.other.body[0])}`,
    ][disturbed(m)],
  witnesses: {
    'it is out': (m) => m.other.stage[0] === OUT,
    'it is offered': (m) => m.other.stage[0] === OFFERED,
  },
});

const waits = (m: Strangers): boolean => m.other.stage[0] !== IDLE;

export const othersEnd = progress<Strangers>('X-L2', 'packets of strangers end', {
  states: 'packets of guests of another driver domain are answered although the first one fails and nobody ends it',
  pending: waits,
  goal: (m) => !waits(m),
  without: ['manager.destroy', 'manager.suspect'],
  witnesses: {
    'a packet waits while the first driver domain hangs': (m) => waits(m) && m.driver.hung[0] === 1,
    'a packet waits while the first driver domain is dead': (m) => waits(m) && m.domain.life[DRIVER] === DYING,
  },
});

/** Running domains that drive a card. */
function drivers(m: Strangers, card: Uint8Array): number {
  let n = 0;
  for (let d = 0; d < m.domain.rows; d++) if (card[d] === 1 && m.domain.life[d] === RUNNING) n++;
  return n;
}

export const oneDriver = invariant<Strangers>('X-L2', 'drivers of a card', {
  states: 'no network card has two live drivers',
  holds: (m) => drivers(m, m.drives.first) <= 1 && drivers(m, m.drives.second) <= 1,
  explain: (m) => `the ${drivers(m, m.drives.first) > 1 ? 'first' : 'second'} card has two`,
  witnesses: { 'the first card has its second driver': (m) => restarted(m) && m.drives.first[DRIVER] === 1 },
});
