import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build, type MachineDef, type Scope } from '../../model/kernel/index.js';
import * as P from '../../properties/iommu.js';
import * as M from './iommuMachines.js';
const all = [P.dmaReach, P.dmaType, P.dmaCount, P.dmaRevoke, P.dmaSource, P.dmaFresh, P.dmaShut, P.dmaFair, P.dmaShadow, P.dmaRange];
function go(def: MachineDef, scope: Scope, schedule: 'whole' | 'split', failures: 'none' | 'any', max = 1_500_000): void {
  const t = Date.now();
  const r = exploreExhaustively(build(def, { scope, schedule, failures }), { properties: all, maxStates: max, mayStop: () => false });
  console.log(def.name, schedule, failures, JSON.stringify(scope), r.verdict, r.states, r.transitions, 'depth', r.depth, `${(Date.now() - t) / 1000} s`, r.stateBytes, 'bytes');
  for (const f of r.findings.slice(0, 4)) {
    console.log('  ', f.property.id, f.property.name, f.why);
    for (const s of f.trace) console.log('      ', s.says);
  }
  console.log('   not reached:', r.witnesses.filter((w) => !w.reached).map((w) => `${w.property}: ${w.witness}`).join('; '));
}
const which = process.argv[2];
const extra = JSON.parse(process.argv[3] ?? '{}') as Record<string, number>;
const schedule = (process.argv[4] ?? 'whole') as 'whole' | 'split';
const failures = (process.argv[5] ?? 'none') as 'none' | 'any';
const defs: Record<string, MachineDef> = { iommu: M.iommuMachine, race: M.iommuRaceMachine, tables: M.iommuTablesMachine, teardown: M.iommuTeardownMachine, queue: M.iommuQueueMachine };
const base = { domain: 2, generation: 2, frame: 5, device: 1, ats: 1, iova: 1, did: 1, queue: 3, dma: 1, record: 0 };
const def = which ? defs[which] : undefined;
if (def) go(def, { ...base, ...extra }, schedule, failures);
