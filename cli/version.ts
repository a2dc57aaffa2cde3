/** The package's version, from its package.json: beside dist/ when installed, and in the same folder as the sources. */
import { createRequire } from 'node:module';

const read: unknown = createRequire(import.meta.url)('../../package.json');

export const version: string =
  typeof read === 'object' && read !== null && 'version' in read ? String(read.version) : 'unknown';
