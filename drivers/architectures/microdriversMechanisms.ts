/** What microdrivers consist of, by the ids of the description (architectures.md, 3b and 3c); see mechanisms.ts. */
import { type Description, mechanism, numbered } from './mechanism.js';

/** Looked up in the suites by mechanisms.test.ts. */
export const microdriversDescription: Description = {
  mechanisms: [
    mechanism(
      'D1',
      'choosing the split',
      ['split.propagate', 'split.decide'],
      ['MD-no-fixpoint', 'MD-one-level', 'MD-both-to-user'],
    ),
    mechanism(
      'D2',
      'stubs and XPC, nested',
      ['xpc.acquire', 'xpc.up', 'user.take', 'user.down', 'xpc.answer', 'user.reply', 'xpc.return'],
      ['reply matching', 'MD-no-lock', 'MD-lock-not-recursive', 'MD-nesting'],
    ),
    mechanism(
      'D2 guards',
      'up only from where the kernel may block; down only to ids below the size of the table, and entry points',
      ['callback.call', 'function.callDown', 'fault.wildCall'],
      ['blocking context check', 'function id check', 'entry point check'],
    ),
    mechanism(
      'D3',
      'marshalling of accessed fields',
      ['object.marshal', 'object.arrive', 'object.reply', 'object.return'],
      ['MD-field-left-out', 'MD-field-not-copied-out', 'MD-whole-structure', 'arguments copied once'],
    ),
    mechanism(
      'D4',
      'object tracker',
      ['object.pass', 'object.bring', 'object.free', 'pointer.resize', 'pointer.free'],
      [
        'MD-17 entry survives free',
        'MD-miss not allocated',
        'MD-copy not freed',
        'MD-stale-size',
        'MD-no-reallocation',
      ],
    ),
    mechanism(
      'D4 ranges',
      'ranges for interior pointers, which follow their pair',
      ['interior.pass', 'interior.bring', 'object.free', 'pointer.free', 'pointer.resize'],
      [
        'range bounds',
        'MD-range survives free',
        'MD-range keeps its size',
        'MD-range of the other half',
        'MD-bounds of the own half',
        'MD-nearest base',
      ],
    ),
    mechanism(
      'D4 functions',
      'table of functions for code pointers, stubs by id, until the end of the user half',
      ['function.register', 'function.withdraw', 'callback.bring', 'callback.call', 'table.clear', 'userHalf.load'],
      [
        'function type check',
        'MD-raw pointer believed',
        'MD-free entry believed',
        'MD-id of a callback left out',
        'MD-entry stays',
        'MD-table not cleared',
        'MD-dead stay entered',
        'MD-id reused',
        'MD-stub remembers',
        'MD-stub calls the dead',
      ],
    ),
    mechanism(
      'D5',
      'combolocks',
      ['lock.spin', 'lock.sleep', 'lock.userAsks', 'lock.userTakes', 'lock.userReleases', 'lock.release'],
      ['MD-mode-ignored', 'MD-18 interrupt not disabled', 'MD-18 data path sleeps', 'MD-not-published'],
    ),
    mechanism(
      'D6',
      'death of the user half with a call outstanding',
      ['user.crash', 'xpc.clearAway', 'xpc.refuse', 'lock.break'],
      ['MD-callers-not-told', 'MD-lock-not-broken', 'MD-combolock-not-broken'],
    ),
  ],
  invariants: [...numbered('MD-S', 7), 'MD-P1', 'MD-L1'],
  gaps: [],
};
