/** JUnit, SARIF and Markdown of reports that hold, are broken, crash, are huge, and have hostile names. */
import { beforeAll, describe, expect, it } from 'vitest';
import { junitText } from './junit.js';
import { annotations, MAX_MARKDOWN_BYTES, markdownSummary } from './markdown.js';
import { PROBLEM_KINDS, problemsOf } from './problems.js';
import { readReport } from './readReport.js';
import { reportText } from './report.js';
import { hugeSample } from './samples/hugeSample.js';
import { brokenLendingSuite, lendingSuite } from './samples/lendingSuite.js';
import { type Sample, sampleReport } from './samples/sampleReport.js';
import { sarifText } from './sarif.js';
import { xmlText } from './xml.js';

const EVIL = 'a\u0000<b>"c"&\'d\'\n]]>\ud800 | `e` [f](g) @h ::error::i %0A';

let good: Sample;
let broken: Sample;
let evil: Sample;
let huge: Sample;
beforeAll(async () => {
  good = await sampleReport([lendingSuite()]);
  broken = await sampleReport([lendingSuite({ name: 'kept' }), brokenLendingSuite()]);
  evil = await sampleReport([lendingSuite({ name: EVIL, title: EVIL, says: EVIL }), brokenLendingSuite(`b${EVIL}`)]);
  huge = hugeSample(broken, 10_000, 5_000);
});

/** Elements of a small XML document, checked to be well formed: every tag closed in order, no stray markup. */
function elements(xml: string): string[] {
  const open: string[] = [];
  const seen: string[] = [];
  const rest = xml
    .replace(/^<\?xml[^?]*\?>\n/, '')
    .replace(/<(\/?)([a-z]+)((?: [a-z]+="[^"<]*")*)(\/?)>/g, (_, end, name, attributes, empty) => {
      if (end) expect(open.pop()).toBe(name);
      else {
        seen.push(`${name}${attributes}`);
        if (!empty) open.push(name);
      }
      return '';
    });
  expect(open).toEqual([]);
  expect(rest).not.toMatch(/[<>]/);
  expect(rest.replace(/&#\d+;/g, '')).not.toContain('&');
  return seen;
}

describe('junit.xml', () => {
  it('has a passed case for a claim that holds', () => {
    const [root, suite, one, ...more] = elements(junitText(good.report));
    expect(root).toBe('testsuites name="ringfence" tests="1" failures="0" errors="0" skipped="0"');
    expect(suite).toBe('testsuite name="lending" tests="1" failures="0" errors="0" skipped="0"');
    expect(one).toBe('testcase classname="ringfence.lending" name="a device reaches only what is lent to it"');
    expect(more).toEqual([]);
  });

  it('has one failure for a claim that is broken, with the steps and the line that replays them', () => {
    const xml = junitText(broken.report);
    expect(elements(xml).filter((e) => e.startsWith('failure'))).toHaveLength(1);
    expect(xml).toContain(
      '  4 device 0 writes frame 0\nreplay: npx ringfence replay ringfence-report/traces/lending-i1-',
    );
  });

  it('has an error case for a suite that crashed, and for a module that does not load', () => {
    const error = { code: 'RF-SUITE-THREW', blame: 'usage', says: 'a step threw' } as const;
    const suites = good.report.suites.map((s) => ({
      ...s,
      error,
      claims: s.claims.map((c) => ({ ...c, verdict: 'error' as const })),
    }));
    const seen = elements(
      junitText({ ...good.report, suites, errors: [{ module: 'x.js', code: 'RF-SUITE-MODULE', says: 'no' }] }),
    );
    expect(seen[0]).toContain('tests="3" failures="0" errors="2" skipped="1"');
    expect(seen).toContain('error message="a step threw" type="RF-SUITE-THREW"');
  });

  it('is well formed whatever suites are called', () => {
    elements(junitText(evil.report));
    expect(junitText(evil.report)).not.toContain('\u0000');
    expect(xmlText('<&>"\'\u0001\ud800')).toBe('&#60;&#38;&#62;&#34;&#39;\ufffd\ufffd');
  });

  it('stays readable with 10,000 findings', () => {
    const xml = junitText(huge.report);
    expect(xml.length).toBeLessThan(10_000_000);
    expect(xml.match(/<testcase/g)).toHaveLength(10_002);
  });
});

interface Sarif {
  readonly version: string;
  readonly runs: readonly {
    readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
    readonly invocations: readonly { readonly toolExecutionNotifications?: readonly unknown[] }[];
    readonly results: readonly {
      readonly ruleId: string;
      readonly ruleIndex: number;
      readonly level: string;
      readonly partialFingerprints: Readonly<Record<string, string>>;
      readonly locations: readonly {
        readonly physicalLocation: {
          readonly artifactLocation: { readonly uri: string };
          readonly region: { readonly startLine: number };
        };
      }[];
    }[];
  }[];
}

describe('report.sarif', () => {
  const parse = (s: Sample): Sarif['runs'][number] => {
    const { version, runs } = JSON.parse(sarifText(s.report, { from: '/repo', root: '/repo' })) as Sarif;
    expect(version).toBe('2.1.0');
    const [run] = runs;
    if (!run) throw new Error('no run');
    return run;
  };

  it('has no result for a report that holds', () => {
    expect(parse(good).results).toEqual([]);
  });

  it('has a result with a rule for each problem', () => {
    const { results, tool } = parse(broken);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ ruleId: 'I1-reach', ruleIndex: 0, level: 'error' });
    expect(tool.driver.rules.map((r) => r.id)).toEqual(['I1-reach']);
  });

  it("lies at the step's source line, or at the suite's module", () => {
    const placed = (more: object, module: string | null): string => {
      const suites = broken.report.suites.map((s) => ({
        ...s,
        module,
        findings: s.findings.map((f) => ({ ...f, ...more })),
      }));
      const { physicalLocation: l } =
        parse({ ...broken, report: { ...broken.report, suites } }).results[0]?.locations[0] ?? {};
      return `${l?.artifactLocation.uri}:${l?.region.startLine}`;
    };
    expect(placed({ at: { file: 'model/a b.ts', line: 12 } }, null)).toBe('model/a%20b.ts:12');
    expect(placed({ at: null }, '/repo/suites/mine.js')).toBe('suites/mine.js:1');
  });

  it('has fingerprints that do not depend on lines, traces or other findings', () => {
    const prints = (s: Sample): string[] => parse(s).results.map((r) => r.partialFingerprints['ringfence/v1'] ?? '');
    const suites = broken.report.suites.map((s) => ({
      ...s,
      findings: s.findings.map((f) => ({ ...f, length: 9, trace: 'x', at: { file: 'f', line: 3 } })),
    }));
    expect(prints({ ...broken, report: { ...broken.report, suites } })).toEqual(prints(broken));
    const many = prints(huge);
    expect(new Set(many).size).toBe(many.length);
    expect(many).toContain(prints(broken)[0]);
  });

  it('says what it left out', () => {
    const run = parse(huge);
    expect(run.results).toHaveLength(5_000);
    expect(run.invocations[0]?.toolExecutionNotifications).toHaveLength(1);
  });
});

describe('summary.md', () => {
  it('tells of a finding with its steps and its replay line, of its claim and of each suite in a row', () => {
    const text = markdownSummary(broken.report);
    expect(text).toMatch(/^## Ringfence: BROKEN/);
    expect(text).toContain('4. device 0 writes frame 0');
    expect(text).toMatch(/`npx ringfence replay ringfence-report\/traces\/lending-i1-[0-9a-f]{8}\.json`/);
    expect(text).toMatch(/^\| lending \| .* \| \*\*broken\*\* \|/m);
    expect(text.match(/^\| (kept|lending) \| [^|]*\d (proved within scope|broken)/gm)).toHaveLength(2);
    // What broke comes before what holds.
    expect(text.indexOf('1 problem')).toBeLessThan(text.indexOf('### Suites'));
  });

  it('means what suites are called, and nothing else', () => {
    const text = markdownSummary(evil.report);
    expect(text).not.toMatch(/<b>|[^\\]\]\(g\)/);
    expect(text).not.toContain('\u0000');
    for (const row of text.split('\n').filter((l) => l.startsWith('| ')))
      expect(row.match(/(?<!\\)\|/g)).toHaveLength(5);
  });

  it('is cut visibly below 64 kB', () => {
    const claims = Array.from({ length: 2_000 }, (_, i) =>
      huge.report.suites.flatMap((s) => s.claims.map((c) => ({ ...c, says: `${c.says} ${i}` }))),
    ).flat();
    const text = markdownSummary({ ...huge.report, suites: huge.report.suites.map((s) => ({ ...s, claims })) });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MARKDOWN_BYTES);
    expect(text).toMatch(/\*\*Cut here: [\d,]+ entries left out; everything is in report\.json\.\*\*\n$/);
    expect(markdownSummary(good.report)).not.toContain('Cut here');
  });
});

describe('annotations', () => {
  it('are at most ten, worst first, one line each', () => {
    expect(annotations(good.report)).toEqual([]);
    const lines = annotations(huge.report);
    expect(lines).toHaveLength(10);
    expect(lines[0]).toContain('I0 property 0 broken after 1 step');
    for (const l of [...lines, ...annotations(evil.report)]) expect(l).toMatch(/^::(error|warning) [^\n]*::[^\n]*$/);
  });
});

describe('problems', () => {
  it('are sorted by weight', () => {
    const kinds = problemsOf(huge.report).map((p) => PROBLEM_KINDS.indexOf(p.kind));
    expect(kinds).toEqual([...kinds].sort((a, b) => a - b));
  });
});

describe('report.json', () => {
  it('is read back as it was written', () => {
    for (const { report } of [good, broken, evil])
      expect(readReport(reportText(report), 'r')).toEqual(JSON.parse(reportText(report)));
  });

  it('is refused with a line that names the place', () => {
    expect(() => readReport('{"format":', 'r.json')).toThrow('r.json is not JSON');
    expect(() => readReport('{"format":"x"}', 'r.json')).toThrow('r.json is not a report');
    expect(() => readReport(reportText({ ...good.report, version: 2 as 1 }), 'r.json')).toThrow('has version 2');
    const suites = good.report.suites.map((s) => ({ ...s, scope: { frame: -1 } }));
    expect(() => readReport(reportText({ ...good.report, suites }), 'r.json')).toThrow(
      'damaged at suites.0.scope.frame',
    );
  });
});

it('gives equal bytes for equal inputs', async () => {
  const again = await sampleReport([lendingSuite({ name: 'kept' }), brokenLendingSuite()]);
  for (const write of [
    reportText,
    junitText,
    markdownSummary,
    (r: typeof good.report) => sarifText(r, { from: '/', root: '/' }),
  ]) {
    expect(write(again.report)).toBe(write(broken.report));
  }
});
