/** Deaths of DD/OSes that hold interrupt lines, requests for lines of others, and mutants of association and disassociation. */
import { mutant } from '../../../drivers/suite.js';
import {
  associateLine,
  canReturn,
  deliverLine,
  disassociateLine,
  end,
  handleLine,
  irqLine,
  isWired,
  LINE_ERRORS,
  type Lines,
  lineAccess,
  releaseLines,
  STOPPED,
} from '../../../model/architectures/driverReuse/irqAssociation.js';
import { ddos, HUNG, RUNNING } from '../../../model/architectures/driverReuse/restartState.js';
import { blockedBy, module, NONE, OK, omit, operationOn, reorder, replace } from '../../../model/kernel/index.js';

const operation = operationOn<Lines>();

/** The DD/OS crashes; whatever its threads were about ends, calls of the monitor included. */
export const vmCrash = operation('vm.crash', {
  agent: ddos,
  says: 'crashes',
  fault: 'F10',
  atomic: true,
  where: {
    agent: (m, op) => {
      const life = m.vm.life[op.agent];
      return (life === RUNNING || life === HUNG) && canReturn(m, op.agent);
    },
  },
  touches: (m, op, may) => may.write(m.vm, op.agent),
  steps: { stop: (m, op) => end(m, op.agent, STOPPED) },
});

/** The DD/OS stops answering: a message that it has stays with it. */
export const vmHang = operation('vm.hang', {
  agent: ddos,
  says: 'hangs',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.vm.life[op.agent] === RUNNING && canReturn(m, op.agent) },
  touches: (m, op, may) => may.write(m.vm, op.agent),
  steps: { hang: (m, op) => end(m, op.agent, HUNG) },
});

/** A DD/OS that works is taken for hung. */
export const vmSuspected = operation('vm.suspected', {
  agent: ddos,
  says: 'is wrongly taken for hung, and stopped',
  fault: 'F11',
  atomic: true,
  where: { agent: (m, op) => m.vm.life[op.agent] === RUNNING && canReturn(m, op.agent) },
  touches: (m, op, may) => may.write(m.vm, op.agent),
  steps: { stop: (m, op) => end(m, op.agent, STOPPED) },
});

/** A DD/OS asks for the line of a device that is not its own. */
export const associateForeign = operation('driver.associateForeign', {
  agent: ddos,
  says: 'asks for {line}, on which it has no device',
  source: 'LeVasseur et al. 2004, V1 associate interrupt',
  fault: 'F13',
  atomic: true,
  input: { line: irqLine },
  errors: LINE_ERRORS,
  where: {
    agent: (m, op) => m.vm.life[op.agent] === RUNNING,
    line: (m, op) => !isWired(m, op.agent, op.line) && m.wire.holder[op.line] === NONE,
  },
  touches: (m, op, may) => may.write(m.wire, op.line),
  steps: {
    'check the device': (m) => (m.on(lineAccess) ? blockedBy(lineAccess) : OK),
    associate: (m, op) => {
      m.wire.holder[op.line] = op.agent;
    },
  },
});

export const lineFaults = module<Lines, Record<never, never>>('failures of a DD/OS that holds lines', {
  tables: {},
  operations: [vmCrash, vmHang, vmSuspected, associateForeign],
});

const SOURCE = 'V1 disassociate interrupt, V7';

export const letsGoAtOnce = mutant('line let go in service', {
  says: 'a line is let go of while its interrupt is being handled',
  source: SOURCE,
  edits: [omit(disassociateLine, 'wait for the handler')],
});
export const letsGoUnmasked = mutant('line let go unmasked', {
  says: 'a line of the dead is let go of without being masked',
  source: SOURCE,
  edits: [omit(releaseLines, 'mask')],
});
export const answerUnmasks = mutant('answer unmasks a line on its way', {
  says: 'the answer of the handler unmasks the line though its holder is being disassociated',
  source: SOURCE,
  edits: [
    replace(handleLine, 'answer', (m, op) => {
      m.wire.to[op.line] = NONE;
      m.wire.of[op.line] = 0;
      m.wire.masked[op.line] = 0;
    }),
  ],
});
export const deadHolds = mutant('lines of the dead kept', {
  says: 'a DD/OS that is gone still holds its lines',
  source: SOURCE,
  edits: [omit(releaseLines, 'let go')],
});
export const messageOutlives = mutant('message to the dead kept', {
  says: 'a message to a dead DD/OS waits for the next instance',
  source: SOURCE,
  edits: [omit(releaseLines, 'drop its messages')],
});
export const droppedFirst = mutant('messages dropped before the line is masked', {
  says: 'messages to a dead DD/OS are dropped while its line still sends more',
  source: SOURCE,
  edits: [reorder(releaseLines, ['drop its messages', 'mask', 'let go', 'forget it'])],
});
export const sendsBlindly = mutant('sent to whoever held it', {
  says: 'an interrupt is sent though the line is on its way from its holder',
  source: 'V1; L4',
  edits: [
    replace(deliverLine, 'send', (m, op) => {
      const holder = m.wire.holder[op.line];
      if (holder === NONE) return;
      m.wire.to[op.line] = holder;
      m.wire.of[op.line] = m.vm.generation[holder];
    }),
  ],
});
export const staysMasked = mutant('associated and masked', {
  says: 'a line stays masked when it is associated',
  source: 'V1 associate interrupt',
  edits: [omit(associateLine, 'unmask')],
});
export const releasesAll = mutant('everybody\u2019s lines released', {
  says: 'the death of one DD/OS takes the lines of all',
  source: 'V7: others are not concerned',
  edits: [
    replace(releaseLines, 'let go', (m: Lines) => {
      m.wire.holder.fill(NONE);
      m.wire.leaving.fill(0);
    }),
  ],
});
