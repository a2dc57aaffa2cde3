/** The peers really run here, agree with the known counts and with ours, and have teeth. */
import { describe, expect, it } from 'vitest';
import { type BenchModel, knownCounts, modelName, QUICK } from './models.js';
import { exploreOurs } from './ours.js';
import { missingPrograms, PEERS, type PeerName, withVerifier } from './peers.js';

const SMALL: readonly BenchModel[] = [
  { kind: 'two-phase', n: 3 },
  ...QUICK,
  { kind: 'ring', size: 2, index: 4, payloads: 1, pairs: 1 },
  { kind: 'ring', size: 2, index: 4, payloads: 2, pairs: 1 },
];

const missing = [...new Set(PEERS.flatMap(missingPrograms))];
const excused = missing.length > 0 && process.env.RINGFENCE_NO_PEERS === '1';

describe('our side of the bench', () => {
  it.each(SMALL.map((m) => [modelName(m), m] as const))('has the known counts of %s', (_name, model) => {
    const { states, transitions, storeBytes } = exploreOurs(model);
    expect({ states, transitions }).toEqual(knownCounts(model));
    expect(storeBytes).toBeGreaterThan(states * 12);
  });

  it('gives no figure for a search that was cut short', () => {
    const model: BenchModel = { kind: 'ring', size: 4, index: 8, payloads: 2, pairs: 1 };
    expect(() => exploreOurs(model, { maxStates: 10_000 })).toThrow(/cut short by states/);
  });
});

describe('peers of the bench', () => {
  if (excused) {
    it(`DID NOT RUN: ${missing.join(', ')} missing, excused by RINGFENCE_NO_PEERS=1`, () => {
      process.stderr.write(`\n*** The bench was NOT compared with its peers: ${missing.join(', ')} missing ***\n`);
      expect(missing).not.toEqual([]);
    });
    return;
  }

  it('are installed', () => {
    const advice = `missing: ${missing.join(', ')}; run 'apt-get install spin rumur gcc', or set RINGFENCE_NO_PEERS=1`;
    expect(missing, advice).toEqual([]);
  });

  for (const model of SMALL) {
    it.each(PEERS)(`%s has the known counts of ${modelName(model)}`, async (peer: PeerName) => {
      const found = await withVerifier(peer, model, (v) => v.run());
      const { states, transitions } = found;
      expect({ states, transitions }).toEqual(knownCounts(model));
      expect(found.seconds).toBeGreaterThan(0);
    });
  }

  const ring: BenchModel = { kind: 'ring', size: 2, index: 4, payloads: 1, pairs: 1 };

  it.each(PEERS)('%s finds the wake-up that is lost without the final re-test', async (peer: PeerName) => {
    const withoutGate = withVerifier(peer, ring, (v) => v.run(), { withoutRecheck: true });
    await expect(withoutGate).rejects.toMatchObject({ code: 'RF-PEER-VIOLATION' });
  });

  it('refuses sizes that the models cannot express, by name', async () => {
    const bad = withVerifier('spin', { ...ring, index: 3 }, (v) => v.run());
    await expect(bad).rejects.toThrow(/index of descriptor ring .* from 4 to 128/);
  });
});
