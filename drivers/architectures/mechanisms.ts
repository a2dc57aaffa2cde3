/**
 * What each architecture consists of, by the ids of its description (architectures.md, sections b and c): mechanisms with the operations
 * that specify them and the gates and mutants without which a claim breaks; invariants; and the gaps between paper and published code.
 * mechanisms.test.ts looks all of them up in the suites.
 */

import { type Description, mechanism, numbered } from './mechanism.js';
import { microdriversDescription } from './microdriversMechanisms.js';

const safeHardware: Description = {
  mechanisms: [
    mechanism(
      'M1',
      'I/O space: ports, registers, configuration space with the sizing of base addresses, revocation',
      ['io.grant', 'io.revoke', 'io.port', 'io.map', 'io.mmio', 'io.setBusMaster', 'io.writeBar'],
      [
        'I/O-port bitmap',
        'MMU on register pages',
        'configuration filter',
        'configuration ownership',
        'sizing written through',
        'revocation leaves registers mapped',
      ],
    ),
    mechanism(
      'M2',
      'interrupt lines, shared and masked',
      ['line.bind', 'line.raise', 'line.notify', 'line.unbind', 'line.unbindDead'],
      ['sharers compacted by bytes', 'masking until notification', 'exclusive line shared'],
    ),
    mechanism(
      'M3',
      'event channels',
      ['event.allocUnbound', 'event.bindInterdomain', 'event.bindVirq', 'event.send', 'event.close'],
      ['close leaves the peer linked', 'private shared-info page'],
    ),
    mechanism(
      'M4',
      'control interface: a page with two rings of messages, and what is said by them',
      [
        'control.send',
        'control.take',
        'control.answer',
        'control.collect',
        'control.wake',
        'control.sleep',
        'control.timeOut',
        'control.expel',
        'control.clearUp',
        'control.rebuild',
        'ctl.create',
        'ctl.connect',
        'ctl.statusConnected',
        'ctl.disconnect',
        'ctl.clear',
        'ctl.dropLate',
      ],
      [
        'control index test',
        'control message id match',
        'control length test',
        'control message copy',
        'control page taken back',
        'no test for room',
        'event cleared late',
        'control page not zeroed',
        'copies of the dead kept',
        'waiters for the dead kept',
        'indices of the dead kept',
        'no time-out of the controller',
        'message id match',
        'messages of the dead kept',
        'told before acknowledged',
      ],
    ),
    mechanism(
      'M5',
      'device-channel handshake',
      ['back.create', 'front.up', 'front.connect', 'back.connect', 'front.connected', 'back.disconnect'],
      ['ring page ownership', 'disconnection does not wait', 'ring of the dead left mapped'],
    ),
    mechanism(
      'M6',
      'block ring',
      ['front.submit', 'back.take', 'back.map', 'back.access', 'back.unmap', 'back.respond', 'front.collect'],
      ['extent test', 'segment test', 'ring overflow test', 'response id test'],
    ),
    mechanism(
      'M7',
      'net channel, with page flipping',
      ['net.send', 'net.take', 'net.map', 'net.unmap', 'net.respond', 'net.sleep', 'rx.post', 'rx.flip', 'rx.drop'],
      [
        'packet size test',
        'header copy',
        'transmit flush left out',
        'frame transferred while mapped',
        'waits for a buffer',
      ],
    ),
    mechanism(
      'M8',
      'failure and restart',
      ['manager.quiesce', 'manager.destroy', 'vmm.takeBack', 'manager.restart', 'front.replay', 'net.disconnected'],
      [
        'replay omitted',
        'epoch test',
        'never restarted',
        'packets replayed',
        'restart before destroy',
        'all guests disconnected',
        'taken back from every driver domain',
        'every card for the new driver domain',
        'spare beside the suspected',
      ],
    ),
  ],
  invariants: [...numbered('X-S', 9), ...numbered('X-L', 3)],
  gaps: numbered('GAP-X', 6),
};

const reconstructingIo: Description = {
  mechanisms: [
    mechanism(
      'R1',
      'class interfaces as a refinement',
      ['client.submit', 'manager.change'],
      ['epoch test', 'blocks given up', 'frames replayed', 'performed twice'],
    ),
    mechanism(
      'R2',
      'devices virtualised, restarted and accounted one by one',
      ['manager.restart'],
      ['all clients reconnected', 'tables before quiescing', 'clients before device', 'epoch kept'],
    ),
    mechanism(
      'R3',
      'soft devices, whose rights only narrow',
      ['soft.pass', 'soft.answer'],
      ['rights widened', 'soft device answers early'],
    ),
    mechanism(
      'R4',
      'I/O space behind an IOMMU, by domain or by buffer',
      ['device.map', 'device.unmap', 'loan.lend'],
      ['DMA remapping', 'lazy IOTLB', 'pin dropped before the wait', 'pinned after the check'],
    ),
    mechanism(
      'R5',
      'failures noticed, or suspected',
      ['manager.notice', 'manager.suspect'],
      ['restart without destroying', 'suspect not destroyed', 'manager time-out'],
    ),
    mechanism('R6', 'what a failed backend held is revoked', ['loan.end', 'manager.restart'], ['restart: pins kept']),
  ],
  invariants: [...numbered('R-S', 7), 'R-L1'],
  gaps: [],
};

const userLevelDrivers: Description = {
  mechanisms: [
    mechanism('4b Open', 'open a device', ['user.open'], ['open: claim without looking again']),
    mechanism('4b Coherent', 'a coherent page', ['user.coherent'], ['pin limit']),
    mechanism(
      '4b Map',
      'a streaming mapping, with its pins',
      ['user.map'],
      ['user access check', 'direction ignored', 'bound on list entries', 'unsharing of pinned pages', 'map allocates'],
    ),
    mechanism('4b Unmap', 'the end of a mapping', ['user.unmap'], ['unmap: IOTLB kept', 'lazy IOTLB', 'munmap unpins']),
    mechanism(
      '4b Close',
      'close, in its one order',
      ['user.close', 'page.exit'],
      [
        'close: unpin first',
        'close: unmap first',
        'close: release first',
        'close without quiesce',
        'close on every way to die',
      ],
    ),
    mechanism('4b IrqOpen', 'a line is opened once', ['irq.open'], ['no sharing of lines', 'hung sharer']),
    mechanism('4b Irq', 'an interrupt masks its line', ['irq.raise'], ['mask before the upcall']),
    mechanism('4b IrqRead', 'a read waits for the next', ['irq.read', 'irq.return'], ['read: enabled first']),
  ],
  invariants: [...numbered('L-S', 7), ...numbered('L-L', 2)],
  gaps: [],
};

const driverReuse: Description = {
  mechanisms: [
    mechanism(
      'V1',
      'calls of the resource monitor',
      [
        'monitor.give',
        'monitor.mapClientPage',
        'driver.requestForeignPages',
        'stranger.askRange',
        'monitor.associate',
        'monitor.disassociate',
        'monitor.releaseLines',
      ],
      [
        'client page check',
        'privilege check of physical ranges',
        'attach privilege',
        'device check at association',
        'one holder of a line',
        'mask before letting a line go',
        'drain before letting a line go',
      ],
    ),
    mechanism(
      'V2',
      'clients attach, detach, reattach',
      ['client.attach', 'client.detach', 'server.detach', 'client.reattach'],
      ['status page for each client', 'quiesce before detach', 'ring before replay', 'attached to the dead'],
    ),
    mechanism(
      'V3',
      'rings with ownership bits',
      ['client.submit', 'server.take', 'server.start', 'server.answer', 'server.sleep'],
      ['slot snapshot', 'buffer address check', 'handed back in flight', 'last look before sleep'],
    ),
    mechanism(
      'V4',
      'reception by copy',
      ['device.receive', 'server.deliver', 'client.read'],
      ['string copy bounds', 'bounded receive queue', 'send without waiting'],
    ),
    mechanism(
      'V5',
      'DMA addresses and pins',
      ['monitor.mapClientPage', 'monitor.unmapClientPage', 'monitor.reclaim'],
      ['pinned pages stay', 'loan without a pin', 'drain before unpinning', 'unmapped and not unpinned'],
    ),
    mechanism(
      'V6',
      'one IO-MMU table, taken in turns',
      ['mux.tick', 'config.command', 'gart.refill', 'monitor.revokeBus', 'monitor.takeBack'],
      [
        'drain before the switch',
        'bus-master switching',
        'deferred bus-master enable',
        'GART invalidation',
        'unmap hook',
        'time-out of the drain',
        'deferred enable outlives its DD/OS',
        'deferred enable forgotten',
        'deferred enable never granted',
        'bus kept until the slice ends',
        'dead space keeps its slice',
        'calls of the dead overlooked',
        'table of the dead kept',
        'loan without an entry',
        'page without an entry',
        'booted without an entry',
      ],
    ),
    mechanism(
      'V7',
      'restart and reattachment',
      ['monitor.stopHung', 'monitor.boot', 'client.reattach', 'monitor.reboot'],
      [
        'epoch check at reattachment',
        'reclaim before reboot',
        'one owner of a device',
        'requests forgotten',
        'memory kept for the reboot',
      ],
    ),
    mechanism(
      'V8',
      'command ring between server and Linux',
      ['server.receive', 'server.put', 'linux.take', 'linux.finish', 'monitor.bootAgain'],
      ['wait for a free slot', 'a call blocks its caller', 'callers not told'],
    ),
    mechanism(
      '5a',
      'recursive use of a DD/OS',
      ['bus.serve', 'bus.takeBack'],
      ['no wider than received', 'taken from the next only', 'configuration ports of one DD/OS'],
    ),
  ],
  invariants: [...numbered('DD-S', 9), ...numbered('DD-L', 3)],
  gaps: numbered('GAP-V', 9),
};

/** By the id of the architecture. */
export const descriptions: Readonly<Record<string, Description>> = {
  'safe-hardware': safeHardware,
  'reconstructing-io': reconstructingIo,
  microdrivers: microdriversDescription,
  'user-level-drivers': userLevelDrivers,
  'driver-reuse': driverReuse,
};
