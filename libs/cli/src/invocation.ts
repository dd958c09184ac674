import { existsSync, realpathSync } from 'node:fs'
import { delimiter, isAbsolute, join, resolve } from 'node:path'
import type { GlobalOptions } from './settings.ts'

type Env = Readonly<Record<string, string | undefined>>

/** The folder of this checkout; its instances are found from any other folder. */
export const HOME = resolve(import.meta.dirname, '..', '..', '..')

/** The words with which a person calls us again: as they did, or shorter where a shell finds us by name. */
export function invokedAs(env: Env, workingDirectory: string): string {
  if (env['npm_command'] === 'exec') return 'npx countersign'
  const typed = env['COUNTERSIGN_INVOKED_AS'] ?? join(HOME, 'countersign.js')
  const own = realOf(isAbsolute(typed) ? typed : resolve(workingDirectory, typed))
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  const first = folders.map((folder) => join(folder, 'countersign')).find(existsSync)
  return first !== undefined && realOf(first) === own ? 'countersign' : quoted(typed)
}

/** A shell line that runs these words for the caller: under the name they used, as the same person, at the same place. */
export function commandLine(name: string, words: string, options: GlobalOptions): string {
  const said: [string, string | undefined][] = [
    ['--as', options.as],
    ['--instance', options.instance],
    ['--console-url', options.consoleUrl],
    ['--replay-url', options.replayUrl],
    ['--issuer', options.issuer],
  ]
  const flags = said.flatMap(([flag, value]) =>
    value === undefined || words.includes(`${flag} `) ? [] : [flag, quoted(value)],
  )
  return [name, words, ...flags].join(' ')
}

/** A hint with each `countersign …` in it made a line that works. */
export const hinted = (hint: string, line: (words: string) => string): string =>
  hint.replace(/`countersign ([^`]*)`/g, (_, words: string) => `\`${line(words)}\``)

const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

function realOf(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return file
  }
}
