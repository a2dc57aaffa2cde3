/**
 * A page of the VMM's that a domain has mapped, one at a time: two processors that set it at once, and frames that come back. Two cases of
 * one shape, in one machine: the overlay page of a domain (Viridian reference TSC), and the status frame of grant tables version 2.
 * Source: Xen `xen/arch/x86/hvm/viridian/viridian.c` (viridian_map_guest_page, XSA-472); `xen/common/grant_table.c`
 * (gnttab_set_version, gnttab_map_frame, XSA-255, XSA-379, XSA-384, XSA-486).
 *
 * Must keep: I1 what a domain maps is its own or still the VMM's for it, I2 a frame has as many references as there are who hold it, I4 when
 * the version has changed, no status frame is mapped.
 */
import {
  AGAIN,
  flag,
  gate,
  type Machine,
  type MachineDef,
  module,
  NONE,
  OK,
  oneOf,
  operationOn,
  ref,
  type State,
  sort,
  table,
  u8,
} from './kernel/index.js';

export const specialFrame = sort('special frame');
/** Places in the domain's physical map where special frames can be mapped. */
export const place = sort('place');

/** Where runs begin, so that they are short. */
const start = sort('start', { members: ['nothing', 'version 2', 'version 2, mapped', 'an overlay'] });

export const overlayTables = {
  special: table([specialFrame], {
    /** References: of whoever has it as its overlay, and of each place that maps it. */
    refs: u8(),
    use: oneOf('free', 'overlay', 'status', "another domain's"),
  }),
  /** What the domain's physical map has at each place. */
  mapped: table([place], { frame: ref(specialFrame) }),
  guest: table([], {
    /** The overlay that is set, or NONE. */
    overlay: ref(specialFrame),
    /** Grant-table version, and its status frame while it is 2. */
    version: u8(),
    status: ref(specialFrame),
    /** The domain's lock. */
    locked: oneOf('no', 'yes'),
  }),
};
export type Overlay = Machine & State<typeof overlayTables>;
const operation = operationOn<Overlay>();

/** Calls that change what is mapped exclude each other. */
export const domainLock = gate('domain lock');
const ERRORS = { '-EBUSY': -16, '-EINVAL': -22, '-ENOMEM': -12 } as const;
const EBUSY = -16;
const EINVAL = -22;
const ENOMEM = -12;

/** Takes the lock; waits while another call has it. */
function lock(m: Overlay): number {
  if (!m.on(domainLock)) return OK;
  if (m.guest.locked[0] === 1) return AGAIN;
  m.guest.locked[0] = 1;
  return OK;
}
const unlock = (m: Overlay): void => {
  m.guest.locked[0] = 0;
};

/** Drops a reference; the last one frees the frame. */
export function putSpecial(m: Overlay, f: number): void {
  m.special.refs[f]--;
  if (m.special.refs[f] === 0) m.special.use[f] = 0;
}

/** Everything here is one domain's, or one free list. */
function touchAll(m: Overlay, _op: unknown, may: { writeAll(t: Overlay['special' | 'mapped' | 'guest']): void }): void {
  may.writeAll(m.special);
  may.writeAll(m.mapped);
  may.writeAll(m.guest);
}

/** The guest writes the register that says which page is its overlay: the old one goes, the new one comes. */
export const setOverlay = operation('overlay.set', {
  agent: 'vcpu',
  says: 'makes {frame} its overlay',
  source: 'viridian.c, wrmsr of the reference-TSC page (XSA-472)',
  input: { frame: specialFrame },
  locals: ['old'],
  touches: touchAll,
  errors: ERRORS,
  steps: {
    lock,
    'take the new frame': (m, op) => {
      if (m.special.use[op.frame] !== 0) return EBUSY;
      m.special.use[op.frame] = 1;
      m.special.refs[op.frame] = 1;
      return OK;
    },
    'read the old one': (m, op) => {
      op.old = m.guest.overlay[0];
    },
    'install the new one': (m, op) => {
      m.guest.overlay[0] = op.frame;
    },
    'put the old one': (m, op) => {
      if (op.old !== NONE) putSpecial(m, op.old);
    },
    unlock,
  },
  undo: { lock: unlock },
});

/** GNTTABOP_set_version. To 2: a status frame is made; to 1: it goes, unless it is mapped. */
export const setVersion = operation('overlay.setVersion', {
  agent: 'vcpu',
  says: 'switches its grant table to version {two} + 1',
  source: 'grant_table.c, gnttab_set_version, gnttab_unpopulate_status_frames',
  input: { two: flag, frame: specialFrame },
  where: { frame: (m, op) => m.guest.version[0] !== op.two + 1 && (op.two === 1 || op.frame === 0) },
  touches: touchAll,
  errors: ERRORS,
  steps: {
    'lock, make the status frame': (m, op) => {
      if (m.guest.locked[0] === 1 && m.on(domainLock)) return AGAIN;
      if (m.guest.version[0] === op.two + 1) return EINVAL;
      if (op.two === 1 && m.special.use[op.frame] !== 0) return ENOMEM;
      lock(m);
      if (op.two === 0) return OK;
      m.special.use[op.frame] = 2;
      m.special.refs[op.frame] = 1;
      m.guest.status[0] = op.frame;
      return OK;
    },
    'nobody maps it': (m, op) => (op.two === 1 || m.special.refs[m.guest.status[0]] === 1 ? OK : EBUSY),
    'free it': (m, op) => {
      if (op.two === 1) return;
      putSpecial(m, m.guest.status[0]);
      m.guest.status[0] = NONE;
    },
    'set the version': (m, op) => {
      m.guest.version[0] = op.two + 1;
    },
    unlock,
  },
  undo: { 'lock, make the status frame': unlock },
});

/** XENMEM_add_to_physmap of the status frame. */
export const mapStatus = operation('overlay.mapStatus', {
  agent: 'vcpu',
  says: 'maps its status frame at {place}',
  source: 'grant_table.c, gnttab_map_frame; xen/arch/x86/mm/p2m.c (XSA-384, XSA-486)',
  input: { place },
  locals: ['frame'],
  touches: touchAll,
  errors: ERRORS,
  steps: {
    lock,
    'look the frame up': (m, op) => {
      op.frame = m.guest.status[0];
      return op.frame === NONE ? EINVAL : OK;
    },
    'not mapped elsewhere': (m, op) => {
      for (let p = 0; p < m.mapped.rows; p++) if (m.mapped.frame[p] === op.frame) return EBUSY;
      return m.mapped.frame[op.place] === NONE ? OK : EBUSY;
    },
    'take a reference': (m, op) => {
      m.special.refs[op.frame]++;
    },
    'enter it': (m, op) => {
      m.mapped.frame[op.place] = op.frame;
    },
    unlock,
  },
  undo: { lock: unlock },
});

export const unmapStatus = operation('overlay.unmap', {
  agent: 'vcpu',
  says: 'unmaps {place}',
  source: 'xen/common/memory.c, XENMEM_remove_from_physmap',
  input: { place },
  locals: ['frame'],
  touches: touchAll,
  errors: ERRORS,
  steps: {
    lock,
    'clear the place': (m, op) => {
      op.frame = m.mapped.frame[op.place];
      if (op.frame === NONE) return EINVAL;
      m.mapped.frame[op.place] = NONE;
      return OK;
    },
    'drop the reference': (m, op) => putSpecial(m, op.frame),
    unlock,
  },
  undo: { lock: unlock },
});

/** A free frame goes to another domain, and may come back. */
export const givenAway = operation('overlay.give', {
  agent: 'vmm',
  says: 'gives {frame} to another domain, or takes it back',
  source: 'xen/common/page_alloc.c',
  input: { frame: specialFrame },
  where: { frame: (m, op) => m.special.use[op.frame] === 0 || m.special.use[op.frame] === 3 },
  touches: (m, op, may) => may.write(m.special, op.frame),
  atomic: true,
  steps: {
    give: (m, op) => {
      const to = m.special.use[op.frame] === 0 ? 3 : 0;
      m.special.use[op.frame] = to;
      m.special.refs[op.frame] = to === 3 ? 1 : 0;
    },
  },
});

/** Scope: `special frame`, `place`. Two processors. */
export const overlayMachine: MachineDef = {
  name: 'special pages',
  threads: () => ['vcpu', 'vcpu'],
  split: ['overlay.set', 'overlay.setVersion', 'overlay.mapStatus', 'overlay.unmap'],
  modules: [
    module<Overlay, typeof overlayTables>('special pages', {
      tables: overlayTables,
      operations: [setOverlay, setVersion, mapStatus, unmapStatus, givenAway],
      initial: (m) => {
        m.mapped.frame.fill(NONE);
        m.guest.overlay[0] = NONE;
        m.guest.status[0] = NONE;
        m.guest.version[0] = 1;
        const begin = m.choose(start);
        if (begin === 3) {
          m.guest.overlay[0] = 0;
          m.special.use[0] = 1;
          m.special.refs[0] = 1;
        }
        if (begin !== 1 && begin !== 2) return;
        m.guest.version[0] = 2;
        m.guest.status[0] = 0;
        m.special.use[0] = 2;
        m.special.refs[0] = begin;
        if (begin === 2) m.mapped.frame[0] = 0;
      },
    }),
  ],
};
