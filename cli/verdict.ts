/** The exit code of a report, read back or just made. */
import { BLAME } from '../explore/campaign/errors.js';
import type { Report } from '../reports/report.js';
import { EXIT } from './exit.js';

/** 1 outweighs 3, and 3 outweighs 2: a breach is news even when something else failed as well. */
export function exitCodeOfReport(report: Report): number {
  switch (report.verdict) {
    case 'holds':
      return EXIT.holds;
    case 'broken':
      return EXIT.broken;
    case 'partial':
      return report.partial === 'interrupt' ? EXIT.interrupted : EXIT.environment;
    case 'error': {
      const environment =
        report.errors.some((e) => (BLAME as Readonly<Record<string, string>>)[e.code] === 'environment') ||
        report.suites.some((s) => s.error !== null && s.error.blame === 'environment');
      return environment ? EXIT.environment : EXIT.usage;
    }
  }
}
