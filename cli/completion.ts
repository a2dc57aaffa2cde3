/** `ringfence completion`: scripts for the shells, made from the commands themselves, so that they cannot be out of date. */
import type { Command } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

interface Told {
  readonly name: string;
  readonly says: string;
  readonly options: readonly { readonly flag: string; readonly says: string }[];
  /** Words that its first argument may be. */
  readonly words: readonly string[];
}

/** The script for a shell. @param words what the arguments of commands may be, by command */
export function completionScript(
  program: Command,
  shell: Shell,
  words: Readonly<Record<string, readonly string[]>>,
): string {
  const commands = program.commands.map(
    (c): Told => ({
      name: c.name(),
      says: oneLine(c.description()),
      options: c.options.flatMap((o) => (o.long ? [{ flag: o.long, says: oneLine(o.description) }] : [])),
      words: words[c.name()] ?? [],
    }),
  );
  switch (shell) {
    case 'bash':
      return bash(commands);
    case 'zsh':
      return zsh(commands);
    case 'fish':
      return fish(commands);
  }
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(/['"`$\\:[\]]/g, '');

function bash(commands: readonly Told[]): string {
  const cases = commands.map((c) => {
    const flags = c.options.map((o) => o.flag).join(' ');
    return `    ${c.name}) words="${[flags, ...c.words].join(' ')}" ;;`;
  });
  return `# ringfence completion for bash: source <(ringfence completion bash)
_ringfence() {
  local word=\${COMP_WORDS[COMP_CWORD]} words
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
    *) words="" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${commands.map((c) => c.name).join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "$word") $([ "$COMP_CWORD" -gt 1 ] && compgen -f -- "$word"))
}
complete -o filenames -F _ringfence ringfence
`;
}

function zsh(commands: readonly Told[]): string {
  const names = commands.map((c) => `    '${c.name}:${c.says}'`);
  const cases = commands.map((c) => {
    const flags = c.options.map((o) => `'${o.flag}[${o.says}]'`);
    const rest = c.words.length > 0 ? `'*: :(${c.words.join(' ')})'` : `'*:file:_files'`;
    return `    ${c.name}) _arguments ${[...flags, rest].join(' ')} ;;`;
  });
  return `#compdef ringfence
# ringfence completion for zsh: ringfence completion zsh > a folder of $fpath/_ringfence
_ringfence() {
  local -a commands=(
${names.join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
${cases.join('\n')}
  esac
}
compdef _ringfence ringfence
`;
}

function fish(commands: readonly Told[]): string {
  const lines = ['# ringfence completion for fish: ringfence completion fish | source'];
  for (const c of commands) {
    lines.push(`complete -c ringfence -n __fish_use_subcommand -a ${c.name} -d '${c.says}'`);
    const within = `complete -c ringfence -n '__fish_seen_subcommand_from ${c.name}'`;
    for (const o of c.options) lines.push(`${within} -l ${o.flag.replace(/^--/, '')} -d '${o.says}'`);
    if (c.words.length > 0) lines.push(`${within} -a '${c.words.join(' ')}'`);
  }
  return `${lines.join('\n')}\n`;
}
