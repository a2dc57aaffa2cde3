/** The historical bugs of split drivers, and their relatives, as edits of the specification. */
import { mutant } from '../drivers/suite.js';
import { access, map, unmap } from '../model/blockBack.js';
import { operationCode, sector, sectorInPage, segment, segmentCount } from '../model/blockFormats.js';
import { collect, submit } from '../model/blockFront.js';
import { connect, initialise, reclaim, suspend } from '../model/blockFrontLife.js';
import { attach, destroy, detach, kill, restart, takeBack } from '../model/blockManager.js';
import {
  ABSENT,
  type Block,
  CHANGING,
  epoch,
  FREE,
  HUNG,
  IDLE,
  mapPage,
  page,
  RUNNING,
  ringSize,
} from '../model/blockState.js';
import { take } from '../model/blockTake.js';
import { drop, guardWith, insertBefore, NONE, omit, replace, undoWith } from '../model/kernel/index.js';
import { CLOSED, CLOSING, CONNECTED, INITIALISED, INITIALISING } from '../model/xenbus.js';
import { crash } from './block.js';

const xsa155 = 'XSA-155, CVE-2015-8550';

/** Whether the request in this entry still lies in a page that its frontend changes under the backend's eyes. */
const changes = (m: Block, row: number): boolean =>
  m.pool.frontend[row] !== NONE && m.fe.hostile[m.pool.frontend[row]] === CHANGING;

export const rereadOperation = mutant('XSA-155 operation', {
  says: 'the backend reads the operation code again after it has checked it',
  source: xsa155,
  edits: [
    insertBefore(map, 'map each segment', 'read the operation in place', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (changes(m, row)) m.pool.op[row] = m.choose(operationCode, 'operation, read again');
    }),
  ],
});

export const rereadSegments = mutant('XSA-155 nr_segments', {
  says: 'the backend reads the number of segments again after it has checked it',
  source: xsa155,
  edits: [
    insertBefore(map, 'map each segment', 'read nr_segments in place', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (changes(m, row)) m.pool.segments[row] = m.choose(segmentCount, 'nr_segments, read again');
    }),
  ],
});

export const rereadSector = mutant('XSA-155 sector', {
  says: 'the backend reads the sector number again after it has checked it',
  source: xsa155,
  edits: [
    insertBefore(map, 'map each segment', 'read the sector in place', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (changes(m, row)) m.pool.sector[row] = m.choose(sector, 'sector, read again');
    }),
  ],
});

export const rereadFirst = mutant('XSA-155 first_sect', {
  says: 'the backend reads the first sector of a segment again after it has checked it',
  source: xsa155,
  edits: [
    insertBefore(map, 'map each segment', 'read first_sect in place', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (changes(m, row)) m.part.first[row * m.size(segment)] = m.choose(sectorInPage, 'first_sect, read again');
    }),
  ],
});

export const rereadLast = mutant('XSA-155 last_sect', {
  says: 'the backend reads the last sector of a segment again after it has checked it',
  source: xsa155,
  edits: [
    insertBefore(map, 'map each segment', 'read last_sect in place', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (changes(m, row)) m.part.last[row * m.size(segment)] = m.choose(sectorInPage, 'last_sect, read again');
    }),
  ],
});

export const rereadGrant = mutant('XSA-155 gref', {
  says: 'the backend reads the grant reference again after it has mapped it, and forgets which page that was',
  source: xsa155,
  edits: [
    insertBefore(unmap, 'unmap each segment', 'read gref in place', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      if (changes(m, row)) m.part.gref[row * m.size(segment)] = m.choose(page, 'gref, read again');
    }),
  ],
});

export const unboundedId = mutant('GAP-X6', {
  says: 'the frontend takes the id of a response as an index, whatever it is',
  source: 'Xen 2.0 blkfront; Linux commit b94e4b147fd1',
  edits: [
    replace(collect, 'check the id', (m, op) => {
      op.entry = m.shadow.at(op.agent, op.id & (ringSize(m) - 1));
    }),
    omit(collect, 'check that it is outstanding'),
  ],
});

export const replayOmitted = mutant('replay omitted', {
  says: 'the frontend connects to the new backend without what was outstanding',
  source: 'Xen 2.0 blkfront, recovery; Linux blkif_recover',
  edits: [omit(connect, 'wait for the replay')],
});

export const replayAfterNew = mutant('replay after new requests', {
  says: 'the frontend accepts new requests while old ones still wait to be replayed',
  source: 'Linux blkif_recover (requests are requeued before the queue is started)',
  edits: [
    guardWith(
      submit,
      'agent',
      (m, op) =>
        (m.fe.state[op.agent] === CONNECTED ||
          (m.fe.state[op.agent] === INITIALISED && m.node.back[op.agent] === CONNECTED)) &&
        m.shadow.request.includes(NONE),
    ),
  ],
});

export const restartBeforeDestroy = mutant('restart before destroy', {
  says: 'the manager starts a new backend without having destroyed the one that it suspects',
  source: 'Xen 2.0 recovery with a backend that hangs: its mappings of ring and frames stay',
  edits: [
    guardWith(
      restart,
      'fresh',
      (m, op) => m.be.life[op.fresh] === ABSENT && m.device.epoch[op.fresh >> 1] + 1 < m.size(epoch),
    ),
  ],
});

export const indicesKept = mutant('indices kept over a restart', {
  says: 'the frontend goes on counting where the old ring ended',
  source: 'CVE-2022-50257 and its relatives: state of the former connection is used',
  edits: [omit(initialise, 'reset the private indices'), omit(suspend, 'forget what is in it')],
});

export const mapFirst = mutant('map before validation', {
  says: 'the backend maps the first page before it has looked at the request, and forgets it when it rejects that',
  source: 'the order in Xen 2.0 blkback is test, translate, map',
  edits: [
    insertBefore(take, 'check the operation', 'map the first page', (m, op) => {
      mapPage(m, op.agent, op.frontend, op.hostile ? m.choose(page, 'gref') : m.slot.gref[op.at], false);
    }),
  ],
});

export const partialMappingKept = mutant('partial mapping kept', {
  says: 'when one page of a request cannot be mapped, those before it stay mapped',
  source: 'CVE-2022-50257: the grant device leaks grants if a mapping fails half way',
  edits: [omit(map, 'unmap all if one failed')],
});

export const unmapForgotten = mutant('unmap forgotten', {
  says: 'the backend answers without unmapping',
  source: 'X-S9; Linux xen_blkbk_unmap_and_respond',
  edits: [omit(unmap, 'unmap each segment')],
});

export const endFailureIgnored = mutant('XSA-396 buffer', {
  says: 'the frontend uses a buffer again although its grant could not be ended',
  source: 'XSA-396, CVE-2022-23036 to -23042; Linux commits 42baefac6383, abf1fd5919d6',
  edits: [
    replace(collect, 'end access to the buffer', (m, op) => {
      for (let r = 0; r < m.client.rows / m.fe.rows; r++) {
        const row = m.page.at(op.agent, r);
        if (m.client.state[m.client.at(op.agent, r)] > IDLE + 1) m.page.use[row] = FREE;
      }
    }),
  ],
});

export const ringReused = mutant('XSA-396 ring', {
  says: 'the frontend uses the page of its old ring again while the old backend still has it mapped',
  source: 'XSA-396; Xen 2.0 recovery frees the ring at once',
  edits: [
    replace(suspend, 'end access to its page', (m, op) => {
      const f = op.agent;
      if (m.fe.ringPage[f] !== NONE) m.page.use[m.page.at(f, m.fe.ringPage[f])] = FREE;
      m.fe.ringPage[f] = NONE;
    }),
  ],
});

export const tornDownTwice = mutant('H36', {
  says: 'the ordinary disconnect tears down a connection that has already been torn down',
  source: 'CVE-2021-28691',
  edits: [
    guardWith(
      detach,
      'frontend',
      (m, op) =>
        m.be.life[op.agent] === 1 &&
        m.fe.state[op.frontend] === CLOSING &&
        m.node.epoch[op.frontend] === m.fe.epoch[op.frontend],
    ),
  ],
});

export const mappedTooEarly = mutant('ring mapped too early', {
  says: 'the backend maps the ring of a frontend that has already closed its device',
  source: 'xen/include/public/io/xenbus.h',
  edits: [
    guardWith(
      attach,
      'frontend',
      (m, op) => m.be.life[op.agent] === 1 && m.fe.ringPage[op.frontend] !== NONE && m.fe.state[op.frontend] !== CLOSED,
    ),
  ],
});

export const wrapForgotten = mutant('extent test without wrap', {
  says: 'the backend compares only the last sector, whose number may have wrapped',
  source: 'Linux xen_vbd_translate (sector_number + nr_sects < sector_number)',
  edits: [
    replace(take, 'check the extent', (m, op) => {
      const first = op.hostile ? m.choose(sector, 'sector') : m.slot.sector[op.at];
      m.pool.sector[op.row] = first;
      return ((first + op.sectors) & (m.size(sector) - 1)) <= m.vbd.size[op.frontend] ? 0 : -1;
    }),
  ],
});

export const operationTwice = mutant('performed twice', {
  says: 'the backend does not note that it has performed a request, and performs it again',
  source: 'X-S7',
  edits: [
    replace(access, 'note the service', (m, op) => {
      const row = m.pool.at(op.agent, op.pending);
      const f = m.pool.frontend[row];
      const r = m.part.gref[row * m.size(segment)];
      if (r >= m.client.rows / m.fe.rows) return;
      const at = m.client.at(f, r);
      const bit = 1 << m.device.epoch[op.agent >> 1];
      if (m.client.served[at] & bit) m.client.wrongs[at] |= 1;
      m.client.served[at] |= bit;
    }),
  ],
});

export const answerBeforeService = mutant('answered before it is performed', {
  says: 'the backend answers as soon as the pages are mapped',
  source: 'xen/include/public/io/blkif.h',
  edits: [
    replace(map, 'go on or reject', (m, op) => {
      m.pool.stage[m.pool.at(op.agent, op.pending)] = 3;
    }),
  ],
});

export const interruptWhileRecovering = mutant('interrupt while recovering', {
  says: 'the frontend goes on handling its interrupt when it has dropped its ring',
  source: 'Xen 2.0 blkfront: interrupts while recovering are ignored',
  edits: [
    replace(suspend, 'stop using the ring', (m, op) => {
      const f = op.agent;
      m.fe.recovering[f] = 1;
      m.fe.epoch[f] = m.node.epoch[f];
      m.fe.state[f] = INITIALISING;
    }),
  ],
});

export const takeBackForgotten = mutant('mappings of the dead kept', {
  says: 'the VMM never takes back what a dead backend had mapped',
  source: 'xen/common/grant_table.c, gnttab_release_mappings',
  edits: [drop(takeBack)],
});

export const hostileTolerated = mutant('hostile backend tolerated', {
  says: 'the manager destroys backends that hang, but none that answer nonsense',
  source: 'TR-596, fault recovery: what is detected is what is recovered from',
  edits: [guardWith(destroy, 'target', (m, op) => m.be.life[op.target] === HUNG)],
});

export const reclaimForgotten = mutant('no deferred freeing', {
  says: 'the frontend keeps a page back that was still mapped, and never tries again',
  source: 'Linux drivers/xen/grant-table.c, gnttab_add_deferred; XSA-396',
  edits: [drop(reclaim)],
});

export const epochNotBegun = mutant('restart in the same epoch', {
  says: 'the manager starts a new backend and does not begin a new epoch',
  source: 'Xen 2.0 recovery: frontends learn of the new backend by the change of its handle',
  edits: [
    replace(restart, 'start its domain', (m, op) => {
      m.be.life[op.fresh] = RUNNING;
    }),
  ],
});

export const oneDomainForAll = mutant('all backends in one domain', {
  says: 'the backends of all devices live in one domain, and die together',
  source: 'Xen 1.0: drivers in the hypervisor; TR-596 moves them out',
  edits: [
    replace(crash, 'stop', (m) => {
      for (let b = 0; b < m.be.rows; b++) if (m.be.life[b] === RUNNING) kill(m, b);
    }),
  ],
});

export const ringKeptMapped = mutant('ring kept mapped', {
  says: 'a backend that could not bind its event channel leaves the ring mapped',
  source: 'Linux drivers/block/xen-blkback/xenbus.c, xen_blkif_map (error path)',
  edits: [
    undoWith(attach, 'map the ring', (m, op) => {
      m.chan.ring[op.c] = NONE;
    }),
  ],
});

export const failureAnsweredOkay = mutant('failure answered as success', {
  says: 'the backend forgets while it unmaps that the disk access failed',
  source: 'Linux drivers/block/xen-blkback/blkback.c, __end_block_io_op',
  edits: [
    insertBefore(unmap, 'forget the request', 'forget the status', (m, op) => {
      m.pool.status[m.pool.at(op.agent, op.pending)] = 0;
    }),
  ],
});
