/**
 * Where a line of a source stands, in words that survive moves: the declarations around it by name, and its own text. Declarations are
 * told by their indentation, which the formatter of the project sees to.
 */

export interface Place {
  /** Names of the declarations around the line, outermost first, the words `steps` left out: `mapGrant > take a pin`. '' at the top. */
  readonly within: string;
  /** The line's text, without the space around it; after as many lines before it as it takes to be the only one within. */
  readonly text: string;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isBlank = (line: string): boolean => /^\s*($|\/\/|\/\*|\*)/.test(line);
/** Closes what an earlier line of the same indentation has opened: `): boolean {`. */
const closes = (line: string): boolean => /^\s*[)\]}]/.test(line);

const DECLARATIONS = [
  /^(?:export )?(?:default )?(?:async )?function\*? (\w+)/,
  /^(?:export )?(?:abstract )?(?:class|interface) (\w+)/,
  /^(?:export )?(?:const|let) (\w+)/,
  /^'([^']+)':/,
  /^(?:(?:private|public|protected|static|readonly|override|async|get|set) )*(\w+)[(:]/,
] as const;
const NO_NAMES = /^(if|for|while|switch|case|default|else|return|do|try|catch|throw|steps)$/;

/** The name that the line gives to what it begins, or undefined. */
function nameOf(line: string): string | undefined {
  const text = line.trim();
  for (const pattern of DECLARATIONS) {
    const name = pattern.exec(text)?.[1];
    if (name !== undefined) return NO_NAMES.test(name) ? undefined : name;
  }
  return undefined;
}

function withinOf(lines: readonly string[], at: number): string {
  const names: string[] = [];
  let indent = indentOf(lines[at] ?? '');
  for (let i = at - 1; i >= 0 && indent > 0; i--) {
    const line = lines[i] ?? '';
    if (isBlank(line) || indentOf(line) >= indent) continue;
    // What it closes was opened on a line that stands no deeper.
    indent = closes(line) ? indentOf(line) + 0.5 : indentOf(line);
    const name = nameOf(line);
    if (name !== undefined) names.unshift(name);
  }
  return names.join(' > ');
}

/** Places of the lines of a source, asked for by number, from 1. */
export function placesOf(source: string): (line: number) => Place {
  const lines = source.split(/\r?\n/);
  const within = lines.map((line, i) => (isBlank(line) ? '' : withinOf(lines, i)));
  /** Texts of the line and of the `more` lines before it. */
  const textOf = (at: number, more: number): string => {
    const texts: string[] = [];
    for (let i = at; i >= 0 && texts.length <= more; i--) {
      const line = lines[i] ?? '';
      if (i === at || !isBlank(line)) texts.unshift(line.trim());
    }
    return texts.join('\n');
  };
  return (number) => {
    const at = number - 1;
    const others = lines.flatMap((line, i) => (i !== at && !isBlank(line) && within[i] === within[at] ? [i] : []));
    for (let more = 0; ; more++) {
      const text = textOf(at, more);
      if (more >= at || !others.some((i) => textOf(i, more) === text)) return { within: within[at] ?? '', text };
    }
  };
}
