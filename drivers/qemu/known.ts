/** The ways in which versions of QEMU are known to part from the manual: what explains a disagreement, so that new ones stand out. */
import { z } from 'zod';
import file from './knownDisagreements.json' with { type: 'json' };
import type { KnownDisagreement } from './oracle.js';
import { stepSchema } from './traceFile.js';

const versionText = z.string().regex(/^\d+\.\d+$/);
const knownFile = z.strictObject({
  format: z.literal('ringfence-known-disagreements'),
  version: z.literal(1),
  target: z.literal('qemu-vtd'),
  known: z.array(
    z.strictObject({
      id: z.string(),
      relaxation: z.enum(['untagged', 'silentDenial', 'passThroughWidth']),
      /** Versions: from this one on, below that one. */
      qemu: z.strictObject({ from: versionText, below: versionText }),
      manual: z.string(),
      reason: z.string(),
      /** A program that shows it, from the first state. */
      trace: z.array(stepSchema).min(1),
    }),
  ),
});

export type KnownEntry = z.infer<typeof knownFile>['known'][number];

/** All entries of the file, checked. */
export function allKnown(): readonly KnownEntry[] {
  return knownFile.parse(file).known;
}

const compare = (a: string, b: string): number => {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
};

/** The entries that apply to a version (`7.2.22`), in the form that the oracle takes. */
export function knownFor(version: string): readonly KnownDisagreement[] {
  return allKnown().filter((k) => compare(version, k.qemu.from) >= 0 && compare(version, k.qemu.below) < 0);
}
