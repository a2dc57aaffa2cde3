/** Scopes as users give them: the name of one (`small`), or sizes that replace those of the default (`domain=3,frame=2`). */
import type { Scope } from '../../model/kernel/index.js';
import type { Chosen } from './campaign.js';
import type { SuiteDescription } from './described.js';
import { CampaignError } from './errors.js';

/** Sizes beyond this are refused: the number of states grows exponentially with them. */
export const MAX_SIZE = 16;

/**
 * The scope of each suite.
 * @param wanted what the user gave, or undefined for the default
 * @throws CampaignError RF-SCOPE
 */
export function chooseScopes(suites: readonly SuiteDescription[], wanted: string | undefined): Chosen[] {
  if (wanted === undefined || wanted === 'default') {
    return suites.map((suite) => ({ suite, scope: defaultOf(suite), scopeName: 'default' }));
  }
  if (!wanted.includes('=')) {
    return suites.map((suite) => {
      const scope = Object.hasOwn(suite.scopes, wanted) ? suite.scopes[wanted] : undefined;
      if (!scope) {
        const names = Object.keys(suite.scopes).join(', ');
        throw new CampaignError(
          'RF-SCOPE',
          `${suite.name} has no scope '${wanted}'; it has ${names}, or give sizes: --scope ${example(suite)}`,
        );
      }
      return { suite, scope, scopeName: wanted };
    });
  }
  const sizes = readSizes(wanted);
  for (const sort of sizes.keys()) {
    if (suites.some((s) => Object.hasOwn(defaultOf(s), sort))) continue;
    const known = [...new Set(suites.flatMap((s) => Object.keys(defaultOf(s))))].sort().join(', ');
    throw new CampaignError('RF-SCOPE', `no chosen suite has the sort '${sort}' in its scope; there is ${known}`);
  }
  return suites.map((suite) => {
    const scope: Record<string, number> = { ...defaultOf(suite) };
    let changed = false;
    for (const [sort, n] of sizes) {
      if (!Object.hasOwn(scope, sort)) continue;
      changed ||= scope[sort] !== n;
      scope[sort] = n;
    }
    return { suite, scope, scopeName: changed ? 'custom' : 'default' };
  });
}

function readSizes(wanted: string): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const part of wanted.split(',')) {
    const [sort = '', size = '', ...more] = part.split('=').map((t) => t.trim());
    const n = Number(size);
    if (sort === '' || size === '' || more.length > 0) {
      throw new CampaignError('RF-SCOPE', `'${part}' is not a size; write sort=number, as in domain=3,frame=2`);
    }
    if (!Number.isInteger(n) || n < 1 || n > MAX_SIZE) {
      throw new CampaignError('RF-SCOPE', `${sort}=${size} is out of range; sizes go from 1 to ${MAX_SIZE}`);
    }
    sizes.set(sort, n);
  }
  return sizes;
}

function defaultOf(s: SuiteDescription): Scope {
  return s.scopes.default ?? {};
}

function example(s: SuiteDescription): string {
  return Object.entries(defaultOf(s))
    .slice(0, 2)
    .map(([sort, n]) => `${sort}=${n}`)
    .join(',');
}
