/** What must hold when a DD/OS dies beneath the time-multiplexed IO-MMU and comes back: DD-S1, DD-S2, DD-L1, DD-L2. */
import {
  ABSENT,
  clientDomain,
  domainOfSpace,
  HUNG,
  LENT,
  type Mux,
  REVOKED,
  RUNNING,
  STOPPED,
} from '../../../model/architectures/driverReuse/muxState.js';
import { NONE } from '../../../model/kernel/index.js';
import { type Census, leaksNothing } from '../../census.js';
import { isQuiescent } from '../../paths.js';
import { invariant, progress, relation } from '../../property.js';

const isGone = (m: Mux): boolean => m.space.life.includes(ABSENT);
const flies = (m: Mux): boolean => m.flight.device.some((v) => v !== NONE);
const died = (m: Mux): boolean => m.space.life.includes(STOPPED) || m.space.life.includes(REVOKED);

/** Whether the space is at work, or may still be thought to be. */
const lives = (life: number): boolean => life === RUNNING || life === HUNG;

/** Two live owners never. */
export const muxOneOwner = invariant<Mux>('DD-L1', 'one owner of the bus', {
  states: 'what a device has in flight was started by the instance that is there, and none is left when it is gone',
  holds: (m) => {
    for (let i = 0; i < m.flight.rows; i++) {
      const v = m.flight.device[i];
      if (v === NONE) continue;
      const s = m.master.home[v];
      if (m.space.life[s] === ABSENT || m.flight.of[i] !== m.space.generation[s]) return false;
    }
    return true;
  },
  witnesses: {
    'a DMA of a dead DD/OS is in flight': (m) => m.space.life[0] === REVOKED && flies(m),
    'a DMA of a new instance is in flight': (m) => m.flight.of.includes(1),
  },
});

/** Who has no business with the bus: a DD/OS whose devices were taken off it, until it runs again and asks. */
export const muxOffTheBus = invariant<Mux>('DD-S3', 'dead off the bus', {
  states: 'no device of a DD/OS that was taken off the bus has it, waits for it, or has a turn',
  holds: (m) => {
    for (let s = 0; s < m.space.rows; s++) {
      const life = m.space.life[s];
      if ((life === REVOKED || life === ABSENT) && hasBus(m, s)) return false;
    }
    return true;
  },
  witnesses: {
    'a DD/OS died whose device had the bus': (m) => m.space.life[0] === STOPPED && m.master.bus[0] === 1,
    'a DD/OS died whose device waited for its slice': (m) =>
      m.space.life[0] === STOPPED && m.master.wanted[0] === 1 && m.northbridge.current[0] === 1,
  },
});

function hasBus(m: Mux, s: number): boolean {
  // Between operations: a boot gives the slice before the instance runs.
  if (m.space.slice[s] > 0 && isQuiescent(m)) return true;
  for (let v = 0; v < m.master.rows; v++) {
    if (m.master.home[v] === s && (m.master.bus[v] === 1 || m.master.wanted[v] === 1)) return true;
  }
  return false;
}

/** Nothing of a dead instance is reachable or accounted. */
export const muxNothingLeft = invariant<Mux>('DD-L1', 'nothing of the dead', {
  states: 'a DD/OS that is gone has no entry, no cached translation, no loan, no pin, no memory and no device',
  holds: (m) => {
    if (!isQuiescent(m)) return true;
    for (let s = 0; s < m.space.rows; s++) if (m.space.life[s] === ABSENT && isLeft(m, s)) return false;
    return pinsAccounted(m);
  },
  witnesses: {
    'a DD/OS is gone': isGone,
    'a page was lent to the one that died': (m) => m.space.life[0] === STOPPED && m.io.lent.includes(LENT),
    'it was booted as often as this scope allows': (m) => m.space.generation[0] > 0 && m.space.spare[0] === 0,
  },
});

function isLeft(m: Mux, s: number): boolean {
  for (let f = 0; f < m.frame.rows; f++) {
    const row = m.io.at(s, f);
    if (m.io.entry[row] === 1 || m.io.lent[row] === LENT) return true;
    if (m.gart.from[f] === s || m.frame.owner[f] === domainOfSpace(s)) return true;
  }
  for (let v = 0; v < m.master.rows; v++) if (m.master.table[v] === s) return true;
  return false;
}

/** Every reference to a page is its owner's, or a loan's. */
function pinsAccounted(m: Mux): boolean {
  for (let f = 0; f < m.frame.rows; f++) {
    let known = m.frame.owner[f] === NONE && m.frame.types[f] === 0 ? 0 : 1;
    for (let s = 0; s < m.space.rows; s++) if (m.io.lent[m.io.at(s, f)] === LENT) known++;
    if (m.frame.refs[f] !== known) return false;
  }
  return true;
}

/** DD-S2, over deaths: where entries and what is cached of them lead. */
export const muxReused = invariant<Mux>('DD-S2', 'reused', {
  states: 'no entry, no cached translation and no DMA leads to memory that is free or somebody else\u2019s',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      for (let s = 0; s < m.space.rows; s++) {
        const leads = m.io.entry[m.io.at(s, f)] === 1 || m.gart.from[f] === s;
        if (leads && !belongs(m, s, f)) return false;
      }
    }
    for (let i = 0; i < m.flight.rows; i++) {
      if (m.flight.device[i] !== NONE && !belongs(m, m.master.home[m.flight.device[i]], m.flight.frame[i]))
        return false;
    }
    return true;
  },
  witnesses: {
    'memory of a dead DD/OS is free': (m) => m.space.life[0] === ABSENT && m.frame.owner[1] === NONE,
    'memory of a dead DD/OS is another one\u2019s': (m) => m.frame.owner[1] === domainOfSpace(1),
  },
});

/** The space's own, or its client's: who has lent it is looked at by DD-S2 stale. */
const belongs = (m: Mux, s: number, f: number): boolean =>
  m.frame.owner[f] === domainOfSpace(s) || m.frame.owner[f] === clientDomain(m);

/** DD-S1, over deaths. */
export const muxUnwritten = invariant<Mux>('DD-S1', 'reused memory', {
  states: 'no DMA of a dead DD/OS takes effect in memory that is not its own any more',
  holds: (m) => {
    for (let f = 0; f < m.frame.rows; f++) {
      if (m.content.writer[m.content.at(f, 0)] !== NONE) return false;
    }
    return true;
  },
  explain: (m) => `a frame carries what a device of domain ${m.content.writer.find((w) => w !== NONE)} wrote`,
  witnesses: {
    'a DMA of a dead DD/OS is in flight': (m) => died(m) && flies(m),
    'memory of a dead DD/OS is another one\u2019s': (m) => m.frame.owner[1] === domainOfSpace(1),
  },
});

const ABOUT_ONE = ['monitor.stopSpace', 'monitor.revokeBus', 'monitor.takeBack', 'monitor.reboot'];
const FAILURES = ['space.crash', 'space.hang', 'space.suspected'];

/** The space that the operation which just moved is about, or NONE. */
function concerned(m: Mux): number {
  const { name } = m.current.op;
  if (FAILURES.includes(name)) return m.current.call.agent;
  return ABOUT_ONE.includes(name) ? m.current.call.space : NONE;
}

/** Others notice nothing. */
export const muxNeighbours = relation<Mux>('DD-L1', 'other spaces', {
  states: 'the death and the return of one DD/OS change nothing of another: slice, bus, DMA, table, loans, memory',
  ofChange: true,
  holds: (before, after) => {
    const s = concerned(after);
    if (s === NONE) return true;
    for (let o = 0; o < after.space.rows; o++) if (o !== s && !isSameSpace(before, after, o)) return false;
    return isSameMemory(before, after, s);
  },
  witnesses: {
    'one DD/OS has died and the other runs': (m) => died(m) && m.space.life.includes(RUNNING),
    'it died in the slice of the other': (m) => m.space.life[0] === STOPPED && m.northbridge.current[0] === 1,
    'it died while the other had DMA in flight': (m) => m.space.life[0] === STOPPED && m.flight.device.includes(1),
  },
});

function isSameSpace(before: Mux, after: Mux, s: number): boolean {
  if (before.space.slice[s] !== after.space.slice[s] || before.space.life[s] !== after.space.life[s]) return false;
  if (before.space.generation[s] !== after.space.generation[s]) return false;
  for (let v = 0; v < after.master.rows; v++) {
    if (after.master.home[v] !== s) continue;
    if (before.master.bus[v] !== after.master.bus[v] || before.master.wanted[v] !== after.master.wanted[v])
      return false;
    if (before.master.table[v] !== after.master.table[v]) return false;
  }
  for (let f = 0; f < after.frame.rows; f++) {
    const row = after.io.at(s, f);
    if (before.io.entry[row] !== after.io.entry[row] || before.io.lent[row] !== after.io.lent[row]) return false;
  }
  for (let i = 0; i < after.flight.rows; i++) {
    const v = before.flight.device[i];
    if (v !== NONE && before.master.home[v] === s && after.flight.device[i] !== v) return false;
  }
  return true;
}

/** Whether memory stays with whoever has it, but for what is the space's own or becomes so. */
function isSameMemory(before: Mux, after: Mux, s: number): boolean {
  const own = domainOfSpace(s);
  for (let f = 0; f < after.frame.rows; f++) {
    const owner = before.frame.owner[f];
    if (owner !== own && owner !== NONE && after.frame.owner[f] !== owner) return false;
  }
  return true;
}

/** DD-L1. */
const returnOf = (s: number) =>
  progress<Mux>('DD-L1', `space ${s} returns`, {
    states: `space ${s}, when it crashed or hangs, runs again, with its slice`,
    pending: (m) => m.space.life[s] !== RUNNING,
    goal: (m) => m.space.life[s] === RUNNING && m.space.slice[s] === m.space.share[s],
    witnesses: { 'it hangs': (m) => m.space.life[s] === HUNG, 'it is gone': (m) => m.space.life[s] === ABSENT },
  });

/** What a DD/OS asks for is not forgotten, though it is granted later. */
export const muxWish = relation<Mux>('DD-L2', 'wish', {
  states:
    'when the monitor has taken a write to the command register, the device is to have what was asked for, and is off the bus if that was asked',
  ofChange: true,
  holds: (_before, after) => {
    if (after.current.op.name !== 'config.command' || !after.finished) return true;
    const { device, on } = after.current.call;
    return after.master.wanted[device] === on && (on === 1 || after.master.bus[device] === 0);
  },
  witnesses: {
    'a DD/OS has asked outside its slice': (m) => m.master.wanted[0] === 1 && m.northbridge.current[0] === 1,
    'a DD/OS that came back has asked': (m) => m.space.generation[0] > 0 && m.master.wanted[0] === 1,
  },
});

/** DD-L2, for what was deferred: so that service is back when the DD/OS is. */
export const muxGranted = progress<Mux>('DD-L2', 'deferred enable granted', {
  states: 'a device that is to have the bus, of a DD/OS that runs and has a slice, gets it',
  pending: (m) => m.space.life[0] === RUNNING && m.space.slice[0] > 0 && m.master.wanted[0] === 1,
  goal: (m) => m.master.bus[0] === 1,
  without: ['config.command'],
  witnesses: {
    'it waits for its slice': (m) => m.master.wanted[0] === 1 && m.master.bus[0] === 0,
    'its DD/OS came back': (m) => m.space.generation[0] > 0,
  },
});

/** DD-L2, for the one that lives while the other is dead or comes back. */
const survival = (s: number) =>
  progress<Mux>('DD-L2', `space ${s} goes on`, {
    states: `space ${s}, while it runs and is to have a slice, gets the bus`,
    pending: (m) => lives(m.space.life[s]) && m.space.share[s] > 0 && m.northbridge.current[0] !== s,
    goal: (m) => m.northbridge.current[0] === s && m.northbridge.switching[0] === 0,
    witnesses: {
      'the other one is dead': (m) => m.space.life[s] === RUNNING && !lives(m.space.life[1 - s]),
      'the other one came back': (m) => m.space.generation[1 - s] > 0,
    },
  });

export const muxReturns = [returnOf(0), returnOf(1)] as const;
export const muxSurvives = [survival(0), survival(1)] as const;

function countOwned(m: Mux): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.owner[f] === domainOfSpace(0)) n++;
  return n;
}

/** Entries of the first space, as far as they are to its own memory or not. */
function countEntries(m: Mux): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) n += m.io.entry[m.io.at(0, f)];
  return n;
}

/** References beyond an owner's. */
function countPins(m: Mux): number {
  let n = 0;
  for (let f = 0; f < m.frame.rows; f++) if (m.frame.refs[f] > 1) n += m.frame.refs[f] - 1;
  return n;
}

/** What the first DD/OS holds when nothing is lent to it and nothing is in flight. */
export const muxCensus: Census<Mux> = {
  atRest: (m) => isQuiescent(m) && m.space.life.every((x) => x === RUNNING) && !m.io.lent.includes(LENT) && !flies(m),
  restarts: (m) => m.space.generation[0],
  resources: {
    'frames of its own': { held: countOwned, needed: () => 1 },
    'entries of its table': { held: countEntries, needed: () => 1 },
    'pinned pages': { held: countPins, needed: () => 0 },
    'ticks of its slice': { held: (m) => m.space.slice[0], needed: (m) => m.space.share[0] },
    'registered devices': { held: (m) => Number(m.master.table[0] === 0), needed: () => 1 },
  },
};

export const muxLeaksNothing = leaksNothing('DD-L1', 'census of a space, k restarts', muxCensus);
