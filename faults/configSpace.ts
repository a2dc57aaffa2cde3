/** Mistakes of configuration-space filters, as edits of the machine `configuration space`. */
import { mutant } from '../drivers/suite.js';
import {
  assignConfig,
  homeBase,
  readBase,
  revokeConfig,
  SIZE_MASK,
  WINDOW,
  writeBase,
  writeCommand,
} from '../model/configSpace.js';
import { NONE, OK, omit, replace } from '../model/kernel/index.js';

export const onesKept = mutant('all ones read back', {
  says: 'a base address reads as what was written, so a window seems to have no size',
  source: 'PCI Local Bus 3.0, 6.2.5.1',
  edits: [
    replace(readBase, 'read the copy', (m, op) => {
      op.told = m.config.sizing[op.device] === NONE ? m.config.copy[op.device] : -1;
    }),
  ],
});

export const sizeTooLarge = mutant('size of a page', {
  says: "the size mask is that of a whole page, so the window seems to cover the neighbour's",
  source: 'architectures GAP-X3; H41 60c (masks)',
  edits: [
    replace(readBase, 'read the copy', (m, op) => {
      op.told = m.config.copy[op.device] === SIZE_MASK ? SIZE_MASK & ~WINDOW : m.config.copy[op.device];
    }),
  ],
});

export const realReadWhileSizing = mutant('real register read', {
  says: 'reads go to the real register, whatever the copy says',
  source: 'xen-pciback bar_read',
  edits: [
    replace(readBase, 'read the copy', (m, op) => {
      op.told = m.config.bar[op.device];
    }),
  ],
});

export const sizingInherited = mutant('sizing inherited', {
  says: 'the copy is not reset when the device changes hands',
  source: 'H15: what was left by the former holder of a number',
  edits: [omit(revokeConfig, 'reset the copy')],
});

export const commandInherited = mutant('command register inherited', {
  says: 'a device that changes hands stays switched on',
  source: 'M1 RevokeDev: clear bus-master',
  edits: [omit(revokeConfig, 'clear the command register')],
});

export const anyValueTaken = mutant('any base address taken', {
  says: 'the filter writes every value into the real register',
  source: 'M1 CfgWrite: the real BAR is never written',
  edits: [
    replace(writeBase, 'filter', (m, op) => {
      if (op.value === 2) m.config.bar[op.device] = homeBase(1 - op.device);
      return OK;
    }),
  ],
});

export const commandOfOthers = mutant('command register of others', {
  says: 'a driver switches on a device that it does not hold',
  source: 'M1 CfgWrite: the guard left out',
  edits: [omit(writeCommand, 'check the holder')],
});

export const givenTwice = mutant('device given twice', {
  says: 'a device that somebody holds is given to another',
  source: 'architectures GAP-X2',
  edits: [omit(assignConfig, 'nobody has it')],
});
