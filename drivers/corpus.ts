/**
 * The corpus of historical isolation bugs (H01 to H41, and the links of their chains): which mutant or gate puts each back, in which suite,
 * which property it breaks, in how many steps; and why the others are out of reach of these specifications. `faults/CORPUS.md` shows it.
 */

/** One bug, or one link of a chain of fixes. */
export interface CorpusRow {
  /** Number in the corpus. */
  readonly bug: string;
  /** Which link, part or field. */
  readonly what: string;
  readonly suite: string;
  /** Name of the mutant or gate that is off. */
  readonly off: string;
  /** Id and name of the property. */
  readonly breaks: string;
  /** Length of the shortest counterexample; 0: the initial state is one. */
  readonly steps: number;
}

const row = (bug: string, what: string, suite: string, off: string, breaks: string, steps: number): CorpusRow => ({
  ...{ bug, what, suite, off, breaks, steps },
});

export const corpus: readonly CorpusRow[] = [
  row('H01', 'XSA-224', 'grants', 'XSA-224', 'I2 count', 2),
  row('H01', 'XSA-224, by page table', 'grants-hostile', 'XSA-224', 'I3 type', 4),
  row('H02', 'XSA-218', 'grants-handles', 'XSA-218', 'I2 pins', 8),
  row('H03', 'XSA-230', 'grants', 'XSA-230', 'I4 revoke', 4),
  row('H03', 'XSA-236', 'grants-handles', 'XSA-236', 'GT2 pinned', 8),
  row('H05', 'XSA-255', 'special-pages', 'XSA-255', 'I1 reach', 3),
  row('H05', 'XSA-379', 'special-pages', 'XSA-379', 'I2 count', 5),
  row('H05', 'XSA-384', 'special-pages', 'XSA-384', 'I2 count', 6),
  row('H05', 'XSA-486', 'special-pages', 'XSA-486', 'I1 reach', 8),
  row('H06', 'XSA-148, PSE', 'memory', 'XSA-148 PSE', 'I1 reach', 2),
  row('H06', 'XSA-148, RW', 'memory', 'XSA-148 RW', 'I3 type', 3),
  row('H06', 'XSA-182', 'memory', 'XSA-182', 'I3 type', 3),
  row('H07', 'XSA-401', 'memory-race', 'XSA-401', 'I3 type', 8),
  row('H08', 'XSA-299: what is worked on is not held', 'memory-maps', 'protected without a reference', 'I2 count', 4),
  row('H09', 'XSA-222, XSA-247', 'memory', 'XSA-247', 'I1 reach', 2),
  row('H09', 'of a large DMA mapping', 'page-states', 'failed split ignored', 'I1 reach', 3),
  row('H10', 'XSA-472', 'special-pages', 'XSA-472', 'I2 count', 8),
  row('H11', 'unshare, completer', 'page-states', 'unshare acknowledgement', 'I3 ownership', 2),
  row('H11', 'unshare, initiator', 'page-states', 'unshare: initiator unchecked', 'I3 ownership', 2),
  row('H11', 'share, initiator', 'page-states', 'share: initiator unchecked', 'I3 ownership', 1),
  row('H11', 'donate, initiator', 'page-states', 'donate: initiator unchecked', 'I3 ownership', 1),
  row('H12', 'issue 104', 'page-states', 'data page taken for a table', 'I1 reach', 3),
  row('H12', 'issues 84 and 86', 'vtd-ats', 'ATS sampled too early', 'I1 reach', 7),
  row('H12', 'issue 91', 'vtd-ats', 'device TLB not invalidated', 'I1 reach', 4),
  row('H12', 'issue 94', 'page-states', 'fault interrupt anywhere', 'I8 fault interrupt', 2),
  row('H13', 'XSA-343, XSA-338', 'events-closing', 'XSA-343', 'I4 reset', 5),
  row('H13', 'validity under the feet of a signal', 'events-closing', 'event-channel lock', 'I9 ports', 3),
  row('H14', 'XSA-496', 'events', 'XSA-496', 'I14 registration', 3),
  row('H15', 'XSA-322', 'xenstore', 'XSA-322', 'I9 permissions', 7),
  row('H15', 'XSA-419', 'xenstore', 'XSA-419', 'I14 quota', 3),
  row('H15', 'XSA-483', 'xenstore', 'XSA-483', 'I9 fresh', 4),
  row('H16', 'XSA-321, write-back', 'iommu-tables', 'table write-back', 'I15 shadow', 4),
  row('H16', 'XSA-321, new table', 'iommu-tables', 'XSA-321 c', 'I15 shadow', 5),
  row('H16', 'XSA-366', 'iommu-tables', 'XSA-366', 'I15 shadow', 5),
  row('H17', 'second-level entry, order', 'vtd-torn', 'low word first', 'I13 whole entries', 4),
  row('H17', 'second-level entry, live', 'vtd-torn', 'high word of a live entry', 'I13 whole entries', 3),
  row('H17', 'second-level entry, field by field', 'vtd-torn', 'rights before the address', 'I13 whole entries', 3),
  row('H17', 'device entry', 'vtd', 'context entry published first', 'I13 shut', 4),
  row('H18', 'XSA-373, time-out swallowed', 'iommu-timeout', 'XSA-373 a', 'I4 revoke', 7),
  row('H18', 'XSA-373, full queue', 'iommu-queue', 'XSA-373 b', 'I4 revoke', 5),
  row('H18', 'XSA-373, late completion', 'iommu-queue', 'XSA-373 c', 'I4 revoke', 5),
  row('H19', 'XSA-275', 'iommu', 'XSA-275', 'I4 revoke', 4),
  row('H19', 'XSA-275, device TLB', 'vtd-ats', 'only removals invalidated', 'I15 shadow', 5),
  row('H19', 'XSA-442', 'iommu', 'XSA-442', 'I9 fresh', 4),
  row('H20', 'XSA-386', 'iommu', 'XSA-386', 'I1 reach', 4),
  row('H21', 'XSA-445', 'vtd', 'built with 4 levels, walked with 3', 'I3 type', 5),
  row('H22', 'abstract', 'iommu-race', 'SMMUv3 ATC before TLB', 'I15 shadow', 8),
  row('H22', 'bit level', 'vtd-ats', 'device TLB before IOTLB', 'I1 reach', 6),
  row('H23', 'CVE-2026-45944', 'vtd', 'context entry replaced while present', 'I13 shut', 2),
  row('H24', 'CVE-2025-71089', 'iommu-tables', 'CVE-2025-71089', 'I1 reach', 6),
  row('H24', 'bit level, XSA-480', 'vtd', 'paging-structure cache kept', 'I3 type', 5),
  row('H25', 'vfio 6586b561', 'iommu', 'attach before the old detach', 'I1 reach', 4),
  row('H25', 'driver detach', 'io-revocation', 'removed before it is shut', 'I1 device reach', 1),
  row('H26', 'CVE-2025-11901', 'iommu', 'CVE-2025-11901', 'I13 shut', 0),
  row('H26', 'the default', 'iommu', 'default deny at power-on', 'I13 shut', 0),
  row('H26', 'bit level', 'vtd', 'devices enabled before translation', 'I13 default deny', 3),
  row('H27', 'granularity', 'iommu', 'Thunderclap sub-page', 'I11 bytes', 3),
  row('H27', 'ATS believed', 'iommu', 'translated requests refused', 'I1 reach', 1),
  row('H27', 'ATS, bit level', 'vtd-ats', 'ATS for anyone', 'I8 source', 3),
  row('H28', 'deferred unmapping', 'iommu', 'strict invalidation', 'I4 revoke', 4),
  row('H29', 'one page, two mappings', 'iommu', 'Thunderclap sub-page', 'I11 bytes', 3),
  row('H30', 'CVE-2022-0854, CVE-2022-48853', 'bounce', 'CVE-2022-48853', 'I11 bytes', 5),
  row('H30', 'announced length', 'bounce', 'whole slot copied back', 'I11 bytes', 5),
  row('H30', 'the fix redone', 'bounce', 'first half initialised', 'I11 bytes', 5),
  row('H30', 'CVE-2024-35814', 'bounce', 'CVE-2024-35814', 'I2 slots', 2),
  row('H31', 'CVE-2011-1898', 'msi', 'interrupt remapping', 'I8 source of interrupts', 1),
  row('H32', 'XSA-33', 'msi', 'XSA-33', 'I8 source of interrupts', 2),
  row('H32', 'XSA-49', 'msi', 'XSA-49', 'I8 source of interrupts', 2),
  row('H32', 'QEMU 3c507c26ec', 'msi', 'interrupt index check', 'I8 source of interrupts', 1),
  row('H33', 'operation', 'block-hostile', 'XSA-155 operation', 'I8 source', 4),
  row('H33', 'nr_segments', 'block-hostile', 'XSA-155 nr_segments', 'I5 once', 3),
  row('H33', 'sector', 'block-hostile', 'XSA-155 sector', 'I8 source', 4),
  row('H33', 'first_sect', 'block-hostile', 'XSA-155 first_sect', 'I5 once', 3),
  row('H33', 'last_sect', 'block-hostile', 'XSA-155 last_sect', 'I5 once', 3),
  row('H33', 'gref', 'block-hostile', 'XSA-155 gref', 'I2 count', 5),
  row('H34', 'query', 'grants-race', 'XSA-396 query', 'I4 revoke', 8),
  row('H34', 'result ignored', 'grants', 'XSA-396 ignore', 'I4 revoke', 3),
  row('H34', 'ring', 'block', 'XSA-396 ring', 'I4 revoke', 3),
  row('H34', 'buffer', 'block-distrust', 'XSA-396 buffer', 'I4 revoke', 4),
  row('H35', 'block ring', 'block-distrust', 'response id test', 'I6 match', 2),
  row('H35', 'nothing outstanding', 'virtqueue', 'completion of nothing', 'I6 match', 2),
  row('H35', 'id as an index', 'virtqueue', 'id out of range', 'I6 match', 2),
  row('H35', 'length', 'virtqueue', 'used length unchecked', 'I6 match', 3),
  row('H36', 'two owners of the tear-down', 'block', 'H36', 'I10 teardown', 3),
  row('H36', 'restart with old indices', 'block', 'indices kept over a restart', 'RG4 order', 5),
  row('H36', 'mapping that fails half way', 'block-hostile', 'partial mapping kept', 'I2 count', 3),
  row('H37', 'CVE-2016-6490', 'virtqueue', 'CVE-2016-6490', 'I7 length', 2),
  row('H37', 'CVE-2016-5403', 'virtqueue', 'CVE-2016-5403', 'I14 in flight', 5),
  row('H37', 'rust-vmm 16f1b01', 'virtqueue', 'index far ahead', 'I12 available', 2),
  row('H37', 'cycle of next', 'virtqueue', 'chain without a bound', 'I12 walk', 2),
  row('H37', 'rust-vmm PR 236', 'virtqueue', 'chain total too long', 'I7 length', 2),
  row('H40', 'descriptor read again', 'virtqueue', 'descriptor read again', 'I5 mapped', 4),
  row('H40', 'used.id', 'virtqueue', 'id out of range', 'I6 match', 2),
  row('H40', 'used.len', 'virtqueue', 'used length unchecked', 'I6 match', 3),
  row('H41 60b', 'QEMU 9a4bb8391f', 'iommu-race', 'invalidation widened', 'I15 range', 7),
  row('H41 60c', 'mask not inverted', 'vtd', 'address mask not inverted', 'I15 shadow', 4),
  row('H41 60c', 'source id cut', 'vtd', 'source id cut to 8 bits', 'I8 source', 2),
  row('H41 60c', 'size cut', 'vtd-walk', 'host address cut', 'I7 total', 1),
  row('H41 60c', 'source id cut, device TLB', 'vtd-ats', 'another device asked', 'I1 reach', 5),
  row('H41 60e', 'QEMU f6b5644c90', 'vtd-walk', 'absent context entry lets pass', 'I7 total', 1),
  row('H41 60h', 'QEMU b6a59a2ebf', 'vtd', 'global invalidation ignored', 'I15 shadow', 4),
  row('H41 60j', 'QEMU 1194140b7f', 'vtd-ats', 'request for everything overflows', 'I1 reach', 5),
  row('H41 60j', 'abstract', 'iommu-race', 'invalidation: first page only', 'I15 range', 7),
  row('H41 60l', 'endpoint not detached', 'iommu-teardown', 'attach before the old detach', 'I8 source', 1),
  row('H41 60n', 'leaf mask', 'vtd-walk', 'superpage taken for a table', 'vtd-reason reason', 1),
  row('H41 60o', 'reserved bits', 'vtd-walk', 'reserved bits ignored', 'I7 total', 1),
];

/** What of the corpus these specifications cannot put back, and why. */
export const outOfReach: readonly (readonly [bug: string, reason: string])[] = [
  [
    'H04, XSA-226 and XSA-318',
    'transitive grants exist in grant tables of version 2 only; version 1 is specified, and no call has continuations',
  ],
  [
    'H08, recursive promotion',
    'page tables have one level, so no validation is interrupted with a child half done; that what is worked on must be held is the row above',
  ],
  [
    'H13, switch of implementation; XSA-505',
    'the two-level implementation only: the bound of ports never shrinks and there is no FIFO to expand',
  ],
  ['H20, XSA-400', 'no regions that firmware demands: nothing must stay mapped between two configurations'],
  [
    'H25, all orders',
    'enumerated by explore/teardownOrders.ts and explore/closeOrders.ts (120 and 720 orders), not by single mutants',
  ],
  [
    'H29, co-location by an allocator',
    'frames have two halves with one object each; where an allocator puts objects is no part of the machines (suite grants-sub-page shows the exposure)',
  ],
  ['H32, bits of the AMD device table', 'VT-d is the only unit at the level of bits'],
  [
    'H35, stale completion after reuse of a tag',
    'a device that answers a reused tag early is indistinguishable from one that is done; block rings tell lives apart by epoch (suite block, epoch test)',
  ],
  ['H36, DPDK', 'messages that pass descriptors of files are no part of the split driver'],
  ['H38', 'split virtqueues only: there is no wrap counter'],
  ['H39', 'no migration, and so no dirty log'],
  ['H41 60g', 'requester ids are fixed: no bus is numbered anew'],
  ['H41 60l, bus cache after reset', 'the units are not reset; caches of an earlier kernel are (suite vtd, staleBoot)'],
  ['H41 60n, process directory; 60o, G-stage', 'no nested translation and no process tables'],
];

/** The table as it stands in `faults/CORPUS.md`. */
export function corpusText(): string {
  const lines = corpus.map((r) => `| ${r.bug} | ${r.what} | ${r.suite} | ${r.off} | ${r.breaks} | ${r.steps} |`);
  const missing = outOfReach.map(([bug, reason]) => `| ${bug} | ${reason} |`);
  return [
    '# The corpus of historical bugs',
    '',
    'Each bug is put back as an edit of the specification (or by switching off the gate that it lacked), and must break the named property in',
    'the named suite. `steps` is the length of the shortest counterexample; 0 means that the initial state is one. Made from',
    '`drivers/corpus.ts`; `drivers/corpus.test.ts` compares, `drivers/corpus.slow.test.ts` runs each row.',
    '',
    '| bug | link | suite | mutant or gate | breaks | steps |',
    '|---|---|---|---|---|---|',
    ...lines,
    '',
    '## Out of reach of these specifications',
    '',
    '| bug | why |',
    '|---|---|',
    ...missing,
    '',
  ].join('\n');
}
