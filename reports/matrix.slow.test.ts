/** The containment matrix of real runs: what a cell says comes from the specification, and changes with it. */
import { describe, expect, it } from 'vitest';
import type { Architecture, Era, MatrixRow } from '../drivers/architectures/architecture.js';
import { interruptSuite } from '../drivers/architectures/driverReuse/channel.js';
import { driverReuse } from '../drivers/architectures/driverReuse.js';
import { microdrivers } from '../drivers/architectures/microdrivers.js';
import { stormSuite, xpcSuite } from '../drivers/architectures/microdriversSuites.js';
import { realMutants } from '../drivers/architectures/realMutants.js';
import { reconstructingIo } from '../drivers/architectures/reconstructingIo.js';
import { linesNow } from '../drivers/architectures/reconstructingIoParts.js';
import { safeHardware } from '../drivers/architectures/safeHardware.js';
import { messagesNow, messagesThen } from '../drivers/architectures/safeHardwareParts.js';
import { userLevelDrivers } from '../drivers/architectures/userLevelDrivers.js';
import { busNow, busThen } from '../drivers/architectures/userLevelSuites.js';
import type { Suite } from '../drivers/suite.js';
import { raisesAgain } from '../faults/architectures/microdrivers.js';
import { maskUntilAnswer } from '../model/architectures/driverReuse/interruptIpc.js';
import { replyMatching } from '../model/architectures/microdrivers/xpcState.js';
import { maskingUntilNotify } from '../model/interruptLines.js';
import { interruptRemapping } from '../model/iommu/index.js';
import { type FaultId, type Gate, guardWith } from '../model/kernel/index.js';
import { type FaultCell, faultCells } from './faultMatrix.js';
import { type FoundCell, rowCells } from './matrix.js';
import { type MutantRow, mutantRows } from './mutantTable.js';
import { sampleReport } from './samples/sampleReport.js';

/** An architecture of one suite an era: that of the suites that were run. */
const of = (a: Architecture, era: Era, s: Suite): Architecture => ({ ...a, suites: { then: [], now: [], [era]: [s] } });

interface Cells {
  readonly rows: readonly FoundCell[];
  readonly faults: readonly FaultCell[];
  readonly mutants: readonly MutantRow[];
}

/** The cells after a run of the suite, at small scope, in place of the architecture's own. */
async function cellsAfter(a: Architecture, era: Era, s: Suite): Promise<Cells> {
  const { report } = await sampleReport([s], 'small');
  const only = of(a, era, s);
  const says = new Set(s.claims.map((c) => c.says));
  const settled = a.cells.filter((c) => c.era === era && c.claims.every((x) => says.has(x)));
  return {
    rows: rowCells(report, [{ ...only, cells: settled }]),
    faults: faultCells(report, [only], [era]),
    mutants: mutantRows(report, realMutants),
  };
}

const rowOf = (m: Cells, row: MatrixRow) => m.rows.find((c) => c.row === row);
const faultOf = (m: Cells, fault: FaultId) => m.faults.find((c) => c.fault === fault);

/** The suite as if its machine lacked a gate. */
const lacking = (s: Suite, gate: Gate): Suite => ({ ...s, gatesOff: [...(s.gatesOff ?? []), gate] });
/** The same, and its claims know it. */
const admitted = (s: Suite): Suite => ({
  ...s,
  claims: s.claims.map((c) => ({ ...c, expects: 'not contained', without: [] })),
});

const contained: readonly (readonly [string, Architecture, Era, Suite, Gate, MatrixRow, FaultId])[] = [
  ['safe-hardware', safeHardware, 'now', messagesNow, interruptRemapping, 'interrupt-spoofing', 'F8'],
  ['reconstructing-io', reconstructingIo, 'now', linesNow, maskingUntilNotify, 'interrupt-storm', 'F9'],
  ['user-level-drivers', userLevelDrivers, 'now', busNow, interruptRemapping, 'interrupt-spoofing', 'F8'],
  ['driver-reuse', driverReuse, 'now', interruptSuite, maskUntilAnswer, 'interrupt-storm', 'F9'],
];

describe.each(contained)('%s', (_id, a, era, s, gate, row, fault) => {
  it(`is contained as it is, and not without ${gate.name}`, async () => {
    const before = await cellsAfter(a, era, s);
    expect(rowOf(before, row)).toMatchObject({ found: 'contained', worth: ['proved within scope'], breach: null });
    expect(faultOf(before, fault)).toMatchObject({ found: 'contained', breach: null });
    expect(faultOf(before, fault)?.injected).toBeGreaterThan(0);
    const after = await cellsAfter(a, era, lacking(s, gate));
    expect(rowOf(after, row)?.found).toBe('broken');
    expect(faultOf(after, fault)?.found).toBe('broken');
  });
});

describe('a cell that is not contained', () => {
  it('has its shortest trace, and how often the fault was injected', async () => {
    const m = await cellsAfter(safeHardware, 'then', messagesThen);
    expect(rowOf(m, 'interrupt-spoofing')).toMatchObject({ found: 'not contained', worth: ['breach'] });
    expect(rowOf(m, 'interrupt-spoofing')?.breach?.trace).toMatch(/\.json$/);
    expect(faultOf(m, 'F8')).toMatchObject({ found: 'not contained', blocked: {}, agrees: true });
    expect(faultOf(m, 'F8')?.injected).toBeGreaterThan(0);
  });

  it('is out of date when the specification has come to contain it', async () => {
    const m = await cellsAfter(userLevelDrivers, 'then', { ...busThen, gatesOff: [] });
    expect(rowOf(m, 'interrupt-spoofing')?.found).toBe('broken');
  });

  it('is what a claim that admits it says', async () => {
    const m = await cellsAfter(userLevelDrivers, 'now', admitted(lacking(busNow, interruptRemapping)));
    expect(faultOf(m, 'F8')?.found).toBe('not contained');
  });

  it('turns when an edit contains it', async () => {
    // A device that interrupts once is no storm: the expectation that threads starve no longer holds.
    const calm = { ...stormSuite, edits: [guardWith(raisesAgain, 'agent', () => false)] };
    expect(rowOf(await cellsAfter(microdrivers, 'then', stormSuite), 'interrupt-storm')?.found).toBe('not contained');
    expect(rowOf(await cellsAfter(microdrivers, 'then', calm), 'interrupt-storm')?.found).not.toBe('not contained');
  });
});

describe('a fault class', () => {
  it('is settled by the claims of suites that injected it', async () => {
    const m = await cellsAfter(microdrivers, 'then', xpcSuite);
    expect(faultOf(m, 'F14')).toMatchObject({ found: 'contained', claimed: 'C', agrees: true });
    expect(faultOf(m, 'F14')?.blocked).toHaveProperty(replyMatching.name);
    const after = await cellsAfter(microdrivers, 'then', lacking(xpcSuite, replyMatching));
    expect(faultOf(after, 'F14')?.found).toBe('broken');
  });

  it('has no surface where no machine has an operation of it, and is not exercised where a suite did not run', async () => {
    const m = await cellsAfter(microdrivers, 'then', xpcSuite);
    expect(faultOf(m, 'F2')?.found).toBe('no such surface');
    const nothing = faultCells({ suites: [] }, [of(microdrivers, 'then', xpcSuite)], ['then']);
    expect(nothing.find((c) => c.fault === 'F14')?.found).toBe('not exercised');
  });
});

describe('mutants of published code', () => {
  it('are twenty, and each is looked up by name', async () => {
    expect(realMutants.map((m) => m.number)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    const m = await cellsAfter(userLevelDrivers, 'now', busNow);
    expect(m.mutants.every((x) => x.verdict === 'not exercised')).toBe(true);
  });
});
