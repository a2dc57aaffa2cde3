/** Scopes that suites of the block split driver share: one disk, or two with a backend each, that fail once; one request at a time. */

const ONE_REQUEST = {
  epoch: 2,
  request: 1,
  page: 3,
  pending: 1,
  segment: 1,
  sector: 4,
  slot: 1,
  index: 2,
  'segment count': 3,
  'message id': 3,
};

/** One disk; its backend can be replaced once. */
export const oneDisk = { device: 1, frontend: 1, backend: 2, ...ONE_REQUEST };

/** Two disks with a frontend each and a backend each, which can be replaced once. */
export const twoDisks = { ...oneDisk, device: 2, frontend: 2, backend: 4 };
