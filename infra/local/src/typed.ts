import { type CommandName, type Typed, understood } from '../commands.js'
import { DEFAULT_INSTANCE } from './instance.ts'

/** The options that a command of `npm run` was started with; for help and for mistakes it ends the process. */
export function typed(name: CommandName): { flag(option: string): boolean; instance: string } {
  const read = understood(name, process.argv.slice(2))
  if (!('values' in read)) {
    ;(read.status === 0 ? process.stdout : process.stderr).write(read.text)
    process.exit(read.status)
  }
  const values: Typed = read.values
  const { instance } = values
  return {
    flag: (option) => values[option] === true,
    instance: typeof instance === 'string' ? instance : DEFAULT_INSTANCE,
  }
}
