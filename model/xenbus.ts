/**
 * The states of a device's two ends in xenstore, and the changes that the protocol allows.
 * Source: Xen `xen/include/public/io/xenbus.h` (enum xenbus_state); `xen/include/public/io/blkif.h`, "State Diagrams".
 *
 * The tool stack creates both nodes Initialising. Backend: Initialising -> InitWait -> Connected; frontend: Initialising ->
 * Initialised (ring published) -> Connected. Permitted skips: the frontend need not wait for InitWait, the backend may skip it.
 * Closing starts at either end and ends in Closed. A new epoch, which the device manager begins when it restarts a backend, takes both
 * ends back to Initialising.
 */
export const UNKNOWN = 0;
export const INITIALISING = 1;
export const INIT_WAIT = 2;
export const INITIALISED = 3;
export const CONNECTED = 4;
export const CLOSING = 5;
export const CLOSED = 6;
/** Block devices do not use the last two (PCI pass-through does); they are here because a peer must tolerate them. */
export const RECONFIGURING = 7;
export const RECONFIGURED = 8;

export const XENBUS_STATES = [
  'Unknown',
  'Initialising',
  'InitWait',
  'Initialised',
  'Connected',
  'Closing',
  'Closed',
  'Reconfiguring',
  'Reconfigured',
] as const;

const bits = (...states: readonly number[]): number => states.reduce((set, s) => set | (1 << s), 0);

/** For each state of the frontend, the set of states that may follow within an epoch. */
const FRONT_NEXT = [
  bits(INITIALISING),
  bits(INITIALISED, CLOSING, CLOSED),
  bits(),
  bits(CONNECTED, CLOSING, CLOSED),
  bits(CLOSING, CLOSED, RECONFIGURING),
  bits(CLOSED),
  bits(INITIALISING),
  bits(RECONFIGURED),
  bits(CONNECTED),
];

/** For each state of the backend, the set of states that may follow within an epoch. */
const BACK_NEXT = [
  bits(INITIALISING),
  bits(INIT_WAIT, CONNECTED, CLOSING, CLOSED),
  bits(CONNECTED, CLOSING, CLOSED),
  bits(CONNECTED, CLOSING, CLOSED),
  bits(CLOSING, CLOSED, RECONFIGURING),
  bits(CLOSED),
  bits(INITIALISING),
  bits(RECONFIGURED),
  bits(CONNECTED),
];

/** Whether the frontend's node may change so within an epoch. */
export function frontMayGo(from: number, to: number): boolean {
  return from === to || ((FRONT_NEXT[from] >> to) & 1) === 1;
}

/** Whether the backend's node may change so within an epoch. */
export function backMayGo(from: number, to: number): boolean {
  return from === to || ((BACK_NEXT[from] >> to) & 1) === 1;
}

/** Whether the end has its ring published or in use. */
export function usesRing(state: number): boolean {
  return state === INITIALISED || state === CONNECTED;
}
