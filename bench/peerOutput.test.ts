/** Reading the peers' reports: what counts, and everything that must be refused although the tool ended with exit code 0. */
import { describe, expect, it } from 'vitest';
import { checkRumurSource, readRumur, readSpin } from './peerOutput.js';

const spin = (o: { mode?: string; errors?: number; extra?: string; matched?: number } = {}): string => `${o.extra ?? ''}
(Spin Version 6.5.2 -- 6 December 2019)
	+ Partial Order Reduction

${o.mode ?? 'Full statespace'} search for:
	assertion violations	+

State-vector 28 byte, depth reached 25, errors: ${o.errors ?? 0}
  1745408 states, stored
 ${o.matched ?? 16762370} states, matched
 18507778 transitions (= stored+matched)
        0 atomic steps
Stats on memory usage (in Megabytes):
   80.000	actual memory usage for states (compression: 86.01%)
         	state-vector as stored = 20 byte + 28 byte overhead
  128.000	memory used for hash table (-w24)
  208.612	total actual memory usage

pan: elapsed time 2.1 seconds
pan: rate 831146.67 states/second
`;

const rumur = (states: number, fired: number, errors: number): string => `<?xml version="1.0"?>
<information state_size_bits="27" state_size_bytes="4" hash_table_slots="65536"/>
${errors > 0 ? '<message>Assertion failed: no lost wake-up</message>' : ''}
<summary states="${states}" rules_fired="${fired}" errors="${errors}" duration_seconds="0"/>`;

describe('readSpin', () => {
  it('takes counts, clock and memory of a full search', () => {
    expect(readSpin(spin())).toEqual({
      states: 1_745_408,
      transitions: 18_507_778,
      ownSeconds: 2.1,
      vectorBytes: 20,
      storeBytes: 208 * 1024 * 1024,
    });
  });

  it.each(['Bit statespace', 'Hash-Compact 4'])('refuses the lossy mode: %s', (mode) => {
    expect(() => readSpin(spin({ mode }))).toThrow(expect.objectContaining({ code: 'RF-PEER-LOSSY' }));
  });

  it.each(['error: max search depth too small', 'Warning: Search not completed', 'pan: reached -DMEMLIM bound'])(
    'refuses a search that was cut short: %s',
    (extra) => {
      expect(() => readSpin(spin({ extra }))).toThrow(expect.objectContaining({ code: 'RF-PEER-LOSSY' }));
    },
  );

  it('tells a violation from a lossy run', () => {
    const extra = 'pan:1: assertion violated (at depth 12)\nWarning: Search not completed';
    expect(() => readSpin(spin({ errors: 1, extra }))).toThrow(/assertion violated \(at depth 12\)/);
  });

  it.each(['', 'Segmentation fault', spin({ matched: 1 })])('refuses output that does not add up', (text) => {
    expect(() => readSpin(text)).toThrow(expect.objectContaining({ code: 'RF-PEER-OUTPUT' }));
  });
});

describe('readRumur', () => {
  it('counts the initial state among the transitions, as SPIN does', () => {
    expect(readRumur(rumur(288, 1_145, 0))).toMatchObject({ states: 288, transitions: 1_146, vectorBytes: 4 });
  });

  it('reports a violation with its message', () => {
    expect(() => readRumur(rumur(9, 9, 1))).toThrow(/no lost wake-up/);
  });

  it('refuses output without a summary', () => {
    expect(() => readRumur('<progress states="1"/>')).toThrow(expect.objectContaining({ code: 'RF-PEER-OUTPUT' }));
  });
});

describe('checkRumurSource', () => {
  it('refuses a verifier with a depth bound', () => {
    expect(() => checkRumurSource('#define BOUND 5\n')).toThrow(expect.objectContaining({ code: 'RF-PEER-LOSSY' }));
    expect(() => checkRumurSource('int main;')).toThrow(expect.objectContaining({ code: 'RF-PEER-OUTPUT' }));
    expect(() => checkRumurSource('#define BOUND 0\n')).not.toThrow();
  });
});
