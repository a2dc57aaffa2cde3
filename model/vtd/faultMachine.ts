/**
 * Fault recording as software sees it. Source: VT-d Architecture Specification, 7.2.2 (primary fault logging), 10.4.9, 10.4.14.
 *
 * Faults come from requesters at any moment; software reads the first pending record, clears it, and clears overflow. `told` keeps, apart
 * from all registers, what software must be able to learn: requesters with a fault that it has not heard of yet.
 */
import {
  flag,
  i32,
  type Machine,
  type MachineDef,
  module,
  OK,
  oneOf,
  operationOn,
  type State,
  setOf,
  sort,
  table,
  u8,
  u16,
} from '../kernel/index.js';
import {
  COMPRESSED,
  clearOverflow,
  clearRecord,
  type FaultRegisters,
  FRI,
  FSTS,
  LOST,
  OVERFLOW,
  PENDING,
  recordFault,
} from './faultRecords.js';
import { REASON } from './reasons.js';

export const faultSource = sort('fault source');
export const record = sort('fault record');
const status = sort('fault status', { members: ['FSTS', 'next record', 'first pending'] });

export const faultTables = {
  faultRecord: table([record], {
    pending: oneOf('no', 'yes'),
    write: oneOf('read', 'write'),
    reason: u8(),
    source: u16(),
    page: i32(),
  }),
  faultStatus: table([status], { value: u8() }),
  /** Sources with a fault that software has not heard of; of those, the ones that only the overflow bit stands for. */
  untold: table([], { sources: setOf(faultSource), overflowed: setOf(faultSource) }),
};
export type FaultMachine = Machine & State<typeof faultTables>;
const operation = operationOn<FaultMachine>();

/** Source ids: a device each, so that no two agree in the low or the high byte. */
export const sourceId = (s: number): number => 0x0028 + s * 0x0108;

const views = new WeakMap<object, FaultRegisters>();
/** The machine's fault registers in the form that `faultRecords` works on. */
export function registersOf(m: FaultMachine): FaultRegisters {
  let r = views.get(m);
  if (r === undefined) {
    const { pending, write, reason, source, page } = m.faultRecord;
    r = { pending, write, reason, source, page, status: m.faultStatus.value };
    views.set(m, r);
  }
  return r;
}

/** A request was blocked; the unit logs it. Whether it compresses faults of one source is its own choice, each time. */
export const faultHappens = operation('fault.happens', {
  agent: faultSource,
  says: 'is blocked (write: {write}); the unit may compress: {compress}',
  source: 'VT-d 7.2.2',
  fault: 'F2',
  input: { write: flag, compress: flag },
  locals: ['outcome'],
  touches: (m, _op, may) => {
    may.writeAll(m.faultRecord);
    may.writeAll(m.faultStatus);
    may.write(m.untold);
  },
  steps: {
    log: (m, op) => {
      const reason = op.write === 1 ? REASON.NO_WRITE : REASON.NO_READ;
      op.outcome = recordFault(registersOf(m), sourceId(op.agent), reason, op.write === 1, op.agent, op.compress === 1);
    },
    'keep account': (m, op) => {
      m.untold.sources[0] |= 1 << op.agent;
      if (op.outcome === LOST) m.untold.overflowed[0] |= 1 << op.agent;
      return OK;
    },
  },
});

/** Software handles the first pending record and clears it. */
export const handleRecord = operation('fault.handle', {
  agent: 'vmm',
  says: 'reads and clears the first pending record',
  source: 'VT-d 10.4.14',
  where: { agent: (m) => (m.faultStatus.value[FSTS] & PENDING) !== 0 },
  locals: ['at'],
  touches: (m, _op, may) => {
    may.writeAll(m.faultRecord);
    may.writeAll(m.faultStatus);
    may.write(m.untold);
  },
  steps: {
    read: (m, op) => {
      op.at = m.faultStatus.value[FRI];
      const of = m.faultRecord.source[op.at];
      for (let s = 0; s < m.size(faultSource); s++)
        if (sourceId(s) === of) m.untold.sources[0] &= ~(1 << s) | m.untold.overflowed[0];
    },
    clear: (m, op) => clearRecord(registersOf(m), op.at),
  },
});

/** Software sees overflow: it knows that faults were lost, asks every device, and clears the bit. */
export const handleOverflow = operation('fault.handleOverflow', {
  agent: 'vmm',
  says: 'sees the overflow, asks all devices and clears it',
  source: 'VT-d 10.4.9',
  where: { agent: (m) => (m.faultStatus.value[FSTS] & OVERFLOW) !== 0 },
  touches: (m, _op, may) => {
    may.writeAll(m.faultStatus);
    may.readAll(m.faultRecord);
    may.write(m.untold);
  },
  steps: {
    ask: (m) => {
      const pending = pendingSources(m);
      m.untold.sources[0] &= ~m.untold.overflowed[0] | pending;
      m.untold.overflowed[0] = 0;
    },
    clear: (m) => clearOverflow(registersOf(m)),
  },
});

/** Sources that a pending record names. */
export function pendingSources(m: FaultMachine): number {
  let set = 0;
  for (let s = 0; s < m.size(faultSource); s++) {
    for (let i = 0; i < m.faultRecord.rows; i++) {
      if (m.faultRecord.pending[i] !== 0 && m.faultRecord.source[i] === sourceId(s)) set |= 1 << s;
    }
  }
  return set;
}

export const WAS_COMPRESSED = COMPRESSED;

export const vtdFaultMachine: MachineDef = {
  name: 'vtd-faults',
  modules: [
    module<FaultMachine, typeof faultTables>('VT-d fault recording', {
      tables: faultTables,
      operations: [faultHappens, handleRecord, handleOverflow],
    }),
  ],
};
