/**
 * Message-signalled interrupts: a DMA write into the interrupt window is an interrupt. With remapping, the write names an entry of a table
 * that the VMM writes, and the entry names who may use it; without, the write itself names the vector.
 * Source: Intel VT-d specification, chapter 5 (interrupt remapping: 5.1.3 remappable and compatibility format, 5.1.5.1 source
 * validation, 6.5.3.6 interrupt-entry-cache invalidation, 9.10 interrupt remapping table entry); PCI Local Bus 3.0, 6.8.1.
 *
 * Must keep: I8, a vector is raised only by the device that it was given to; I9, a vector or an entry that is used again obeys nobody
 * of its past. Where there is no remapping hardware this is not claimed.
 */
import { CONTROL, type Domains, domain, domains, RUNNING, runs } from './domains.js';
import { device } from './ioSpace.js';
import {
  blockedBy,
  flag,
  gate,
  type MachineDef,
  module,
  NONE,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
} from './kernel/index.js';

/** Vectors of the processors; 0 is the VMM's own (exceptions, hypercalls) and is never given to a device. */
export const vector = sort('vector');
/** Entries of the interrupt remapping table. */
export const remapEntry = sort('entry');

export const messageTables = {
  vector: table([vector], {
    /** Whose interrupts it stands for, and to whom they are posted. */
    device: ref(device),
    target: ref(domain),
    pending: oneOf('no', 'yes'),
    /** Kept for properties: the device that really raised what is pending. */
    from: ref(device),
  }),
  /** Interrupt remapping table entries: P, SVT with SQ 0, SID, vector. */
  irte: table([remapEntry], {
    present: oneOf('no', 'yes'),
    verify: oneOf('no', 'yes'),
    source: ref(device),
    vector: ref(vector),
  }),
  /** Interrupt entry cache: copies of entries, until they are invalidated. */
  iec: table([remapEntry], {
    present: oneOf('no', 'yes'),
    verify: oneOf('no', 'yes'),
    source: ref(device),
    vector: ref(vector),
  }),
  /** The entry that a device's message names. */
  message: table([device], { entry: ref(remapEntry), vector: ref(vector) }),
  /** Whether the hardware can remap, and the VMM has switched it on. */
  remapping: table([], { present: oneOf('no', 'yes') }),
};

export type MessageInterrupts = Domains & State<typeof messageTables>;
const operation = operationOn<MessageInterrupts>();

/** Writes into the interrupt window go through the remapping table. */
export const interruptRemapping = gate('interrupt remapping');
/** Messages in compatibility format, which name a vector, are blocked (GSTS.CFIS off). */
export const compatibilityBlocked = gate('compatibility-format blocking');
/** An entry is used only by the requester that it names (SVT, SID). */
export const sourceVerification = gate('interrupt source verification');
/** The index of a message is compared with the size of the table. */
export const indexBound = gate('interrupt index check');
/** When an entry changes, the cached copy goes. */
export const entryInvalidation = gate('interrupt entry cache invalidation');

export const MESSAGE_ERRORS = { '-EBUSY': -16, '-EINVAL': -22, '-ENOSPC': -28 } as const;
const EINVAL = -22;
const ENOSPC = -28;

const NOT_PRESENT = blockedBy(interruptRemapping);
const WRONG_SOURCE = blockedBy(sourceVerification);

/** Whether messages go through the table. */
export function isRemapped(m: MessageInterrupts): boolean {
  return m.remapping.present[0] === 1 && m.on(interruptRemapping);
}

/** Posts an interrupt. */
export function post(m: MessageInterrupts, v: number, by: number): void {
  m.vector.pending[v] = 1;
  m.vector.from[v] = by;
}

function fill(m: MessageInterrupts, e: number): void {
  m.iec.present[e] = m.irte.present[e];
  m.iec.verify[e] = m.irte.verify[e];
  m.iec.source[e] = m.irte.source[e];
  m.iec.vector[e] = m.irte.vector[e];
}

/** Looks the entry up, in the cache first, and posts what it says; the gate that stopped it, or 0. */
export function remap(m: MessageInterrupts, e: number, by: number): number {
  if (m.iec.present[e] === 0 && m.irte.present[e] === 0) return NOT_PRESENT;
  const verify = m.iec.present[e] === 1 ? m.iec.verify[e] : m.irte.verify[e];
  const source = m.iec.present[e] === 1 ? m.iec.source[e] : m.irte.source[e];
  if (m.on(sourceVerification) && verify === 1 && source !== by) return WRONG_SOURCE;
  if (m.iec.present[e] === 0) fill(m, e);
  post(m, m.iec.vector[e], by);
  return 0;
}

/** A device is given a vector, and the entry that its message will name. Fields first, the present bit last. */
export const bindMessage = operation('msi.bind', {
  agent: 'vmm',
  says: 'gives {device} an interrupt of {target}',
  source: 'VT-d 9.10; xen/drivers/passthrough/vtd/intremap.c, msi_msg_to_remap_entry',
  input: { device, target: domain },
  locals: ['vector', 'entry'],
  where: {
    device: (m, op) => m.message.vector[op.device] === NONE,
    target: (m, op) => op.target !== CONTROL && m.domain.life[op.target] === RUNNING,
  },
  errors: MESSAGE_ERRORS,
  touches: (m, op, may) => {
    may.writeAll(m.vector);
    may.writeAll(m.irte);
    may.write(m.message, op.device);
  },
  steps: {
    'pick a vector': (m, op) => {
      for (let v = 1; v < m.vector.rows; v++) {
        if (m.vector.device[v] === NONE) {
          op.vector = v;
          return 0;
        }
      }
      return ENOSPC;
    },
    'pick an entry': (m, op) => {
      for (let e = 0; e < m.irte.rows; e++) {
        if (m.irte.present[e] === 0) {
          op.entry = e;
          return 0;
        }
      }
      return ENOSPC;
    },
    'claim the vector': (m, op) => {
      m.vector.device[op.vector] = op.device;
      m.vector.target[op.vector] = op.target;
    },
    'write entry': (m, op) => {
      m.irte.verify[op.entry] = 1;
      m.irte.source[op.entry] = op.device;
      m.irte.vector[op.entry] = op.vector;
    },
    'set present': (m, op) => {
      m.irte.present[op.entry] = 1;
    },
    'write message': (m, op) => {
      m.message.entry[op.device] = op.entry;
      m.message.vector[op.device] = op.vector;
    },
  },
});

/** Takes it back: not present, cached copy gone, and only then the vector is free. */
export const unbindMessage = operation('msi.unbind', {
  agent: 'vmm',
  says: 'takes the interrupt of {device} back',
  source: 'VT-d 6.5.3.6; xen/drivers/passthrough/vtd/intremap.c, free_remap_entry',
  input: { device },
  where: { device: (m, op) => m.message.vector[op.device] !== NONE },
  touches: (m, op, may) => {
    may.write(m.irte, m.message.entry[op.device]);
    may.write(m.iec, m.message.entry[op.device]);
    may.write(m.vector, m.message.vector[op.device]);
    may.write(m.message, op.device);
  },
  steps: {
    'clear entry': (m, op) => {
      const e = m.message.entry[op.device];
      m.irte.present[e] = 0;
      m.irte.verify[e] = 0;
      m.irte.source[e] = NONE;
      m.irte.vector[e] = NONE;
    },
    'invalidate cached entry': (m, op) => {
      if (!m.on(entryInvalidation)) return;
      const e = m.message.entry[op.device];
      m.iec.present[e] = 0;
      m.iec.verify[e] = 0;
      m.iec.source[e] = NONE;
      m.iec.vector[e] = NONE;
    },
    'free the vector': (m, op) => {
      const v = m.message.vector[op.device];
      m.vector.device[v] = NONE;
      m.vector.target[v] = NONE;
      m.vector.pending[v] = 0;
      m.vector.from[v] = NONE;
    },
    'clear message': (m, op) => {
      m.message.entry[op.device] = NONE;
      m.message.vector[op.device] = NONE;
    },
  },
});

/** The device raises the interrupt that it was given. */
export const sendMessage = operation('msi.send', {
  agent: device,
  path: 'notify',
  says: 'raises its interrupt',
  source: 'VT-d 5.1.4 (interrupt remapping hardware operation)',
  where: { agent: (m, op) => m.message.vector[op.agent] !== NONE },
  errors: MESSAGE_ERRORS,
  atomic: true,
  touches: (m, op, may) => {
    may.write(m.iec, m.message.entry[op.agent]);
    may.read(m.irte, m.message.entry[op.agent]);
    may.writeAll(m.vector);
  },
  steps: {
    write: (m, op) => {
      if (!isRemapped(m)) {
        post(m, m.message.vector[op.agent], op.agent);
        return 0;
      }
      return remap(m, m.message.entry[op.agent], op.agent) === 0 ? 0 : EINVAL;
    },
  },
});

/** The hardware may cache a present entry whenever it likes. */
export const fillEntryCache = operation('msi.fill', {
  agent: 'iommu',
  says: 'caches {entry}',
  source: 'VT-d 6.2.6 (interrupt entry cache)',
  input: { entry: remapEntry },
  where: { entry: (m, op) => isRemapped(m) && m.irte.present[op.entry] === 1 && m.iec.present[op.entry] === 0 },
  atomic: true,
  idle: true,
  touches: (m, op, may) => {
    may.read(m.irte, op.entry);
    may.write(m.iec, op.entry);
  },
  steps: { fill: (m, op) => fill(m, op.entry) },
});

/** The domain takes what was posted for it. */
export const takeMessage = operation('msi.take', {
  agent: domain,
  path: 'notify',
  says: 'handles {vector}',
  input: { vector },
  where: {
    agent: (m, op) => runs(m, op.agent),
    vector: (m, op) => m.vector.pending[op.vector] === 1 && m.vector.target[op.vector] === op.agent,
  },
  touches: (m, op, may) => may.write(m.vector, op.vector),
  steps: {
    take: (m, op) => {
      m.vector.pending[op.vector] = 0;
      m.vector.from[op.vector] = NONE;
    },
  },
});

/** No device has an interrupt; the hardware can remap or cannot. */
function noMessages(m: MessageInterrupts): void {
  m.vector.device.fill(NONE);
  m.vector.target.fill(NONE);
  m.vector.from.fill(NONE);
  m.irte.source.fill(NONE);
  m.irte.vector.fill(NONE);
  m.iec.source.fill(NONE);
  m.iec.vector.fill(NONE);
  m.message.entry.fill(NONE);
  m.message.vector.fill(NONE);
  m.remapping.present[0] = m.choose(flag, 'the hardware can remap interrupts');
}

/** Scope: `domain`, `generation`, `device`, `vector` (the VMM's own included), `entry`. */
export const messageInterrupts = module<MessageInterrupts, typeof messageTables>('message-signalled interrupts', {
  tables: messageTables,
  operations: [bindMessage, unbindMessage, sendMessage, fillEntryCache, takeMessage],
  initial: noMessages,
  holds: (m, d) => m.vector.target.includes(d),
  map: (m) =>
    [...m.vector.device].flatMap((dev, v) =>
      dev === NONE
        ? []
        : [`vector ${v}: device ${dev}, for domain ${m.vector.target[v]}${m.vector.pending[v] ? ', pending' : ''}`],
    ),
});

export const messageMachine: MachineDef = {
  name: 'message-signalled interrupts',
  modules: [domains, messageInterrupts],
};
