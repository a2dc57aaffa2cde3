/** Suite `config-space`: what drivers read and write of their devices' configuration. */
import * as faults from '../../faults/configSpace.js';
import { configMachine } from '../../model/configSpace.js';
import { configFilter, configOwnership } from '../../model/ioSpace.js';
import {
  configFresh,
  configHolder,
  configReadOwn,
  configWritesOwn,
  interruptsAtHome,
  sizesTold,
  windowsAtHome,
} from '../../properties/configSpace.js';
import { claim, suite } from '../suite.js';

export const configSpace = suite('config-space', {
  title: 'configuration space: base addresses and their sizing, command register, ROM and MSI address',
  machine: configMachine,
  scope: { small: { holder: 2 }, default: { holder: 2 }, large: { holder: 3 } },
  claims: [
    claim('a driver moves no window and no interrupt, and its reads tell the truth', {
      keeps: [windowsAtHome, interruptsAtHome, sizesTold],
      against: ['F13'],
      without: [
        { off: configFilter, breaks: windowsAtHome },
        { off: configFilter, breaks: interruptsAtHome },
        { off: faults.anyValueTaken, breaks: windowsAtHome },
        { off: faults.onesKept, breaks: sizesTold },
        { off: faults.sizeTooLarge, breaks: sizesTold },
        { off: faults.realReadWhileSizing, breaks: sizesTold },
        { off: faults.sizingInherited, breaks: sizesTold },
      ],
    }),
    claim('a device is configured by its holder, and goes to the next one clean', {
      keeps: [configReadOwn, configWritesOwn, configFresh, configHolder],
      against: ['F13'],
      without: [
        { off: configOwnership, breaks: configReadOwn },
        { off: configOwnership, breaks: configWritesOwn },
        { off: faults.commandOfOthers, breaks: configWritesOwn },
        { off: faults.sizingInherited, breaks: configFresh },
        { off: faults.commandInherited, breaks: configFresh },
        { off: faults.givenTwice, breaks: configHolder },
      ],
    }),
  ],
  assumptions: [
    'one memory base address of 32 bits a device; the windows of both lie in one page',
    'the VMM programs MSI addresses itself; a driver asks for them by another call',
  ],
});
