/** Mistakes in delivering an event: steps left out, or taken in another order than event_2l.c and the guests' handlers keep. */
import { mutant } from '../drivers/suite.js';
import { portsOf, rowOf, TODO_EVENT, wordBit } from '../model/eventChannels.js';
import { handleEvents, letGo, type Signal, sendEvent, unmaskEvent } from '../model/eventDelivery.js';
import { insertBefore, jumpTo, omit, reorder, replace } from '../model/kernel/index.js';

const RETURN = jumpTo('return');
const LATE = jumpTo('set pending late');
const UPCALL = jumpTo('set upcall');

export const maskBeforePending = mutant('mask looked at before pending is set', {
  says: 'the signaller looks at the mask first and sets pending afterwards, so an unmask in between finds nothing pending',
  source: 'xen/common/event_2l.c, evtchn_2l_set_pending: the order that it keeps',
  edits: [
    replace(sendEvent, 'set pending', (m, op) => {
      return m.channel.mask[rowOf(m, op.who, op.at)] === 1 ? LATE : 0;
    }),
    replace(sendEvent, 'check mask', (m, op) => {
      const row = rowOf(m, op.who, op.at);
      if (m.channel.pending[row] === 1) return letGo(m, op);
      m.channel.pending[row] = 1;
      return 0;
    }),
    replace(sendEvent, 'set selector', (m, op) => {
      const bit = wordBit(m, op.at);
      if ((m.vcpu.selector[op.who] & bit) !== 0) return letGo(m, op);
      m.vcpu.selector[op.who] |= bit;
      return UPCALL;
    }),
    insertBefore(sendEvent, 'set upcall', 'set pending late', (m, op) => {
      m.channel.pending[rowOf(m, op.who, op.at)] = 1;
      return letGo(m, op);
    }),
  ],
});

export const upcallBeforeSelector = mutant('upcall set before the selector', {
  says: 'the signaller raises the upcall first; a handler that runs in between finds an empty selector',
  source: 'xen/common/event_2l.c, evtchn_2l_set_pending: the order that it keeps',
  edits: [
    replace(sendEvent, 'set selector', (m, op) => {
      m.vcpu.upcallPending[op.who] = 1;
    }),
    replace(sendEvent, 'set upcall', (m, op) => {
      m.vcpu.selector[op.who] |= wordBit(m, op.at);
      return letGo(m, op);
    }),
  ],
});

export const upcallClearedLate = mutant('upcall flag cleared after the selector is taken', {
  says: 'the handler takes the selector and only then clears the upcall flag, with the flag of a later signal',
  source:
    'the barrier in the upcall handlers of guests (Linux drivers/xen/events/events_base.c, __xen_evtchn_do_upcall)',
  edits: [
    reorder(handleEvents, ['enter', 'take selector', 'clear upcall', 'find port', 'clear pending', 'handle', 'return']),
  ],
});

export const selectorNotExchanged = mutant('selector read and cleared apart', {
  says: 'the handler reads the selector and clears it in a second access, with the bits that came in between',
  source: 'Linux drivers/xen/events/events_2l.c: the exchange in evtchn_2l_handle_events',
  edits: [
    replace(handleEvents, 'take selector', (m, op) => {
      m.vcpu.words[op.agent] = m.vcpu.selector[op.agent];
    }),
    insertBefore(handleEvents, 'find port', 'clear selector', (m, op) => {
      if (m.vcpu.cursor[op.agent] === 0) m.vcpu.selector[op.agent] = 0;
      m.vcpu.todo[op.agent] = 0;
    }),
  ],
});

const FIND = jumpTo('find port');

export const handledBeforeCleared = mutant('pending cleared after the event is handled', {
  says: 'the handler runs first and clears the pending bit afterwards, with a signal that came during its run',
  source: 'xen/include/public/event_channel.h; Linux drivers/xen/events/events_base.c (ack before handle for edges)',
  edits: [
    replace(handleEvents, 'clear pending', (m, op) => {
      m.channel.owed[rowOf(m, op.agent, m.vcpu.cursor[op.agent])] = 0;
      m.vcpu.todo[op.agent] &= ~TODO_EVENT;
    }),
    replace(handleEvents, 'handle', (m, op) => {
      m.channel.pending[rowOf(m, op.agent, m.vcpu.cursor[op.agent])] = 0;
      return FIND;
    }),
  ],
});

export const pendingBeforeUnmask = mutant('pending looked at before the mask is cleared', {
  says: 'unmask looks for a pending event first and clears the mask afterwards; a signal in between sees the mask and leaves',
  source: 'xen/common/event_2l.c, evtchn_2l_unmask: the order that it keeps',
  edits: [
    replace(unmaskEvent, 'clear mask', (m, op) => {
      op.seen = m.channel.pending[rowOf(m, op.agent, op.port)];
    }),
    replace(unmaskEvent, 'check pending', (m, op) => {
      m.channel.mask[rowOf(m, op.agent, op.port)] = 0;
      return op.seen === 1 ? 0 : letGo(m, op);
    }),
  ],
});

export const unmaskForgetsPending = mutant('unmask does not look for a pending event', {
  says: 'unmask only clears the mask; an event that came while the port was masked is not raised again',
  source: 'xen/common/event_2l.c, evtchn_2l_unmask',
  edits: [replace(unmaskEvent, 'check pending', (m, op) => letGo(m, op as Signal))],
});

export const handlerScansAgain = mutant('handler starts again after each event', {
  says: 'the handler goes back to the first port after each event, so a peer that signals all the time keeps it there',
  source: 'XSA-332: event storms keep a handler from returning',
  edits: [
    replace(handleEvents, 'find port', (m, op) => {
      const d = op.agent;
      for (let p = 1; p < portsOf(m); p++) {
        const row = rowOf(m, d, p);
        if ((m.vcpu.words[d] & wordBit(m, p)) === 0 || m.channel.pending[row] === 0 || m.channel.mask[row] === 1)
          continue;
        m.vcpu.cursor[d] = p;
        m.vcpu.todo[d] |= TODO_EVENT;
        return 0;
      }
      m.vcpu.cursor[d] = 0;
      m.vcpu.words[d] = 0;
      return RETURN;
    }),
  ],
});

export const maskIgnored = mutant('signals ignore the mask', {
  says: 'a signaller wakes a domain for a port that it has masked, so masking is no defence against a storm',
  source: 'xen/common/event_2l.c, evtchn_2l_set_pending: the test of evtchn_mask',
  edits: [omit(sendEvent, 'check mask')],
});

export const upcallNotCleared = mutant('upcall flag never cleared', {
  says: 'the handler is entered again and again for one event',
  source: 'xen/include/public/xen.h, vcpu_info.evtchn_upcall_pending: cleared by the guest',
  edits: [omit(handleEvents, 'clear upcall')],
});
