/** As much of JSON Schema as report.schema.json uses, so that a test can hold reports against it. */

type Schema = Readonly<Record<string, unknown>>;
const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);

function typeOf(v: unknown): string {
  if (v === null) return 'null';
  if (Array.isArray(v)) return 'array';
  return typeof v === 'number' && Number.isInteger(v) ? 'integer' : typeof v;
}

/** What does not fit, with its place; nothing when all fits. Throws for a keyword that is not known here. */
export function schemaProblems(root: Schema, value: unknown): string[] {
  const problems: string[] = [];
  const check = (schema: Schema, v: unknown, at: string): void => {
    for (const [keyword, rule] of Object.entries(schema)) {
      switch (keyword) {
        case '$schema':
        case '$id':
        case '$defs':
        case 'title':
        case 'description':
        case 'required':
          break;
        case '$ref': {
          const name = String(rule).replace('#/$defs/', '');
          const defs = root.$defs as Record<string, Schema>;
          check(defs[name] ?? { const: `definition ${name}` }, v, at);
          break;
        }
        case 'type': {
          const types = Array.isArray(rule) ? rule : [rule];
          const t = typeOf(v);
          if (!types.includes(t) && !(t === 'integer' && types.includes('number')))
            problems.push(`${at}: ${t}, not ${types}`);
          break;
        }
        case 'const':
          if (v !== rule) problems.push(`${at}: not ${String(rule)}`);
          break;
        case 'enum':
          if (!(rule as unknown[]).includes(v)) problems.push(`${at}: ${String(v)} is none of ${String(rule)}`);
          break;
        case 'minimum':
          if (typeof v === 'number' && v < Number(rule)) problems.push(`${at}: ${v} is too small`);
          break;
        case 'pattern':
          if (typeof v === 'string' && !new RegExp(String(rule)).test(v)) problems.push(`${at}: ${v}`);
          break;
        case 'items':
          if (Array.isArray(v)) for (const [i, item] of v.entries()) check(rule as Schema, item, `${at}[${i}]`);
          break;
        case 'anyOf': {
          const before = problems.length;
          const fits = (rule as Schema[]).some((s) => schemaProblems({ ...s, $defs: root.$defs }, v).length === 0);
          problems.length = before;
          if (!fits) problems.push(`${at}: fits none of the alternatives`);
          break;
        }
        case 'properties':
        case 'additionalProperties':
          break;
        default:
          throw new Error(`the test's validator does not know '${keyword}'`);
      }
    }
    if (!isObject(v)) return;
    const known = (schema.properties ?? {}) as Record<string, Schema>;
    for (const name of (schema.required ?? []) as string[])
      if (!Object.hasOwn(v, name)) problems.push(`${at}: no ${name}`);
    for (const [name, inner] of Object.entries(v)) {
      const own = known[name];
      if (own) check(own, inner, `${at}.${name}`);
      else if (schema.additionalProperties === false) problems.push(`${at}: unknown ${name}`);
      else if (isObject(schema.additionalProperties)) check(schema.additionalProperties, inner, `${at}.${name}`);
    }
  };
  check(root, value, '$');
  return problems;
}
