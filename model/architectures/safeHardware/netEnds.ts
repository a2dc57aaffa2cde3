/** What the two halves of the net channel lose when their driver domain dies, and what their guests do about it (M8). */
import { NONE } from '../../kernel/index.js';
import { ringSlot } from '../../ring.js';
import { discardReceive, forgetPackets, type Receive } from './netReceive.js';
import { type Recoverable, recoveryOf } from './netRecovery.js';
import { clearTransmit, forgetWork, type Transmit } from './netTransmit.js';

/** Outstanding packets are lost; their buffers are the guest's own again. */
export const transmitEnds: Recoverable<Transmit> = {
  forget: forgetWork,
  discard: (m, g) => {
    clearTransmit(m, g);
    for (let s = 0; s < m.size(ringSlot); s++) {
      m.sent.lent[m.sent.at(g, s)] = NONE;
      m.sent.wire[m.sent.at(g, s)] = 0;
    }
  },
  touches: (m, may) => {
    may.writeAll(m.txWork);
    may.writeAll(m.txRing);
    may.writeAll(m.txSlot);
    may.writeAll(m.sent);
  },
};

/** Packets that nobody was told of are lost; frames that were given away stay given. */
export const receiveEnds: Recoverable<Receive> = {
  forget: forgetPackets,
  discard: discardReceive,
  touches: (m, may) => {
    may.writeAll(m.rxFrame);
    may.writeAll(m.rx);
  },
};

export const transmitRecovery = recoveryOf(transmitEnds);
export const receiveRecovery = recoveryOf(receiveEnds);
