/** Generated mutants of the IOMMU: steps that nobody missed, and guards that say for whom. */
import { mutant } from '../drivers/suite.js';
import { attach, detach, didOf, permitWrite, readFaults, revokeWrite, TABLE, unmapPage } from '../model/iommu/index.js';
import { guardWith, reorder, replace } from '../model/kernel/index.js';

const step = 'generated: omitted step';
const guard = 'generated: omitted guard';
const order = 'generated: order of steps';

export const attachedSilent = mutant('attach: bus mastering stays off', {
  says: 'a device that had been detached is given to a domain, and stays silent',
  source: step,
  edits: [replace(attach, 'enable bus mastering', () => {})],
});
export const detachedMaster = mutant('detach: bus mastering stays on', {
  says: 'a device that is taken away still masters the bus',
  source: step,
  edits: [
    replace(detach, 'quiesce', (m, op) => {
      op.did = didOf(m, m.device.home[op.device]);
    }),
  ],
});
export const faultsKept = mutant('fault log not cleared', {
  says: 'the VMM reads the fault log and does not clear it',
  source: step,
  edits: [replace(readFaults, 'clear', () => {})],
});
export const attachedToTheDying = mutant('device given to the dying', {
  says: 'a device is given to a domain without a look at whether it runs',
  source: guard,
  edits: [guardWith(attach, 'domain', (m) => m.iommu.translation[0] === 1)],
});
export const dyingPermitted = mutant('write right given to the dying', {
  says: 'a mapping of a domain that is dying becomes writable',
  source: guard,
  edits: [guardWith(permitWrite, 'did', (m, op) => m.ioDirectory.kind[op.did] === TABLE)],
});
export const absentUnmapped = mutant('absent page unmapped', {
  says: 'unmap does not look whether there is anything to unmap',
  source: guard,
  edits: [guardWith(unmapPage, 'iova', undefined)],
});
export const rightBeforeType = mutant('write right before its type', {
  says: 'a mapping becomes writable before the frame counts as writable',
  source: order,
  edits: [reorder(permitWrite, ['set write right', 'take the type'])],
});
export const typeDroppedEarly = mutant('type dropped before the flush', {
  says: 'the writable type is given back while caches may still hold the right',
  source: order,
  edits: [
    reorder(revokeWrite, [
      'clear write right',
      'invalidate IOTLB',
      'invalidate ATC',
      'wait',
      'drop type reference',
      'completed',
    ]),
  ],
});
