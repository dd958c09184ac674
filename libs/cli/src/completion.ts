/** A command as completion needs to know it. */
export type Completable = {
  readonly name: string
  readonly description: string
  readonly options: readonly string[]
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A script that completes the commands and options in a shell; to be sourced. */
export function completionScript(
  shell: Shell,
  commands: readonly Completable[],
  global: readonly string[],
): string {
  switch (shell) {
    case 'bash':
      return bash(commands, global)
    case 'zsh':
      return `#compdef countersign\nautoload -U +X bashcompinit && bashcompinit\n${bash(commands, global)}`
    case 'fish':
      return fish(commands, global)
  }
}

function bash(commands: readonly Completable[], global: readonly string[]): string {
  const names = commands.map(({ name }) => name).join(' ')
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${[...options, ...global].join(' ')}" ;;`,
  )
  return [
    '_countersign() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" word command="" words',
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    `    case " ${names} " in *" $word "*) command="$word"; break ;; esac`,
    '  done',
    '  case "$command" in',
    ...cases,
    `    *) words="${[names, ...global].join(' ')}" ;;`,
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _countersign countersign',
    '',
  ].join('\n')
}

function fish(commands: readonly Completable[], global: readonly string[]): string {
  const flag = (option: string): string =>
    option.startsWith('--') ? `-l ${option.slice(2)}` : `-s ${option.slice(1)}`
  return [
    'complete -c countersign -f',
    ...commands.map(
      ({ name, description }) =>
        `complete -c countersign -n __fish_use_subcommand -a ${name} -d '${description.replaceAll("'", '')}'`,
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map(
        (option) =>
          `complete -c countersign -n '__fish_seen_subcommand_from ${name}' ${flag(option)}`,
      ),
    ),
    ...global.map((option) => `complete -c countersign ${flag(option)}`),
    '',
  ].join('\n')
}
