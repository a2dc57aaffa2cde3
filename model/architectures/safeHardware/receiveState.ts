/** State of reception (M7): what each guest has asked for, and the stage of every frame that packets come in. */
import { frame, isFree, touchFrame } from '../../frames.js';
import { type Footprint, gate, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';
import { guest, type Net } from './netState.js';

/** Frames that each guest owns in the beginning: its reservation. */
export const buffer = sort('buffer');

/** Stages of a frame of the driver domain. */
export const SPARE = 0;

export const FILLING = 1;

export const FULL = 2;

/** Given away; translations may be left. */
export const FLIPPED = 3;

/** They are not; the guest may be told. */
export const FLUSHED = 4;

/** The guest has been told. */
export const TOLD = 5;

export const receiveTables = {
  rx: table([guest], {
    /** Buffers that the guest has asked for and not got. */
    credits: u8(),
    /** Frames that the VMM lets it own. */
    reservation: u8(),
    misdelivered: oneOf('no', 'yes'),
  }),
  rxFrame: table([frame], {
    stage: oneOf('spare', 'filling', 'full', 'flipped', 'flushed', 'told'),
    /** Guest that the packet in it is for. */
    packet: ref(guest),
    /** A second mapping in the driver domain, with a reference of its own. */
    second: oneOf('no', 'yes'),
  }),
};

export type Receive = Net & State<typeof receiveTables>;

/** A packet for a guest without room is dropped. */
export const dropWithoutRoom = gate('drop without a posted buffer');

export const EBUSY = -16;

export const ESRCH = -3;

export const ENOMEM = -12;

export const TRANSFER_ERRORS = { '-ESRCH': ESRCH, '-EBUSY': EBUSY, '-ENOMEM': ENOMEM } as const;

export function ownedBy(m: Receive, d: number): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === d) n++;
  return n;
}

export function freeFrame(m: Receive): number {
  for (let f = 0; f < m.frame.rows; f++) if (isFree(m, f)) return f;
  return NONE;
}

export function touchFrames(m: Receive, may: Footprint): void {
  for (let f = 0; f < m.frame.rows; f++) {
    touchFrame(m, may, f);
    may.write(m.rxFrame, f);
  }
}

export function forgetFrame(m: Receive, f: number): void {
  m.rxFrame.stage[f] = SPARE;
  m.rxFrame.packet[f] = NONE;
}
