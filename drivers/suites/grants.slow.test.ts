/** The grant suites at default scope: complete, without findings, and with known numbers of states. */
import { expect, it } from 'vitest';
import { buildAt } from '../../explore/campaign/loading.js';
import { exploreExhaustively } from '../../explore/exhaustive.js';
import { checkScope } from '../../explore/suiteChecks.js';
import { mapGrant } from '../../model/grantMap.js';
import { countMappings, HOST } from '../../model/grants.js';
import { undoWith } from '../../model/kernel/index.js';
import { keptFromPeers } from '../../properties/grants.js';
import { grantPublication, grantQuota, grantRace, handleRace } from './grantRaces.js';
import { grants, hostileGranter } from './grants.js';

it.each([
  [grants, 214_468],
  [hostileGranter, 128_428],
  [grantPublication, 717],
  [grantRace, 176_570],
  [handleRace, 68_576],
  [grantQuota, 54_608],
])('$name holds at default scope', (s, states) => {
  const expected = { verdict: 'complete', states, findings: [], unreached: [] };
  expect(checkScope(s, s.scope.default)).toEqual(expected);
});

it('a host mapping that is undone because the device mapping failed leaves no translation behind', () => {
  // The specification had this hole itself once (undo_out: gnttab_flush_tlb).
  const unflushed = undoWith(mapGrant, 'enter the host mapping', (m, op) => {
    if (((op.kind + 1) & HOST) !== 0) countMappings(m, op.agent, op.frame, HOST, op.write === 1, -1);
  });
  const explored = (edits: readonly ReturnType<typeof undoWith>[]) =>
    exploreExhaustively(
      buildAt(grantRace, grantRace.scope.small ?? grantRace.scope.default, { failures: { nth: 2 }, edits }),
      {
        properties: [keptFromPeers],
        mayStop: () => true,
        stopAtFirst: true,
        frameCondition: false,
      },
    );
  expect(explored([]).findings).toEqual([]);
  expect(explored([unflushed]).findings.map((f) => `${f.property.id} ${f.property.name}`)).toEqual(['I11 bytes']);
});
