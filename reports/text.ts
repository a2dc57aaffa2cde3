/** Plain text for terminals: wrapping, padding, columns. Widths are in characters; our texts are ASCII, and others' are made so. */

/** Characters that would steer a terminal become '?'. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?');
}

/** Breaks text at spaces into lines of at most `width`; longer words are cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (let word of text.split(' ')) {
    for (; word.length > width; word = word.slice(width)) {
      if (line !== '') lines.push(line);
      line = '';
      lines.push(word.slice(0, width));
    }
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}

/** Wraps, with `first` before the first line and as many spaces before the others. */
export function hang(first: string, text: string, width: number): string[] {
  const indent = ' '.repeat(first.length);
  return wrap(text, Math.max(10, width - first.length)).map((line, i) => `${i === 0 ? first : indent}${line}`);
}

/** `12,345` */
export function grouped(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 step`, `2 steps` */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** Lines that begin alike as one: `never performed: domain.create, mmu.pin`. */
export function together(lines: readonly string[]): string[] {
  const groups = new Map<string, Set<string>>();
  for (const line of lines) {
    const colon = line.indexOf(': ');
    const head = colon < 0 ? line : line.slice(0, colon);
    const members = groups.get(head) ?? new Set();
    groups.set(head, members);
    if (colon >= 0) members.add(line.slice(colon + 2));
  }
  return [...groups].map(([head, members]) => (members.size === 0 ? head : `${head}: ${[...members].join(', ')}`));
}
