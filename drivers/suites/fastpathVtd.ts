/** The fast path of the bit-level VT-d: a request is translated by what is there, and nothing is allocated, mapped or dropped for it. */
import { flushOnRequest, mapOnRequest, tableOnRequest } from '../../faults/fastpathVtd.js';
import { bookedMachine } from '../../model/books.js';
import { vtdBook } from '../../model/vtd/book.js';
import { vtdMachine } from '../../model/vtd/index.js';
import type { Vtd } from '../../model/vtd/state.js';
import { frugalDataPath, STANDING } from '../../properties/fastpath.js';
import { claim, suite } from '../suite.js';

export const vtdFrugal = frugalDataPath({
  roles: ['translate'],
  limits: STANDING,
  elsewhere: ['allocation', 'mapping', 'unmapping', 'invalidation'],
});

export const fastpathVtd = suite('fastpath-vtd', {
  title: 'Intel VT-d, bit level: a translation costs no table, no mapping and no invalidation',
  machine: bookedMachine<Vtd>(vtdMachine, () => vtdBook),
  scope: {
    small: { mappings: 1, directories: 1 },
    default: { mappings: 2, directories: 1 },
    large: { mappings: 3, directories: 2 },
  },
  claims: [
    claim('a request is translated without an allocation, a mapping or an invalidation, allowed or not', {
      keeps: [vtdFrugal],
      against: ['F2', 'F3'],
      without: [
        { off: mapOnRequest, breaks: vtdFrugal },
        { off: tableOnRequest, breaks: vtdFrugal },
        { off: flushOnRequest, breaks: vtdFrugal },
      ],
    }),
  ],
  mayStop: () => true,
  assumptions: ['fills of the caches are no cost: they are what the caches are for, and take an entry that exists'],
});
