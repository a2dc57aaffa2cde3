/** The vitest entry as a project of one's own would use it, on suites that hold. What failures look like: vitest.slow.test.ts. */
import { lendingSuite } from './reports/samples/lendingSuite.js';
import { suiteTests } from './vitest.js';

suiteTests(lendingSuite(), { scope: 'small' });
suiteTests(lendingSuite({ name: 'lending-proved' }), { requireProof: true, runs: 10 });
