import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { messageOf, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { ask, problemIn } from '../http.ts'
import { json } from '../json.ts'
import { styleOf } from '../paint.ts'
import { oneLine } from '../printable.ts'
import { table } from '../table.ts'

export type ApplyOptions = { file: string; set: readonly string[]; prune?: boolean }

/** Puts the definitions of a file or folder in force; with any mistake in them, none. */
export async function apply(context: Context, options: ApplyOptions): Promise<number> {
  const files = filesIn(resolve(context.io.workingDirectory, options.file))
  const { set, prune = false } = options
  const body = { files, variables: variablesOf(set), ...(prune ? { prune } : {}) }
  const url = `${context.consoleUrl()}/v1/catalog`
  const answered = await ask({ url, token: await context.token(), method: 'PUT', body })
  const problems = json.list(answered.body, 'problems')
  const warnings = json.list(answered.body, 'warnings')
  for (const found of context.settings.json ? [] : [...problems, ...warnings]) {
    const [file, line] = [json.text(found, 'file'), json.text(found, 'line')].map(oneLine)
    const kind = warnings.includes(found) ? `${context.paint('yellow', 'warning')}: ` : ''
    context.io.err(`${file}:${line}: ${kind}${oneLine(json.text(found, 'message'))}\n`)
  }
  if (problems.length > 0) {
    context.print(answered.body, () => '')
    context.io.err(`${json.text(answered.body, 'detail')}\n`)
    return 1
  }
  if (answered.status >= 400) throw problemIn(answered)
  context.print(answered.body, () => changesText(answered.body, context))
  return 0
}

function changesText(body: unknown, { paint }: Context): string {
  const nameOf = (each: unknown): string[] => [
    oneLine(json.text(each, 'kind').replace(/Defined$/, '')),
    oneLine(json.text(each, 'name')),
  ]
  const changes = table(
    ['KIND', 'NAME', 'CHANGE'],
    json.list(body, 'changes').map((change) => {
      const what = json.text(change, 'change')
      return [...nameOf(change), paint(styleOf(what), what)]
    }),
  )
  const left = json.list(body, 'unmentioned')
  if (left.length === 0) return changes
  const head = paint('yellow', 'In force, but not in these files; --prune removes it:')
  return `${changes}\n${head}\n${table(['KIND', 'NAME'], left.map(nameOf))}`
}

/** The catalog files of a folder, with their paths inside it; or the one file. */
export function filesIn(place: string): readonly { name: string; text: string }[] {
  const names = namesIn(place)
  if (names.length > 0) return names
  throw new Problem('CS_BAD_REQUEST', `there is no .yaml, .yml or .cedar file in ${place}`)
}

function namesIn(place: string): readonly { name: string; text: string }[] {
  try {
    if (!statSync(place).isDirectory())
      return [{ name: basename(place), text: readFileSync(place, 'utf8') }]
    return readdirSync(place, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ya?ml|cedar)$/.test(name))
      .sort()
      .map((name) => ({
        name: name.replaceAll('\\', '/'),
        text: readFileSync(join(place, name), 'utf8'),
      }))
  } catch (cause) {
    throw new Problem('CS_BAD_REQUEST', `cannot read ${place}: ${messageOf(cause)}`, { cause })
  }
}

/** NAME=value, as often as it is given. */
export function variablesOf(set: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    set.map((pair): [string, string] => {
      const found = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(pair)
      if (found?.[1] === undefined) {
        throw new Problem('CS_BAD_REQUEST', `--set takes NAME=value, not ${oneLine(pair)}`)
      }
      return [found[1], found[2] ?? '']
    }),
  )
}
