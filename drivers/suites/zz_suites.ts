import { exploreExhaustively } from '../../explore/exhaustive.js';
import { build } from '../../model/kernel/index.js';
import { isMutant, propertiesOf } from '../suite.js';
import { iommuSuites } from './iommu.js';
const only = process.argv[2];
const which = process.argv[3] ?? 'default';
for (const s of iommuSuites) {
  if (only && only !== 'all' && s.name !== only) continue;
  const t = Date.now();
  const scope = s.scope[which] ?? s.scope.default;
  const base = { schedule: s.schedule ?? 'whole', failures: s.failures ?? 'none' } as const;
  const r = exploreExhaustively(build(s.machine, { ...base, scope }), { properties: propertiesOf(s), maxStates: 2_000_000 });
  console.log(s.name, r.verdict, r.states, r.transitions, 'depth', r.depth, `${(Date.now() - t) / 1000} s`);
  for (const f of r.findings.slice(0, 3)) {
    console.log('  ', f.property.id, f.property.name, f.why);
    for (const x of f.trace) console.log('      ', x.says);
  }
  const not = r.witnesses.filter((w) => !w.reached);
  if (not.length) console.log('   not reached:', not.map((w) => `${w.property}: ${w.witness}`).join('; '));
  if (process.argv[4] === 'no') continue;
  for (const c of s.claims) {
    for (const w of c.without) {
      const edits = isMutant(w.off) ? w.off.edits : [];
      const gatesOff = isMutant(w.off) ? [] : [w.off];
      const t1 = Date.now();
      const x = exploreExhaustively(build(s.machine, { ...base, scope: w.scope ?? scope, gatesOff, edits }), {
        properties: [w.breaks], stopAtFirst: true, maxStates: 2_000_000, frameCondition: false, mayStop: () => true,
      });
      const f = x.findings[0];
      console.log('   ', w.off.name, '->', w.breaks.id, w.breaks.name, f ? `${f.trace.length - 1} steps` : `NOT FOUND (${x.states} states, ${x.verdict})`, `${(Date.now() - t1) / 1000} s`, f?.why ?? '');
    }
  }
}
