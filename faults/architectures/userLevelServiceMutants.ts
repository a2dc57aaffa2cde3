/** Mutants of interrupts as reads, and of what clients and the kernel do when a driver has died. */
import { mutant } from '../../drivers/suite.js';
import { closeIrq, openIrq, readIrq } from '../../model/architectures/userLevel/interrupts.js';
import {
  breakRequest,
  COMPLETE,
  closeUnit,
  ISSUED,
  QUEUED,
  type Service,
} from '../../model/architectures/userLevel/service.js';
import { DYING } from '../../model/domains.js';
import { guardWith, OK, omit, replace } from '../../model/kernel/index.js';

export const readEnables = mutant('read: enabled first', {
  says: 'a read enables the line before it looks whether an interrupt is already counted, and returns with the line enabled',
  source: 'architectures 4b read literally (enable, wait, zero); irq_proc_read of 2005 looks at the count first',
  edits: [
    replace(readIrq, 'enable line', (m, op) => {
      m.irq.masked[op.irq] = 0;
      m.irq.raised[op.irq] = 0;
    }),
  ],
});

export const sharedLine = mutant('hung sharer', {
  says: 'a line can be opened twice: a sharer that hangs holds it for both',
  source: 'architectures 7.3, mutant 20',
  edits: [replace(openIrq, 'is it free', () => OK)],
});

export const lineLeftOn = mutant('close: line left enabled', {
  says: 'a line whose process died stays enabled, with nobody to mask it',
  source: 'omitted step',
  edits: [omit(closeIrq, 'mask line')],
});

export const handleLeaks = mutant('kill leaks the handle', {
  says: 'the kernel’s handle of a killed driver is not freed',
  source: 'issue 4, section 2 (restarts leak nothing)',
  edits: [
    replace(closeUnit, 'release', (m, op) => {
      m.unit.owners[op.domain] = 0;
      m.unit.life[op.domain] = 0;
    }),
  ],
});

export const neverDisabled = mutant('kill leaves the device on', {
  says: 'the device of a killed driver goes on mastering the bus',
  source: 'architectures 7.3, mutant 12',
  edits: [omit(closeUnit, 'disable'), omit(closeUnit, 'drain')],
});

export const answeredAgain = mutant('answered requests sent again', {
  says: 'a client whose driver has died sends again what was answered already',
  source: 'exactly once; LKML on the 2005 patches',
  edits: [
    guardWith(breakRequest, 'request', (m, op) => {
      const s = m.request.state[op.request];
      return (s === QUEUED || s === ISSUED || s === COMPLETE) && m.domain.life[1] === DYING && op.request === 0;
    }),
  ],
});

export const breaksAll = mutant('a death breaks every request', {
  says: 'when one driver dies, the clients of all drivers lose their requests',
  source: 'L-L2',
  edits: [
    guardWith(breakRequest, 'request', (m: Service, op) => {
      const s = m.request.state[op.request];
      return (s === QUEUED || s === ISSUED) && m.domain.life.includes(DYING);
    }),
  ],
});
