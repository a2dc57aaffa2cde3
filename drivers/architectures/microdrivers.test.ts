/** Microdrivers at small scope: what is claimed holds, every counterpart breaks what it must, every breach has its trace; costs. */
import { describe, expect, it } from 'vitest';
import { buildAt } from '../../explore/campaign/loading.js';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { exploreTwoRuns } from '../../explore/noninterference.js';
import { checkProgress } from '../../explore/progress.js';
import { freeObject, freePointer, type Tracker } from '../../model/architectures/microdrivers/tracker.js';
import { handleLine, type Storm } from '../../model/architectures/microdrivers/storm.js';
import { crash } from '../../faults/architectures/microdriversXpc.js';
import { raisesAgain, unknownPointer } from '../../faults/architectures/microdrivers.js';
import { add, type Edit, guardWith, type Machine, operationOn } from '../../model/kernel/index.js';
import { clearAway } from '../../model/architectures/microdrivers/xpc.js';
import { DEAD, HUNG, type Xpc } from '../../model/architectures/microdrivers/xpcState.js';
import type { AnyProperty } from '../../properties/property.js';
import { type Claim, isMutant, type Suite } from '../suite.js';
import { matrixRows } from './architecture.js';
import { costsOf } from './cost.js';
import { costRuns, microdrivers } from './microdrivers.js';
