/** The fast-path sheet as people see it in a terminal: for each suite and operation, bytes and calls of both gates, and who allocates. */
import type { Allocation } from '../explore/fastpath/attribution.js';
import {
  controlHolds,
  type FastpathSheet,
  isGap,
  type OperationRow,
  type SuiteSheet,
  sheetHolds,
} from '../explore/fastpath/sheet.js';
import type { Page } from './terminal.js';
import { counted, grouped, hang, printable } from './text.js';

/** Functions named for each operation that allocates. */
const MOST_ALLOCATIONS = 5;

/**
 * The sheet, suite by suite.
 * @param whole every operation of every suite; otherwise a line for each suite, and what is not as it should be
 */
export function fastpathLines(sheet: FastpathSheet, page: Page, whole = true): string[] {
  return sheet.suites.flatMap((s) => [...suiteLines(s, sheet.attributedCalls, page, whole), ...(whole ? [''] : [])]);
}

/** `; 2 of them allocate: ring, vtd` */
export function suiteSummary(bad: readonly SuiteSheet[]): string {
  return bad.length === 0 ? '' : `; ${bad.length} of them allocate: ${bad.map((s) => printable(s.suite)).join(', ')}`;
}

/** The result in one line. */
export function fastpathSummary(sheet: FastpathSheet): string {
  const rows = sheet.suites.flatMap((s) => s.operations);
  const bad = rows.filter((o) => o.verdict === 'allocates').length;
  const idle = rows.filter((o) => o.verdict === 'not exercised').length;
  const never = rows.filter((o) => o.verdict === 'cannot happen').length;
  const gaps = rows.filter(isGap).length;
  const blind = sheet.suites.filter((s) => !controlHolds(s)).length;
  const on = `V8 ${sheet.v8}`;
  const rest = [
    never > 0 ? `; ${counted(never, 'operation')} cannot happen` : '',
    idle > 0 ? `; ${counted(idle, 'operation')} not exercised` : '',
  ].join('');
  if (blind > 0) return `void: the control does not read 16 bytes in ${counted(blind, 'suite')}, on ${on}`;
  if (bad > 0) return `allocates: ${grouped(bad)} of ${counted(rows.length, 'operation')} on ${on}${rest}`;
  const idleSuite = sheet.suites.find((s) => s.operations.every((o) => o.verdict !== 'zero'));
  if (sheet.suites.length === 0) return 'nothing was measured: there are no suites';
  if (idleSuite) return `nothing was measured of ${idleSuite.suite}: none of its operations ran`;
  if (gaps > 0) return `not measured: ${counted(gaps, 'operation')} of the data path on ${on}${rest}`;
  if (!sheetHolds(sheet)) return `allocates: a mix of operations that are clean one by one, on ${on}${rest}`;
  return `${zeroClaim(sheet)}${rest}`;
}

/** Says what was measured and no more: `0 bytes in N calls at tier T on V8 x.y`. */
function zeroClaim(sheet: FastpathSheet): string {
  const measured = sheet.suites.flatMap((s) => s.operations).filter((o) => o.verdict === 'zero');
  const callsA = Math.min(...measured.map((o) => o.gateA.calls));
  const callsB = Math.min(...measured.map((o) => o.gateB.calls));
  const tiers = [...new Set(measured.map((o) => o.gateB.tier))].sort().join('; ');
  return (
    `0 bytes in ${grouped(callsA)} calls at tier interpreter, and in ${grouped(callsB)} calls at V8's default tiers (${tiers}), ` +
    `of each of ${counted(measured.length, 'operation')}, ${grouped(measured.filter((o) => o.role !== undefined).length)} of them on the data path, ` +
    `on V8 ${sheet.v8}`
  );
}

/** One suite, whole or in short; calls are those behind its attribution. */
export function suiteLines(s: SuiteSheet, attributedCalls: number, page: Page, whole: boolean): string[] {
  const { style, width } = page;
  const holds = controlHolds(s);
  const control = `control reads ${s.controlA} and ${s.controlB} bytes${holds ? '' : ', not 16: these readings mean nothing'}`;
  const onPath = s.operations.filter((o) => o.role !== undefined).length;
  const size = `${s.suite}: ${counted(s.operations.length, 'operation')}, ${grouped(onPath)} on the data path`;
  if (!whole) return shortLines(s, `${size}, ${control}`, attributedCalls, page);
  const head = hang('', `${size}, ${counted(s.mix, 'recorded call')}, ${control}`, width);
  const lines = head.map(holds ? style.bold : style.red);
  const name = nameWidth(s.operations, width);
  const wide = width >= name + 60;
  if (wide)
    lines.push(
      style.dim(`   ${'operation'.padEnd(name)}  ${'gate A, interpreted'.padStart(22)}  gate B, default tiers`),
    );
  for (const o of s.operations) lines.push(...operationLines(o, name, wide, attributedCalls, page));
  lines.push(...familyLines(s, attributedCalls, page));
  return lines;
}

/** Columns for the names of operations. */
function nameWidth(rows: readonly OperationRow[], width: number): number {
  return Math.min(34, Math.max(9, ...rows.map((o) => o.operation.length)), Math.max(9, width - 29));
}

/** One line where all is well; otherwise what is not. */
function shortLines(s: SuiteSheet, head: string, attributedCalls: number, page: Page): string[] {
  const bad = s.operations.filter((o) => o.verdict === 'allocates' || o.verdict === 'not exercised');
  const mixed = s.families.some((f) => f.bytes !== 0);
  const fails = bad.some((o) => o.verdict === 'allocates' || isGap(o)) || mixed || !controlHolds(s);
  const never = s.operations.filter((o) => o.verdict === 'cannot happen').length;
  const says = bad.length + Number(mixed) > 0 ? '' : `, 0 bytes${never > 0 ? `, ${grouped(never)} cannot happen` : ''}`;
  const lines = hang(fails ? '!! ' : '', `${head}${says}`, page.width).map(fails ? page.style.red : page.style.green);
  const name = nameWidth(bad, page.width);
  for (const o of bad) lines.push(...operationLines(o, name, false, attributedCalls, page));
  return mixed ? [...lines, ...familyLines(s, attributedCalls, page)] : lines;
}

function operationLines(o: OperationRow, name: number, wide: boolean, attributedCalls: number, page: Page): string[] {
  const lines = operationLine(o, name, wide, page);
  for (const a of o.allocations.slice(0, MOST_ALLOCATIONS)) lines.push(...allocationLines(a, attributedCalls, page));
  return lines;
}

function familyLines(s: SuiteSheet, attributedCalls: number, page: Page): string[] {
  const { style, width } = page;
  const after = s.families.map((f) => `${f.fault === '' ? 'warmed up' : `after ${f.fault}`} ${grouped(f.bytes)}`);
  const familiesHold = s.families.every((f) => f.bytes === 0);
  const lines = hang('   ', `whole mix, bytes in 20,000 calls: ${after.join(', ')}`, width).map(
    familiesHold ? style.dim : style.red,
  );
  for (const a of s.mixAllocations.slice(0, MOST_ALLOCATIONS)) lines.push(...allocationLines(a, attributedCalls, page));
  return lines;
}

function operationLine(o: OperationRow, name: number, wide: boolean, page: Page): string[] {
  const { style, width } = page;
  const label = printable(o.operation).slice(0, name).padEnd(name);
  if (o.verdict === 'not exercised') {
    const role = o.role === undefined ? '' : ` (${o.role})`;
    return hang('?? ', `${label}  not exercised${role}: ${o.why}`, width).map(style.yellow);
  }
  if (o.verdict === 'cannot happen') {
    return hang('   ', `${label}  cannot happen: ${o.why}`, width).map(style.dim);
  }
  const paint = o.verdict === 'zero' ? style.green : style.red;
  const mark = o.verdict === 'zero' ? 'ok' : '!!';
  const a = wide
    ? `${grouped(o.gateA.bytes)} B in ${grouped(o.gateA.calls)}`.padStart(22)
    : `A ${grouped(o.gateA.bytes)}`;
  const b = wide
    ? `${grouped(o.gateB.bytes)} B in ${grouped(o.gateB.calls)}, ${o.gateB.tier}`
    : `B ${grouped(o.gateB.bytes)}`;
  const kind = wide ? [o.role, o.fault].map((k) => (k === undefined ? '' : `  ${k}`)).join('') : '';
  return [`${paint(mark)} ${label}  ${a}  ${b}${kind}`];
}

function allocationLines(a: Allocation, calls: number, page: Page): string[] {
  const place = a.file === '' ? 'generated code' : `${a.file}:${a.line}`;
  const each = calls > 0 ? ` in ${grouped(calls)} calls` : '';
  return hang(
    '     ',
    `${printable(a.function)} (${printable(place)}) allocates ${grouped(a.bytes)} bytes${each}`,
    page.width,
  ).map(page.style.red);
}
