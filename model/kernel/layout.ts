/**
 * The layout of a machine's state: tables of named typed-array fields over one buffer.
 * Copying, hashing and comparing a state is copying, hashing and comparing its 32-bit words.
 */
import { SpecificationError } from './operation.js';
import { memberName, type Sort } from './sort.js';

export type FieldArray = Uint8Array | Uint16Array | Int32Array;

/** One field of a table: a typed array with one element a row. */
export interface Field<A extends FieldArray> {
  readonly bytes: 1 | 2 | 4;
  /** The value is a member of this sort (needed for symmetry and for readable traces). */
  readonly holds: Sort | undefined;
  /** The value is a set of members of this sort, one bit each. */
  readonly setOf: Sort | undefined;
  /** Names of the values (0, 1, 2, ...). */
  readonly names: readonly string[] | undefined;
  /** Names of the bits, from bit 0. */
  readonly bits: readonly string[] | undefined;
  readonly array?: A;
}

interface FieldOptions {
  holds?: Sort;
  setOf?: Sort;
  names?: readonly string[];
  bits?: readonly string[];
}

function field<A extends FieldArray>(bytes: 1 | 2 | 4, o: FieldOptions): Field<A> {
  return { bytes, holds: o.holds, setOf: o.setOf, names: o.names, bits: o.bits };
}

/** Value of a reference field that refers to nothing. */
export const NONE = 0xff;

/** 8 bits, unsigned. */
export const u8 = (o: FieldOptions = {}): Field<Uint8Array> => field(1, o);
/** 16 bits, unsigned. */
export const u16 = (o: FieldOptions = {}): Field<Uint16Array> => field(2, o);
/** 32 bits, signed; unsigned quantities are compared with `>>> 0`. */
export const i32 = (o: FieldOptions = {}): Field<Int32Array> => field(4, o);
/** A member of a sort, or `NONE`. */
export const ref = (to: Sort): Field<Uint8Array> => u8({ holds: to });
/** A set of at most eight members of a sort, one bit each. */
export const setOf = (of: Sort): Field<Uint8Array> => u8({ setOf: of });
/** One of the named values. */
export const oneOf = (...names: readonly string[]): Field<Uint8Array> => u8({ names });
/** A byte of named bits. */
export const bitsOf = (...bits: readonly string[]): Field<Uint8Array> => u8({ bits });

type Fields = Readonly<Record<string, Field<FieldArray>>>;

export interface TableDef<F extends Fields = Fields> {
  readonly index: readonly Sort[];
  readonly fields: F;
}

/** A table with one row for each combination of members of the index sorts (none: a single row). */
export function table<F extends Fields>(index: readonly Sort[], fields: F): TableDef<F> {
  return { index, fields };
}

export interface TableCore {
  readonly tableName: string;
  /** Number of rows. */
  readonly rows: number;
  /** Number of the first row among all rows of the machine. */
  readonly base: number;
  /** Row of the given members, in the order of the index sorts. */
  at(i?: number, j?: number, k?: number): number;
}

export type Table<F extends Fields> = TableCore & {
  readonly [K in keyof F]: F[K] extends Field<infer A> ? A : never;
};

export type TableDefs = Readonly<Record<string, TableDef>>;

/** The typed-array views that a set of table definitions gives a machine. */
export type State<T extends TableDefs> = { readonly [K in keyof T]: Table<T[K]['fields']> };

/** One field of a laid-out table, as explorers, symmetry and rendering see it. */
export interface PlacedField {
  readonly table: string;
  readonly name: string;
  readonly index: readonly Sort[];
  readonly field: Field<FieldArray>;
  readonly offset: number;
  readonly rows: number;
  readonly base: number;
}

export interface Layout {
  readonly byteCount: number;
  readonly wordCount: number;
  readonly rowCount: number;
  readonly fields: readonly PlacedField[];
  /** Row number of each byte of the state (padding: -1). */
  readonly rowOfByte: Int32Array;
  /** Number of rows for each table, with its first row. */
  readonly tables: ReadonlyMap<string, { readonly def: TableDef; readonly rows: number; readonly base: number }>;
}

/** Lays the tables out, widest fields first, padded to whole 32-bit words. */
export function layOut(defs: TableDefs, sizeOf: (s: Sort) => number): Layout {
  const tables = new Map<string, { def: TableDef; rows: number; base: number }>();
  let rowCount = 0;
  for (const [name, def] of Object.entries(defs)) {
    const rows = def.index.reduce((n, s) => n * sizeOf(s), 1);
    tables.set(name, { def, rows, base: rowCount });
    rowCount += rows;
  }
  const fields: PlacedField[] = [];
  let offset = 0;
  for (const bytes of [4, 2, 1] as const) {
    for (const [tableName, { def, rows, base }] of tables) {
      for (const [name, f] of Object.entries(def.fields)) {
        if (f.bytes !== bytes) continue;
        fields.push({ table: tableName, name, index: def.index, field: f, offset, rows, base });
        offset += bytes * rows;
      }
    }
  }
  const byteCount = Math.max(4, (offset + 3) & ~3);
  const rowOfByte = new Int32Array(byteCount).fill(-1);
  for (const f of fields) {
    for (let i = 0; i < f.rows * f.field.bytes; i++) {
      rowOfByte[f.offset + i] = f.base + Math.floor(i / f.field.bytes);
    }
  }
  return { byteCount, wordCount: byteCount >> 2, rowCount, fields, rowOfByte, tables };
}

/** Typed-array views of one buffer, by table name. */
export function viewsOf(
  layout: Layout,
  buffer: ArrayBuffer,
  sizeOf: (s: Sort) => number,
): Record<string, TableCore & Record<string, unknown>> {
  const views: Record<string, TableCore & Record<string, unknown>> = {};
  for (const [name, { def, rows, base }] of layout.tables) {
    const second = def.index[1] ? sizeOf(def.index[1]) : 1;
    const third = def.index[2] ? sizeOf(def.index[2]) : 1;
    const at =
      def.index.length === 3
        ? (i = 0, j = 0, k = 0) => (i * second + j) * third + k
        : def.index.length === 2
          ? (i = 0, j = 0) => i * second + j
          : (i = 0) => i;
    views[name] = { tableName: name, rows, base, at };
  }
  for (const f of layout.fields) {
    const view = views[f.table];
    if (view === undefined) continue;
    if (f.name in view)
      throw new SpecificationError(`a field of ${f.table} cannot be named '${f.name}': tables have that name`);
    view[f.name] = arrayFor(f, buffer);
  }
  return views;
}

function arrayFor(f: PlacedField, buffer: ArrayBuffer): FieldArray {
  switch (f.field.bytes) {
    case 1:
      return new Uint8Array(buffer, f.offset, f.rows);
    case 2:
      return new Uint16Array(buffer, f.offset, f.rows);
    case 4:
      return new Int32Array(buffer, f.offset, f.rows);
  }
}

/** `grant[domain 1, ref 0]`: the row in words. */
export function rowName(layout: Layout, sizeOf: (s: Sort) => number, row: number): string {
  for (const [name, { def, rows, base }] of layout.tables) {
    if (row < base || row >= base + rows) continue;
    let rest = row - base;
    const parts: string[] = [];
    for (let i = def.index.length - 1; i >= 0; i--) {
      const s = def.index[i];
      if (!s) continue;
      parts.unshift(memberName(s, rest % sizeOf(s)));
      rest = Math.floor(rest / sizeOf(s));
    }
    return parts.length ? `${name}[${parts.join(', ')}]` : name;
  }
  return 'padding';
}

/** A field's value in words. */
export function valueName(f: Field<FieldArray>, value: number): string {
  if (f.names) return f.names[value] ?? String(value);
  if (f.holds) return value === NONE ? 'none' : memberName(f.holds, value);
  const names = f.bits;
  const of = f.setOf;
  if (names || of) {
    const on: string[] = [];
    for (let b = 0; b < 8 * f.bytes; b++) {
      if ((value >>> b) & 1) on.push(names ? (names[b] ?? `bit ${b}`) : of ? memberName(of, b) : '');
    }
    return on.length ? on.join('+') : '-';
  }
  return String(value);
}
