/** The suites that come with the package, in the order in which `ringfence list` names them. */
import type { Suite } from './suite.js';

export const embeddedSuites: readonly Suite[] = [];
