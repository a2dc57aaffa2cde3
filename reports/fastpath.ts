/** The fast-path sheet as people see it in a terminal: for each suite and operation, bytes and calls of both gates, and who allocates. */
import type { Allocation } from '../explore/fastpath/attribution.js';
import {
  controlHolds,
  type FastpathSheet,
  type OperationRow,
  type SuiteSheet,
  sheetHolds,
} from '../explore/fastpath/sheet.js';
import type { Page } from './terminal.js';
import { counted, grouped, hang, printable } from './text.js';

/** Functions named for each operation that allocates. */
const MOST_ALLOCATIONS = 5;

/** The whole sheet, the summary last. */
export function fastpathLines(sheet: FastpathSheet, page: Page): string[] {
  const lines: string[] = [];
  for (const s of sheet.suites) lines.push(...suiteLines(s, sheet.attributedCalls, page), '');
  return lines;
}

/** The result in one line. */
export function fastpathSummary(sheet: FastpathSheet): string {
  const rows = sheet.suites.flatMap((s) => s.operations);
  const bad = rows.filter((o) => o.verdict === 'allocates').length;
  const idle = rows.filter((o) => o.verdict === 'not exercised').length;
  const blind = sheet.suites.filter((s) => !controlHolds(s)).length;
  const on = `V8 ${sheet.v8}`;
  const rest = idle > 0 ? `; ${counted(idle, 'operation')} not exercised` : '';
  if (blind > 0) return `void: the control does not read 16 bytes in ${counted(blind, 'suite')}, on ${on}`;
  if (bad > 0) return `allocates: ${grouped(bad)} of ${counted(rows.length, 'operation')} on ${on}${rest}`;
  const idleSuite = sheet.suites.find((s) => s.operations.every((o) => o.verdict === 'not exercised'));
  if (sheet.suites.length === 0) return 'nothing was measured: there are no suites';
  if (idleSuite) return `nothing was measured of ${idleSuite.suite}: none of its operations ran`;
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
    `of each of ${counted(measured.length, 'operation')} on V8 ${sheet.v8}`
  );
}

function suiteLines(s: SuiteSheet, attributedCalls: number, page: Page): string[] {
  const { style, width } = page;
  const holds = controlHolds(s);
  const control = `control reads ${s.controlA} and ${s.controlB} bytes${holds ? '' : ', not 16: these readings mean nothing'}`;
  const head = hang(
    '',
    `${s.suite}: ${counted(s.operations.length, 'operation')}, ${counted(s.mix, 'recorded call')}, ${control}`,
    width,
  );
  const lines = head.map(holds ? style.bold : style.red);
  const name = Math.min(34, Math.max(9, ...s.operations.map((o) => o.operation.length)), Math.max(9, width - 29));
  const wide = width >= name + 60;
  if (wide)
    lines.push(
      style.dim(`   ${'operation'.padEnd(name)}  ${'gate A, interpreted'.padStart(22)}  gate B, default tiers`),
    );
  for (const o of s.operations) {
    lines.push(operationLine(o, name, wide, page));
    for (const a of o.allocations.slice(0, MOST_ALLOCATIONS)) lines.push(...allocationLines(a, attributedCalls, page));
  }
  const after = s.families.map((f) => `${f.fault === '' ? 'warmed up' : `after ${f.fault}`} ${grouped(f.bytes)}`);
  const familiesHold = s.families.every((f) => f.bytes === 0);
  lines.push(
    ...hang('   ', `whole mix, bytes in 20,000 calls: ${after.join(', ')}`, width).map(
      familiesHold ? style.dim : style.red,
    ),
  );
  for (const a of s.mixAllocations.slice(0, MOST_ALLOCATIONS)) lines.push(...allocationLines(a, attributedCalls, page));
  return lines;
}

function operationLine(o: OperationRow, name: number, wide: boolean, page: Page): string {
  const { style } = page;
  const label = printable(o.operation).slice(0, name).padEnd(name);
  if (o.verdict === 'not exercised') return style.yellow(`?? ${label}  not exercised`);
  const paint = o.verdict === 'zero' ? style.green : style.red;
  const mark = o.verdict === 'zero' ? 'ok' : '!!';
  const a = wide
    ? `${grouped(o.gateA.bytes)} B in ${grouped(o.gateA.calls)}`.padStart(22)
    : `A ${grouped(o.gateA.bytes)}`;
  const b = wide
    ? `${grouped(o.gateB.bytes)} B in ${grouped(o.gateB.calls)}, ${o.gateB.tier}`
    : `B ${grouped(o.gateB.bytes)}`;
  const fault = wide && o.fault !== undefined ? `  ${o.fault}` : '';
  return `${paint(mark)} ${label}  ${a}  ${b}${fault}`;
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
