/** Text for XML: escaped, and without the characters that XML 1.0 cannot hold at all. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: XML forbids exactly these
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu;

/** Text of an element or of a quoted attribute. */
export function xmlText(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"'\n\r\t]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Text of an element, with its line breaks as they are. */
export function xmlLines(lines: readonly string[]): string {
  return lines.map((l) => xmlText(l)).join('\n');
}

/** An element's attributes in the given order: ` name="value"`. */
export function xmlAttributes(of: Readonly<Record<string, string | number>>): string {
  return Object.entries(of)
    .map(([name, value]) => ` ${name}="${xmlText(String(value))}"`)
    .join('');
}
