export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A script for a shell, to be sourced. It asks the command line itself what fits, so that ids and names complete too. */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return BASH
    case 'zsh':
      return `#compdef countersign\nautoload -U +X bashcompinit && bashcompinit\n${BASH}`
    case 'fish':
      return FISH
  }
}

// The caller's own first word is called, so that `./countersign` completes as well.
const BASH = `_countersign() {
  local IFS=$'\\n'
  COMPREPLY=($("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _countersign countersign
`

const FISH = `complete -c countersign -f -a '(countersign __complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
`
