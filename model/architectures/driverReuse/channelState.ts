/**
 * State of the channel between a DD/OS and its clients (LeVasseur et al. 2004, V2, V3): for each client a shared region with a ring whose
 * slots carry an ownership bit, and a status word for each side; the server's own notes of what it has in work.
 *
 * Slots are in shared memory: who owns one is a convention, and its fields are what the peer leaves in them. Client c is domain c + 1; the
 * last client is the hostile one. DMA addresses are the client's own offset by its bus base (V5).
 */
import { gate, type Machine, oneOf, type State, sort, table } from '../../kernel/index.js';

/** Clients of one server. */
export const client = sort('client');
/** Places in a client's ring (paper: 400). */
export const slot = sort('slot');

export const CLIENTS = 0;
export const SERVERS = 1;

/** Entries of the server's DMA vector (paper: 512). */
export const vector = sort('vector');

/** Where a buffer address leads. */
export const OWN = 0;
export const BEYOND = 1;

export const NOTHING = 0;
export const TAKEN = 1;
export const IN_FLIGHT = 2;
export const PERFORMED = 3;

export const ASLEEP = 0;
export const AWAKE = 1;
/** Has swapped its status words for 0, and looks once more. */
export const LOOKING = 2;

export const channelTables = {
  /** Shared: written by both ends. */
  ring: table([client, slot], {
    owner: oneOf('client', 'server'),
    address: oneOf('in the client', 'beyond the client'),
    failed: oneOf('no', 'yes'),
  }),
  /** Shared: the client's page with the two status words. */
  status: table([client], {
    /** The server has been told, or is at work: no signal is needed. */
    serverTold: oneOf('no', 'yes'),
    clientTold: oneOf('no', 'yes'),
  }),
  /** The client's own notes. */
  request: table([client, slot], { outstanding: oneOf('no', 'yes') }),
  /** The server's own notes, and the device. */
  work: table([client, slot], {
    stage: oneOf('nothing', 'taken', 'in flight', 'performed'),
    /** Address as it was validated; then the one that the device was given. */
    address: oneOf('in the client', 'beyond the client'),
  }),
  connection: table([client], { open: oneOf('no', 'yes') }),
  server: table([], {
    state: oneOf('asleep', 'awake', 'looking once more'),
  }),
  /** Kept for properties. */
  seen: table([client], {
    /** A slot that the client had not given away came back to it, and it believed that. */
    confused: oneOf('no', 'yes'),
    /** Its physical layout is known to somebody who does not serve it. */
    exposed: oneOf('no', 'yes'),
  }),
};

export type Channel = Machine & State<typeof channelTables>;

/** A buffer address lies in its client. */
export const addressCheck = gate('buffer address check');
/** A slot is read once, into the server's own memory. */
export const snapshot = gate('slot snapshot');
/** The server's status word is in a page of each client, not in one of all clients. */
export const ownStatusPage = gate('status page for each client');
/** The server looks once more before it sleeps. */
export const lastLook = gate('last look before sleep');
/** A client counts as completed only what it has handed over. */
export const ownNotes = gate('client\u2019s own notes');
/** The monitor tells physical addresses of a client to its servers only. */
export const rangePrivilege = gate('privilege check of physical ranges');
/** No client takes more of the server's DMA vector than its share. */
export const vectorQuota = gate('quota of the DMA vector');

/** Requests of all clients that are in flight. */
export function inFlightOf(m: Channel, c: number): number {
  let n = 0;
  for (let s = 0; s < m.size(slot); s++) if (m.work.stage[m.work.at(c, s)] !== NOTHING) n++;
  return n;
}

/** Entries of the DMA vector that all clients have in use. */
export function vectorInUse(m: Channel): number {
  let n = 0;
  for (let r = 0; r < m.work.rows; r++) if (m.work.stage[r] !== NOTHING) n++;
  return n;
}

/** What a client may have in work: an equal share of the vector, and no less than one. */
export function shareOf(m: Channel): number {
  const all = m.size(vector);
  const each = (all - (all % m.connection.rows)) / m.connection.rows;
  return each > 1 ? each : 1;
}

/** Whether the client is the adversary. */
export const isHostileClient = (m: Channel, c: number): boolean => c === m.connection.rows - 1;
