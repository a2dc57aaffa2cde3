/** What can be wrong with reports, baselines and shards that are read back: a stable code and one line. */

/**
 * RF-REPORT: a report that cannot be read. RF-BASELINE: a baseline that cannot. RF-SHARD: shards that do not make a whole.
 */
export type ReportErrorCode = 'RF-REPORT' | 'RF-BASELINE' | 'RF-SHARD';

export class ReportError extends Error {
  override readonly name = 'ReportError';

  constructor(
    readonly code: ReportErrorCode,
    readonly says: string,
  ) {
    super(`${code}: ${says}`);
  }
}
