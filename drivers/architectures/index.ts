/** The five architectures, in the order in which the matrix names them. */
import type { Suite } from '../suite.js';
import type { Architecture } from './architecture.js';
import type { CostRun } from './cost.js';
import { recoveryRuns as driverReuseRecovery } from './driverReuse/recovery.js';
import { driverReuse, costRuns as driverReuseCosts } from './driverReuse.js';
import { microdrivers, costRuns as microdriversCosts } from './microdrivers.js';
import { recoveryRuns as microdriversRecovery } from './microdriversRecovery.js';
import { reconstructingIo } from './reconstructingIo.js';
import { costRuns as reconstructingIoCosts } from './reconstructingIoCosts.js';
import { recoveryRuns as reconstructingIoRecovery } from './reconstructingIoRecovery.js';
import type { RecoveryRun } from './recovery.js';
import { safeHardware } from './safeHardware.js';
import { costRuns as safeHardwareCosts } from './safeHardwareCosts.js';
import { safeHardwarePublished } from './safeHardwarePublished.js';
import { recoveryRuns as safeHardwareRecovery } from './safeHardwareRecovery.js';
import { userLevelDrivers, costRuns as userLevelDriversCosts } from './userLevelDrivers.js';
import { recoveryRuns as userLevelDriversRecovery } from './userLevelRecovery.js';

export const architectures: readonly Architecture[] = [
  safeHardware,
  reconstructingIo,
  microdrivers,
  userLevelDrivers,
  driverReuse,
];

/** All their suites, both eras, each once; then those of the readings "as published", which settle no cell. */
export const architectureSuites: readonly Suite[] = [
  ...new Set([...architectures.flatMap((a) => [...a.suites.then, ...a.suites.now]), ...safeHardwarePublished]),
];

/** Scripted runs for the costs, by architecture. */
export const costRuns: ReadonlyMap<string, readonly CostRun[]> = new Map([
  [safeHardware.id, safeHardwareCosts],
  [reconstructingIo.id, reconstructingIoCosts],
  [microdrivers.id, microdriversCosts],
  [userLevelDrivers.id, userLevelDriversCosts],
  [driverReuse.id, driverReuseCosts],
]);

/** Ways back to service after a failure, by architecture. */
export const recoveryRuns: ReadonlyMap<string, readonly RecoveryRun[]> = new Map([
  [safeHardware.id, safeHardwareRecovery],
  [reconstructingIo.id, reconstructingIoRecovery],
  [microdrivers.id, microdriversRecovery],
  [userLevelDrivers.id, userLevelDriversRecovery],
  [driverReuse.id, driverReuseRecovery],
]);
