/** Generated mutants: guards that say who acts, and on whom, left out. */
import { mutant } from '../drivers/suite.js';
import { allocUnbound, bindIpi, resetEvents, tearDownEvents } from '../model/eventBinding.js';
import { bindLine, endHungDriver, unbindDead, unbindLine } from '../model/interrupts.js';
import { revokeDevice } from '../model/ioAssignment.js';
import { completeDma, issueDma, mapRegisters, setBusMaster, usePorts } from '../model/ioSpace.js';
import { guardWith, NONE, omit, replace } from '../model/kernel/index.js';
import { takeMessage } from '../model/messageInterrupts.js';

const source = 'generated: omitted guard';

export const deadOpens = mutant('dead domain opens a port', {
  says: 'a dead domain still opens ports',
  source,
  edits: [guardWith(allocUnbound, 'agent', undefined)],
});
export const portsOfTheLiving = mutant('ports of the living closed', {
  says: 'Xen closes ports without a look at whether their domain is dying',
  source,
  edits: [guardWith(tearDownEvents, 'target', undefined)],
});
export const pageNotFreed = mutant('shared-info page kept', {
  says: 'the ports of a dying domain are closed, and its shared-info page is not freed',
  source: 'generated: omitted step',
  edits: [omit(tearDownEvents, 'free the shared-info page')],
});
export const deadBinds = mutant('dead domain binds a line', {
  says: 'a dead domain still binds lines',
  source,
  edits: [guardWith(bindLine, 'agent', undefined)],
});
export const linesOfOthers = mutant('line of another unbound', {
  says: 'a domain takes another one off a line',
  source,
  edits: [guardWith(unbindLine, 'target', (m, op) => m.pirq.port[m.pirq.at(op.target, op.line)] !== NONE)],
});
export const linesOfTheLiving = mutant('lines of the living taken', {
  says: 'the VMM takes domains off their lines without a look at whether they are dying',
  source,
  edits: [guardWith(unbindDead, 'target', (m, op) => m.pirq.port[m.pirq.at(op.target, op.line)] !== NONE)],
});
export const anyDriverEnded = mutant('driver ended at will', {
  says: 'the manager ends a driver that answers',
  source,
  edits: [guardWith(endHungDriver, 'target', (m, op) => op.target !== 0 && m.domain.life[op.target] === 1)],
});
export const deadMaps = mutant('dead domain maps registers', {
  says: 'a dead domain still maps registers',
  source,
  edits: [guardWith(mapRegisters, 'agent', undefined)],
});
export const deadMasters = mutant('dead domain masters the bus', {
  says: 'a dead domain still switches bus-mastering',
  source,
  edits: [guardWith(setBusMaster, 'agent', undefined)],
});
export const deadTakes = mutant('dead domain handles a message', {
  says: 'a dead domain still handles interrupts',
  source,
  edits: [guardWith(takeMessage, 'agent', undefined)],
});
export const messagesOfOthers = mutant('message of another handled', {
  says: 'a domain handles an interrupt that waits for another',
  source,
  edits: [guardWith(takeMessage, 'vector', (m, op) => m.vector.pending[op.vector] === 1)],
});
export const mapsForOthers = mutant('registers mapped for another', {
  says: 'a page of registers appears in the tables of every domain',
  source: 'generated: omitted index',
  edits: [
    replace(mapRegisters, 'map', (m, op) => {
      for (let d = 0; d < m.access.rows; d++) m.access.pages[d] |= 1 << op.page;
    }),
  ],
});
export const ipiNotPublished = mutant('port not published', {
  says: 'binding an inter-processor interrupt returns success, and the port stays free',
  source: 'generated: omitted step',
  edits: [replace(bindIpi, 'publish port', () => {})],
});
export const dmaNeverOver = mutant('DMA never over', {
  says: 'a DMA that has completed still counts as in flight',
  source: 'generated: omitted step',
  edits: [replace(completeDma, 'complete', () => {})],
});
export const portsDead = mutant('ports without effect', {
  says: 'a store to a port does not reach the device',
  source: 'generated: omitted step',
  edits: [replace(usePorts, 'write', () => {})],
});
export const resetClosesNothing = mutant('reset closes nothing', {
  says: 'a reset finds the ports open that it should have closed, and says that it was disturbed',
  source: 'generated: omitted step',
  edits: [replace(resetEvents, 'close next port', () => {})],
});
export const messageNotTaken = mutant('message not taken', {
  says: 'an interrupt that was handled goes on waiting',
  source: 'generated: omitted step',
  edits: [replace(takeMessage, 'take', () => {})],
});
export const takenFromOthers = mutant('device of another taken back', {
  says: 'a device is taken back from a domain that does not hold it, and stops for the one that does',
  source,
  edits: [guardWith(revokeDevice, 'device', undefined)],
});
export const mutedMasters = mutant('DMA without bus mastering', {
  says: 'a device issues DMA although it may not master the bus',
  source,
  edits: [
    guardWith(issueDma, 'agent', (m, op) => m.device.program[op.agent] !== NONE && m.device.dma[op.agent] === NONE),
  ],
});
