/** The suites that come with the package, in the order in which `ringfence list` names them. */
import type { Suite } from './suite.js';
import { events, eventsClosing, eventsRace } from './suites/events.js';
import { memory, memoryRace, strangers } from './suites/memory.js';
import { vtd, vtdFaults, vtdWalk } from './suites/vtd.js';

export const embeddedSuites: readonly Suite[] = [
  memory,
  memoryRace,
  strangers,
  events,
  eventsRace,
  eventsClosing,
  vtd,
  vtdWalk,
  vtdFaults,
];
