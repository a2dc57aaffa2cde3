/** Names of trace files: what they show, and a hash of what is in them, so that a new report never overwrites a trace of an older one. */
import { createHash } from 'node:crypto';
import type { PlainFinding } from '../explore/campaign/results.js';

/** Names that `saveReport` may remove when no report refers to them any more. */
export const TRACE_NAME = /^[a-z0-9_-]{1,200}-[0-9a-f]{8}\.json$/;

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);

/** `grants-i1-3f9c02d1.json`, or `grants-i1-without-iotlb-invalidation-3f9c02d1.json`. */
export function traceName(suite: string, f: PlainFinding, off = ''): string {
  const hash = createHash('sha256').update(f.file).digest('hex').slice(0, 8);
  const gate = off === '' ? '' : `-without-${slug(off)}`;
  return `${slug(suite)}-${slug(f.property.id)}${gate}-${hash}.json`;
}
