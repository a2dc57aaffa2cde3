/**
 * The block split driver as one module: frontends, backends, device manager, disk. State: blockState.ts; operations: blockFront.ts,
 * blockFrontLife.ts, blockTake.ts, blockBack.ts, blockManager.ts; protocols: xenbus.ts, ring.ts.
 *
 * Must keep: I4 revoke, I5 once, I6 match, I7 total, I9 fresh, I12 end, I14 fair; X-S6 to X-S9; R-S4 (one live backend a device);
 * XB1 to XB4. See ../properties/block.ts.
 */
import { backOperations } from './blockBack.js';
import { checkFormatScope, sector } from './blockFormats.js';
import { frontOperations } from './blockFront.js';
import { frontLifeOperations } from './blockFrontLife.js';
import { managerOperations } from './blockManager.js';
import {
  ABSENT,
  type Block,
  blockTables,
  clearPart,
  clearPending,
  deviceOf,
  READ_WRITE,
  RING,
  RUNNING,
  request,
  zeroRing,
} from './blockState.js';
import { module, NONE, SpecificationError } from './kernel/index.js';
import { checkRingScope } from './ring.js';
import { CONNECTED, INITIALISING, XENBUS_STATES } from './xenbus.js';

/** Sectors of each frontend's disk: half of the whole, so that there is a stranger's half even for a single frontend. */
const EXTENT = 2;

/** The tool stack has made the devices; the first backend of each runs, nobody is connected. */
function create(m: Block): void {
  checkRingScope(m);
  checkFormatScope(m);
  if (m.be.rows !== 2 * m.device.rows) {
    throw new SpecificationError(
      `${m.device.rows} devices have ${2 * m.device.rows} places for backends, not ${m.be.rows}`,
    );
  }
  if (m.fe.rows * EXTENT > m.size(sector)) throw new SpecificationError('the disk is too small for its frontends');
  m.chan.ring.fill(NONE);
  m.shadow.request.fill(NONE);
  m.disk.writer.fill(NONE);
  for (let row = 0; row < m.pool.rows; row++) clearPending(m, row);
  for (let row = 0; row < m.part.rows; row++) clearPart(m, row);
  for (let f = 0; f < m.fe.rows; f++) {
    m.fe.ringPage[f] = NONE;
    m.fe.state[f] = INITIALISING;
    m.node.back[f] = INITIALISING;
    m.vbd.start[f] = f * EXTENT;
    m.vbd.size[f] = EXTENT;
    // Its owner wrote all of it before: what he writes again changes nothing, and what a stranger writes shows.
    m.disk.writer.fill(f, f * EXTENT, (f + 1) * EXTENT);
    zeroRing(m, f);
  }
  for (let d = 0; d < m.device.rows; d++) m.be.life[2 * d] = RUNNING;
}

/**
 * Connects every frontend: the state that the handshake ends in when nobody disturbs it.
 * @param second in the second epoch, after the first backend died before anybody had connected
 */
export function connectAll(m: Block, second: boolean): void {
  const at = second ? 1 : 0;
  for (let d = 0; d < m.device.rows; d++) {
    m.be.life[2 * d + at] = RUNNING;
    m.be.life[2 * d + 1 - at] = ABSENT;
    m.device.epoch[d] = at;
  }
  for (let f = 0; f < m.fe.rows; f++) {
    const b = 2 * deviceOf(m, f) + at;
    const p = m.size(request);
    const row = m.page.at(f, p);
    m.page.use[row] = RING;
    m.page.access[row] = READ_WRITE;
    m.page.readers[row] = 1 << b;
    m.page.writers[row] = 1 << b;
    m.fe.ringPage[f] = p;
    m.fe.state[f] = CONNECTED;
    m.fe.epoch[f] = at;
    m.fe.awake[f] = 1;
    m.node.back[f] = CONNECTED;
    m.node.epoch[f] = at;
    m.chan.ring[m.chan.at(b, f)] = p;
    m.chan.awake[m.chan.at(b, f)] = 1;
  }
}

export const splitBlock = module<Block, typeof blockTables>('split block driver', {
  tables: blockTables,
  operations: [...frontLifeOperations, ...frontOperations, ...backOperations, ...managerOperations],
  initial: create,
  map: (m) => [
    ...[...m.fe.state].map(
      (state, f) =>
        `frontend ${f}: ${XENBUS_STATES[state]}, epoch ${m.fe.epoch[f]}, its backend's node ${XENBUS_STATES[m.node.back[f]]}`,
    ),
    ...[...m.be.life].map((life, b) => `backend ${b}: ${['absent', 'running', 'hung', 'dying'][life]}`),
    ...[...m.page.use].flatMap((use, row) =>
      use === 0 && m.page.readers[row] === 0
        ? []
        : [
            `${m.rowName(m.page.base + row)}: ${['free', 'lent', 'ring', 'kept back'][use]}, mapped by ${m.page.readers[row].toString(2)}`,
          ],
    ),
  ],
});
