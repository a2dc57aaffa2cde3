/** The report in a real browser: opened from disk, without network, in both themes and at both widths. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hugeSample } from '../samples/hugeSample.js';
import { brokenLendingSuite, lendingSuite } from '../samples/lendingSuite.js';
import { sampleMatrix } from '../samples/sampleMatrix.js';
import { type Sample, sampleReport } from '../samples/sampleReport.js';
import { reportPage } from './page.js';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
/** Set to a folder to keep screenshots. */
const SHOTS = process.env.RINGFENCE_SCREENSHOTS;
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), 'ringfence-page-'));

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) {
    throw new Error(
      `the browser tests need Chromium at ${CHROMIUM}: install the package 'chromium', or set CHROMIUM to its path`,
    );
  }
  browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Opened {
  readonly page: Page;
  readonly errors: readonly string[];
  readonly requests: readonly string[];
  readonly tookMs: number;
}

async function open(
  text: string,
  options: { width?: number; theme?: 'light' | 'dark'; hash?: string } = {},
): Promise<Opened> {
  const path = join(folder, 'report.html');
  writeFileSync(path, text);
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1280, height: 900 },
    colorScheme: options.theme ?? 'light',
    offline: true,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (e) => errors.push(e.message));
  page.on('console', (m) => {
    if (m.type() === 'error' || m.type() === 'warning') errors.push(m.text());
  });
  page.on('dialog', (d) => {
    errors.push(`dialog: ${d.message()}`);
    void d.dismiss();
  });
  page.on('request', (r) => requests.push(r.url()));
  const began = performance.now();
  await page.goto(`${pathToFileURL(path).href}${options.hash ?? ''}`, { waitUntil: 'load' });
  // Drawn, and not only loaded.
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
  return { page, errors, requests, tookMs: performance.now() - began };
}

/** Follows the first finding's link; the viewer opens on the change of address, which comes after the click. */
async function openTrace(page: Page): Promise<void> {
  await page.click('#findings a');
  await page.waitForSelector('#viewer:not([hidden])');
}

const width = (page: Page): Promise<number> => page.evaluate('document.documentElement.scrollWidth');

async function shot(page: Page, name: string): Promise<void> {
  if (!SHOTS) return;
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  await page.locator('#traces').scrollIntoViewIfNeeded();
  await page.evaluate("document.getElementById('traces').scrollIntoView()");
  await page.screenshot({ path: join(SHOTS, `${name}-viewer.png`) });
  await page.evaluate("document.getElementById('matrix')?.scrollIntoView()");
  await page.screenshot({ path: join(SHOTS, `${name}-matrix.png`) });
  await page.evaluate("document.getElementById('claims').scrollIntoView()");
  await page.screenshot({ path: join(SHOTS, `${name}-claims.png`) });
}

describe('report.html', () => {
  let good: Sample;
  let broken: Sample;
  beforeAll(async () => {
    good = await sampleReport([lendingSuite()]);
    broken = await sampleReport([lendingSuite({ name: 'kept' }), brokenLendingSuite()]);
  });

  it.each([
    [1280, 'light'],
    [1280, 'dark'],
    [400, 'light'],
    [400, 'dark'],
  ] as const)('is readable at %i pixels, %s', async (pixels, theme) => {
    const matrix = sampleMatrix(broken.report.suites[1]?.findings[0]?.trace ?? '');
    const { page, errors, requests } = await open(reportPage({ ...broken, matrix }), { width: pixels, theme });
    expect(errors).toEqual([]);
    expect(requests).toHaveLength(1);
    expect(await width(page)).toBeLessThanOrEqual(pixels);
    // Small print is smaller than 11 pixels nowhere, and text stands out from what is behind it.
    const small = await page.evaluate(
      "[...document.querySelectorAll('body *')].filter((e) => e.textContent && parseFloat(getComputedStyle(e).fontSize) < 11).length",
    );
    expect(small).toBe(0);
    expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
    await shot(page, `broken-${pixels}-${theme}`);
    await page.context().close();
  });

  it('shows a report that holds', async () => {
    const { page, errors } = await open(reportPage(good));
    expect(errors).toEqual([]);
    expect(await page.textContent('h1')).toBe('Holds');
    await shot(page, 'good-1280-light');
    await page.context().close();
  });

  it('steps through a trace with the keyboard', async () => {
    const { page, errors } = await open(reportPage(broken));
    await openTrace(page);
    const said = (): Promise<string | null> => page.textContent('#trace-detail h3');
    const steps = broken.report.suites[1]?.findings[0]?.steps ?? [];
    expect(await said()).toBe(`Step 4 of 4: ${steps[3]}`);
    expect(await page.textContent('#trace-detail .breach')).toContain('Here it breaks');
    await page.keyboard.press('Home');
    expect(await said()).toBe('Step 0 of 4: initial state');
    await page.keyboard.press('ArrowDown');
    expect(await said()).toBe(`Step 1 of 4: ${steps[0]}`);
    expect(await page.textContent('#trace-detail .changes tbody')).toContain('frames');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowUp');
    expect(await said()).toBe(`Step 1 of 4: ${steps[0]}`);
    await page.keyboard.press('End');
    expect(await said()).toBe(`Step 4 of 4: ${steps[3]}`);
    expect(await page.textContent('#trace-replay')).toMatch(
      /^npx ringfence replay ringfence-report\/traces\/lending-i1-[0-9a-f]{8}\.json$/,
    );
    // The address names the step, so that it can be sent to somebody.
    await page.waitForTimeout(400);
    expect(page.url()).toMatch(/#trace=lending-i1-[0-9a-f]{8}\.json&step=4$/);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('shows what could not happen, outcomes by state, and only the suites that are asked for', async () => {
    const suites = ['kept', 'second', 'third'].map((name) => lendingSuite({ name }));
    const { page, errors } = await open(reportPage(await sampleReport([...suites, brokenLendingSuite()])));
    await openTrace(page);
    await page.keyboard.press('Home');
    expect(await page.textContent('#trace-disabled')).toContain('disabled by its guard on');
    // The key for the filter, which opens what is folded and finds what only the coverage mentions.
    await page.keyboard.press('/');
    await page.keyboard.type('second');
    await page.getByText('1 of 4 suites').waitFor();
    expect(await page.isVisible('#claims [data-suite=second] .claim >> nth=0')).toBe(true);
    expect(await page.isVisible('#claims [data-suite=kept]')).toBe(false);
    await page.click('#coverage [data-suite=second] summary');
    const cells = await page.textContent('#coverage [data-suite=second] .grid');
    expect(cells).toContain('no premise holds');
    expect(cells).toMatch(/F\d /);
    await page.focus('#filter');
    await page.keyboard.press('Escape');
    expect(await page.isVisible('#claims [data-suite=kept]')).toBe(true);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it('opens at the step that the address names', async () => {
    const name = broken.report.suites[1]?.findings[0]?.trace ?? '';
    const { page } = await open(reportPage(broken), { hash: `#trace=${name}&step=2` });
    expect(await page.textContent('#trace-detail h3')).toContain('Step 2 of 4');
    await page.context().close();
  });

  it('treats names with markup in them as text', async () => {
    const evil = '</script><script>alert(1)</script><img src=x onerror=alert(2)>"\'`<!--\u2028';
    const sample = await sampleReport([brokenLendingSuite(), lendingSuite({ name: evil, title: evil, says: evil })]);
    const { page, errors } = await open(reportPage(sample));
    expect(errors).toEqual([]);
    // Its own script, and the two that hold data.
    expect(await page.evaluate('document.images.length + document.scripts.length')).toBe(3);
    expect(await page.textContent('body')).toContain('</script><script>alert(1)</script>');
    await page.context().close();
  });

  it('opens 10,000 findings and a trace of 5,000 steps in under 2 seconds, in under 5 MB', async () => {
    const text = reportPage(hugeSample(broken, 10_000, 5_000));
    expect(Buffer.byteLength(text)).toBeLessThan(5_000_000);
    const { page, errors, tookMs } = await open(text);
    expect(tookMs).toBeLessThan(2_000);
    expect(errors).toEqual([]);
    expect(await page.textContent('#findings .cut')).toContain('10,001 findings');
    expect(await page.textContent('#trace-position')).toBe('5000 / 5000');
    // Few of the rows exist at any time, and the last one can be reached.
    expect(await page.evaluate("document.querySelectorAll('.step').length")).toBeLessThan(60);
    await page.focus('#trace-steps');
    await page.keyboard.press('Home');
    await page.keyboard.press('PageDown');
    await page.keyboard.press('End');
    expect(await page.textContent('.step.current .number')).toBe('5000');
    console.log(`10,000 findings, 5,000 steps: ${Buffer.byteLength(text)} bytes, opened in ${Math.round(tookMs)} ms`);
    await page.context().close();
  });
});

/** Texts whose contrast with the nearest opaque background is below 4.5. */
const LOW_CONTRAST = `(() => {
  const rgb = (c) => (c.match(/[\\d.]+/g) ?? []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
  return [...document.querySelectorAll('body *')].flatMap((e) => {
    const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim().length > 1);
    if (!own || e.closest('script,:disabled,.later,option')) return [];
    const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return ratio < 4.5 ? [e.className + ' ' + e.tagName + ' ' + ratio.toFixed(2) + ' ' + e.textContent.slice(0, 40)] : [];
  });
})()`;
