/** State of the device channel (M4, M5): the mailboxes of the control interface, both ends, the controller, the frontend's pages. */
import { gate, type Machine, NONE, oneOf, ref, type State, sort, table, u8 } from '../../kernel/index.js';
import { CONTROL_MESSAGE, charge } from '../../ledger.js';

/** Pages: the last one belongs to another domain, the others to the frontend. */
export const channelPage = sort('page');

/** Lives of the backend. */
export const epoch = sort('epoch');

export const mailbox = sort('mailbox', {
  members: ['to the backend', 'from the backend', 'to the frontend', 'from the frontend'],
});

export const TO_BACK = 0;

export const FROM_BACK = 1;

export const TO_FRONT = 2;

export const FROM_FRONT = 3;

export const MESSAGES = [
  'none',
  'CREATE',
  'CONNECT',
  'DISCONNECT',
  'done',
  'failed',
  'UP',
  'STATUS(DISCONNECTED)',
  'STATUS(CONNECTED)',
] as const;

export const CREATE = 1;

export const CONNECT = 2;

export const DISCONNECT = 3;

export const ACK = 4;

export const REFUSED = 5;

export const UP = 6;

export const IS_DISCONNECTED = 7;

export const IS_CONNECTED = 8;

export const CLOSED = 0;

export const DISCONNECTED = 1;

export const CONNECTED = 2;

export const RUNNING = 0;

export const HUNG = 1;

export const DEAD = 2;

export const GONE = 3;

/** What the controller waits for. */
export const IDLE = 0;

export const CREATING = 1;

export const CREATED = 2;

export const CONNECTING = 3;

export const SERVING = 4;

export const DISCONNECTING = 5;

export const channelTables = {
  mail: table([mailbox], { message: oneOf(...MESSAGES), page: ref(channelPage), epoch: u8() }),
  front: table([], {
    state: oneOf('closed', 'disconnected', 'connected'),
    ring: ref(channelPage),
    /** Frees its ring and asks for another connection. */
    recovering: oneOf('no', 'yes'),
    submitted: oneOf('no', 'yes'),
    hostile: oneOf('no', 'yes'),
  }),
  /** What the frontend does with a page: nothing, ring, or its own data. */
  own: table([channelPage], { use: oneOf('free', 'ring', 'data') }),
  back: table([], {
    life: oneOf('running', 'hung', 'dead', 'gone'),
    state: oneOf('none', 'disconnected', 'connected'),
    mapped: ref(channelPage),
    /** Requests in work: a disconnection waits for them. */
    refs: u8(),
    leaving: oneOf('no', 'yes'),
    epoch: u8(),
  }),
  ctl: table([], {
    step: oneOf('idle', 'creating', 'created', 'connecting', 'serving', 'disconnecting'),
    page: ref(channelPage),
  }),
};

export type Channel = Machine & State<typeof channelTables>;

/** The VMM maps for the backend only what the frontend owns. */
export const ringOwner = gate('ring page ownership');

/** An answer counts only for the life of the backend that the question went to. */
export const messageEpoch = gate('message id match');

/** Whether the page is the frontend's. */
export const ownPage = (m: Channel, p: number): boolean => p < m.own.rows - 1;

export const isEmpty = (m: Channel, box: number): boolean => m.mail.message[box] === 0;

export const works = (m: Channel): boolean => m.back.life[0] === RUNNING;

export function post(m: Channel, box: number, message: number, page: number): void {
  m.mail.message[box] = message;
  m.mail.page[box] = page;
  m.mail.epoch[box] = m.back.epoch[0];
  charge(m, CONTROL_MESSAGE);
}

export function takeMail(m: Channel, box: number): void {
  m.mail.message[box] = 0;
  m.mail.page[box] = NONE;
  m.mail.epoch[box] = 0;
}

/** An answer of the backend for the controller, of its present life. */
export function answered(m: Channel, message: number): boolean {
  if (m.mail.message[FROM_BACK] !== message) return false;
  return !m.on(messageEpoch) || m.mail.epoch[FROM_BACK] === m.back.epoch[0];
}
