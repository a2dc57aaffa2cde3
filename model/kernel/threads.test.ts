/** Threads of members of different sorts: the same number is not the same agent. */
import { describe, expect, it } from 'vitest';
import { build, DISABLED, type Machine, module, operationOn, sort, table, u8 } from './index.js';

const server = sort('test server');
const caller = sort('test caller');

interface Service extends Pick<Machine, 'killThreads' | 'isBusy'> {
  readonly at: { readonly server: Uint8Array; readonly caller: Uint8Array };
}
const ENDED = 9;
const operation = operationOn<Service>();
const serve = operation('test.serve', {
  agent: server,
  steps: {
    begin: (m, op) => {
      m.at.server[0] = op.agent + 1;
    },
    end: (m) => {
      m.at.server[0] = ENDED;
    },
  },
});
const call = operation('test.call', {
  agent: caller,
  steps: {
    begin: (m, op) => {
      m.at.caller[0] = op.agent + 1;
    },
    end: (m) => {
      m.at.caller[0] = ENDED;
    },
  },
});
const services = module('services', {
  tables: { at: table([], { server: u8(), caller: u8() }) },
  operations: [serve, call],
});

const SERVE = 0;
const CALL = 1;
const FIRST_THREAD = 2;

function machine(): Machine & Service {
  const threads = () => [
    { sort: server, member: 0 },
    { sort: caller, member: 0 },
  ];
  const def = { name: 'services', modules: [services], threads };
  const m = build(def, { scope: { 'test server': 1, 'test caller': 1 }, schedule: 'split' });
  m.choices.begin();
  m.loadInitial();
  return m as Machine & Service;
}

/** Starts an operation on a thread, by its number. */
function start(m: Machine, kind: number, thread: number): number {
  m.choices.begin();
  for (let t = 0; t < thread; t++) {
    m.fire(kind);
    m.choices.next();
  }
  return m.fire(kind);
}

describe('threads of members of sorts', () => {
  it('run the operations of their sort only', () => {
    const m = machine();
    expect(start(m, CALL, 0)).toBe(DISABLED);
    expect(start(m, SERVE, 0)).not.toBe(DISABLED);
    expect([...m.at.server, ...m.at.caller]).toEqual([1, 0]);
  });

  it('are told apart when one of them is killed', () => {
    const m = machine();
    start(m, SERVE, 0);
    start(m, CALL, 1);
    expect([m.isBusy(0, server), m.isBusy(0, caller), m.isBusy(0)]).toEqual([true, true, false]);
    m.killThreads(0, server);
    expect([m.isBusy(0, server), m.isBusy(0, caller)]).toEqual([false, true]);
    expect(m.fire(FIRST_THREAD)).toBe(DISABLED);
    expect(m.fire(FIRST_THREAD + 1)).not.toBe(DISABLED);
    expect(m.at.caller[0]).toBe(ENDED);
  });
});
