import type { Command } from 'commander'
import { programFor } from './program.ts'

/** The help of all commands as a page: `countersign.js` prints it where nothing is installed yet. */
export function cliHelp(): string {
  const program = programFor({
    out: () => undefined,
    err: () => undefined,
    perform: () => Promise.resolve(),
  })
  const shown = program.commands.filter(isShown)
  return [section(program, ''), ...shown.map((each) => section(each, ` ${each.name()}`))].join('\n')
}

function section(command: Command, name: string): string {
  let help = ''
  command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp()
  const below = name === '' ? [] : command.commands.filter(isShown)
  const nested = below.map((each) => section(each, `${name}-${each.name()}`)).join('\n')
  return `\`\`\`help${name}\n${help.trim()}\n\`\`\`\n${nested === '' ? '' : `\n${nested}`}`
}

/** `help` prints nothing but what stands here. */
const isShown = (command: Command): boolean => !/^(_|help$)/.test(command.name())
