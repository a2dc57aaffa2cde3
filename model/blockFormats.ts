/**
 * Requests and responses of the block interface, scaled by the scope. Source: Xen `xen/include/public/io/blkif.h`.
 *
 * request  {op, nr_segments, handle, id, sector, seg[] {gref, first_sect, last_sect}}
 * response {id, op, status}
 * Real bounds: 11 segments, 8 sectors of 512 bytes a page, 64-bit sector numbers and ids. Here the scope gives all of them; sector
 * numbers wrap at the scope's `sector`, which must be a power of two.
 */
import { type Machine, SpecificationError, sort } from './kernel/index.js';

/** Segments of a request: BLKIF_MAX_SEGMENTS_PER_REQUEST. */
export const segment = sort('segment');
/** Sectors of the disk, and sector numbers in requests. */
export const sector = sort('sector');
/** Numbers that a request can give as nr_segments, none to one too many. */
export const segmentCount = sort('segment count');
/** Numbers that a request can give as first_sect and last_sect: two sectors a page, and one beyond. */
export const sectorInPage = sort('sector in page', { members: ['0', '1', 'beyond the page'] });
export const SECTORS_PER_PAGE = 2;
/** Ids in messages: slot plus ring size times epoch, and one beyond. */
export const messageId = sort('message id');

/** Operation codes as a request can carry them. BLKIF_OP_READ 0, BLKIF_OP_WRITE 1; the third stands for every other code. */
export const operationCode = sort('operation code', { members: ['read', 'write', 'unsupported'] });
export const OP_READ = 0;
export const OP_WRITE = 1;
export const UNSUPPORTED = 2;
/** All codes of the header, for targets and for readers. */
export const BLKIF_OP = { READ: 0, WRITE: 1, BARRIER: 2, FLUSH: 3, DISCARD: 5, INDIRECT: 6 } as const;

/** BLKIF_RSP_*: 0, -1, -2; kept as 0, 1, 2 in the state. */
export const RSP_OKAY = 0;
export const RSP_ERROR = 1;
export const RSP_EOPNOTSUPP = 2;

/** Sectors of a segment; not positive when it ends before it begins. */
export function segmentLength(first: number, last: number): number {
  return last - first + 1;
}

/** Whether a segment lies in its page: first_sect <= last_sect < sectors a page. */
export function segmentInPage(first: number, last: number): boolean {
  return first <= last && last < SECTORS_PER_PAGE;
}

/** Sector number after `count` sectors; wraps as 64-bit numbers do on a real machine. */
export function sectorAfter(m: Machine, at: number, count: number): number {
  return (at + count) & (m.size(sector) - 1);
}

/** The id under which a request goes into the ring: no two epochs share one. */
export function idOf(slot: number, epoch: number, ringSize: number): number {
  return epoch * ringSize + slot;
}

/** Checks the scope once, at set-up. @throws SpecificationError */
export function checkFormatScope(m: Machine): void {
  const sectors = m.size(sector);
  if (!Number.isInteger(Math.log2(sectors)) || sectors < 4 || sectors > 8) {
    throw new SpecificationError(`a disk has 4 or 8 sectors, not ${sectors}`);
  }
  // As with 64-bit sector numbers: no request is long enough to wrap all the way round.
  if (m.size(segment) * SECTORS_PER_PAGE >= sectors) {
    throw new SpecificationError(`requests of ${m.size(segment)} segments need a disk of more than ${sectors} sectors`);
  }
}
