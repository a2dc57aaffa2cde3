/**
 * Markup that is safe by construction: what is put into an `html` template is escaped, unless it is markup itself. Names, messages and
 * traces come from other people's suites.
 */
import { printable } from '../text.js';

/** Text that is markup already. */
export class Markup {
  constructor(readonly text: string) {}
}

export type Part = string | number | Markup | readonly Part[] | null | undefined | false;

/** Longest text of a suite that goes into the page, in characters. */
const MAX_TEXT = 2000;

/** Text for an element or a quoted attribute; control and direction characters become '?'. */
export function escapeHtml(text: string): string {
  return printable(clip(text, MAX_TEXT).replace(/[\n\t]/g, ' ')).replace(/[&<>"'`]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** At most `most` characters, with the cut visible. */
export function clip(text: string, most: number): string {
  const cut = text.length <= most ? text : `${text.slice(0, most)} [${text.length - most} characters cut]`;
  return wellFormed(cut);
}

/** Halves of characters cannot be written as UTF-8. */
export function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

/** A template of markup. Attributes must be quoted. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((s, i) => (i === 0 ? s : textOf(parts[i - 1]) + s)).join(''));
}

function textOf(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escapeHtml(part);
  return part.map(textOf).join('');
}

/**
 * JSON for a `<script type="application/json">`: nothing in it can end the element or start a comment, and it is valid JavaScript too.
 */
export function embedJson(value: unknown): Markup {
  const unsafe: Readonly<Record<string, string>> = {
    '<': '\\u003c',
    '>': '\\u003e',
    '&': '\\u0026',
    '\u2028': '\\u2028',
    '\u2029': '\\u2029',
  };
  return new Markup(JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, (c) => unsafe[c] ?? c));
}
