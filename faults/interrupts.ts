/** Attacks by interrupts: storms, hung sharers, forged messages; and the mistakes that have been made with lines and remapping entries. */

import { mutant } from '../drivers/suite.js';
import { CONTROL, domain, runs } from '../model/domains.js';
import {
  deliverLine,
  type Interrupts,
  line,
  maskingUntilNotify,
  sharer,
  touchesDelivery,
} from '../model/interruptLines.js';
import { bindLine, notifyUnmask, unbindDead, unbindLine } from '../model/interrupts.js';
import { device } from '../model/ioSpace.js';
import { blockedBy, drop, type Edit, insertBefore, NONE, omit, operationOn, replace } from '../model/kernel/index.js';
import {
  bindMessage,
  compatibilityBlocked,
  indexBound,
  isRemapped,
  type MessageInterrupts,
  post,
  remap,
  remapEntry,
  unbindMessage,
  vector,
} from '../model/messageInterrupts.js';

const onLines = operationOn<Interrupts>();
const onMessages = operationOn<MessageInterrupts>();
const STOPPED_BY_MASK = blockedBy(maskingUntilNotify);
const STOPPED_BY_FORMAT = blockedBy(compatibilityBlocked);
const STOPPED_BY_BOUND = blockedBy(indexBound);

/** A device asserts its line again although nobody has said that he is done. */
export const stormLine = onLines('line.storm', {
  agent: 'device',
  says: 'asserts {line} again',
  source: 'architectures 7.2, F9: assertion in every step',
  fault: 'F9',
  input: { line },
  where: { line: (m, op) => m.line.count[op.line] > 0 && m.line.inflight[op.line] > 0 },
  touches: (m, op, may) => touchesDelivery(m, op.line, may),
  steps: {
    assert: (m, op) => {
      if (m.line.masked[op.line] === 1) return STOPPED_BY_MASK;
      deliverLine(m, op.line);
      return 0;
    },
  },
});

/** A driver domain answers nothing any more. */
export const hangDriver = onLines('line.hang', {
  agent: domain,
  says: 'hangs',
  fault: 'F11',
  where: { agent: (m, op) => op.agent !== CONTROL && runs(m, op.agent) && m.driver.hung[op.agent] === 0 },
  touches: (m, op, may) => may.write(m.driver, op.agent),
  steps: {
    hang: (m, op) => {
      m.driver.hung[op.agent] = 1;
    },
  },
});

export const lineFaults = [stormLine, hangDriver];

/** A DMA write in remappable format that names somebody else's entry, or one that is not present. */
export const forgeEntry = onMessages('msi.forgeEntry', {
  agent: device,
  says: 'writes a message that names {entry}',
  source: 'H32: XSA-33, XSA-49',
  fault: 'F8',
  atomic: true,
  input: { entry: remapEntry },
  where: { entry: (m, op) => isRemapped(m) && m.message.entry[op.agent] !== op.entry },
  touches: (m, op, may) => {
    may.read(m.irte, op.entry);
    may.write(m.iec, op.entry);
    may.writeAll(m.vector);
  },
  steps: { write: (m, op) => remap(m, op.entry, op.agent) },
});

/** A message whose index lies beyond the table: what would be read there is not the VMM's. */
export const forgeIndex = onMessages('msi.forgeIndex', {
  agent: device,
  says: 'writes a message with an index beyond the table',
  source: 'H32: QEMU 3c507c26ec',
  fault: 'F8',
  atomic: true,
  where: { agent: (m) => isRemapped(m) },
  touches: (m, _op, may) => may.writeAll(m.vector),
  steps: {
    write: (m, op) => {
      if (m.on(indexBound)) return STOPPED_BY_BOUND;
      post(m, m.choose(vector, 'what lies there names'), op.agent);
      return 0;
    },
  },
});

/** A message in compatibility format, which names the vector itself. */
export const forgeVector = onMessages('msi.forgeVector', {
  agent: device,
  says: 'writes a message that names {vector}',
  source: 'H31: CVE-2011-1898',
  fault: 'F8',
  atomic: true,
  input: { vector },
  where: { vector: (m, op) => m.message.vector[op.agent] !== op.vector },
  touches: (m, op, may) => may.write(m.vector, op.vector),
  steps: {
    write: (m, op) => {
      if (isRemapped(m) && m.on(compatibilityBlocked)) return STOPPED_BY_FORMAT;
      post(m, op.vector, op.agent);
      return 0;
    },
  },
});

export const messageFaults = [forgeEntry, forgeIndex, forgeVector];

/** Closes a gap of the sharers as the 2004 code does: the length of the move counts bytes where it should count elements. */
function closeGapByBytes(m: Interrupts, op: { target: number; line: number }): void {
  const count = m.line.count[op.line];
  for (let at = 0; at < count; at++) {
    if (m.sharers.guest[m.sharers.at(op.line, at)] !== op.target) continue;
    // A move of fewer bytes than an element has reaches the next element at most.
    if (at + 1 < count) m.sharers.guest[m.sharers.at(op.line, at)] = m.sharers.guest[m.sharers.at(op.line, at + 1)];
    break;
  }
  const last = m.sharers.at(op.line, Math.min(count, m.size(sharer)) - 1);
  m.sharers.guest[last] = NONE;
  m.line.count[op.line] = count - 1;
  if (count === 1) m.line.shareable[op.line] = 0;
}

export const bytesNotElements = mutant('sharers compacted by bytes', {
  says: 'with three sharers the gap of the first is closed by one element only: one sharer is listed twice and one is lost',
  source: 'Xen 2004, xen/arch/x86/irq.c, pirq_guest_unbind: the length of its memmove (M2)',
  edits: [replace(unbindLine, 'close the gap', closeGapByBytes), replace(unbindDead, 'close the gap', closeGapByBytes)],
});

export const unbindKeepsHold = mutant('unbind keeps its hold', {
  says: 'a domain that leaves a line which it holds leaves its count behind, and the line stays masked',
  source: 'M2 Unbind: the end of what is held',
  edits: [omit(unbindLine, 'let go')],
});

export const deathKeepsHold = mutant('death keeps its hold', {
  says: 'a dead sharer is taken off the line but still counted, so the line is masked for ever',
  source: 'M2: a domain’s death performs Unbind',
  edits: [omit(unbindDead, 'let go')],
});

export const notifyForAll = mutant('one notification ends the interrupt for all', {
  says: 'the first sharer that is done unmasks the line, whoever else still holds it',
  source: 'M2 UnmaskNotify: the count',
  edits: [
    replace(notifyUnmask, 'let go', (m, op) => {
      for (let l = 0; l < m.line.rows; l++) {
        if (((m.line.held[l] >> op.agent) & 1) === 0) continue;
        m.line.held[l] &= ~(1 << op.agent);
        m.line.inflight[l]--;
        m.line.masked[l] = 0;
      }
    }),
  ],
});

export const sharedAnyway = mutant('exclusive line shared', {
  says: 'a line that somebody bound for himself alone is shared',
  source: 'M2 Bind: shareable on both sides',
  edits: [omit(bindLine, 'may be shared')] satisfies Edit[],
});

/** H32, XSA-49: no source validation. */
export const xsa49 = mutant('XSA-49', {
  says: 'the entry of a device is written with source validation off, so any device may use it',
  source: 'XSA-49, CVE-2013-1952; Xen 4c45d2ddc9',
  edits: [
    insertBefore(bindMessage, 'set present', 'leave validation off', (m, op) => {
      m.irte.verify[op.entry] = 0;
    }),
  ],
});

/** H32, XSA-33: validation of the wrong source. */
export const xsa33 = mutant('XSA-33', {
  says: 'every entry names the same source, the bridge, and so whoever is behind it',
  source: 'XSA-33, CVE-2012-5634',
  edits: [
    insertBefore(bindMessage, 'set present', 'name the bridge', (m, op) => {
      m.irte.source[op.entry] = 0;
    }),
  ],
});

export const vectorFreedFirst = mutant('entry outlives its vector', {
  says: 'the vector of a device is free again while its entry is still present',
  source: 'xen/drivers/passthrough/vtd/intremap.c, free_remap_entry: left out',
  edits: [omit(unbindMessage, 'clear entry')],
});

export const vectorKept = mutant('vector not freed', {
  says: 'a device that loses its interrupt keeps the vector, until there is none left for anybody',
  source: 'xen/arch/x86/irq.c, destroy_irq: left out',
  edits: [omit(unbindMessage, 'free the vector')],
});

export const boundTwice = mutant('line bound twice', {
  says: 'a domain joins the sharers of a line a second time',
  source: 'xen/common/event_channel.c, evtchn_bind_pirq: -EEXIST',
  edits: [omit(bindLine, 'not bound yet')],
});

export const deadKeepPort = mutant('the dead keep their port', {
  says: 'a dead domain is taken off the line but its port stays bound, and its id is never free',
  source: 'xen/common/event_channel.c, evtchn_destroy',
  edits: [drop(unbindDead)],
});
