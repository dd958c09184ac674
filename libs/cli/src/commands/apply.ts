import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { messageOf, Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { diffText } from '../diff.ts'
import { ask, problemIn } from '../http.ts'
import { hinted } from '../invocation.ts'
import { json } from '../json.ts'
import { styleOf } from '../paint.ts'
import { oneLine } from '../printable.ts'
import { table } from '../table.ts'
import { findingsText, targetFindings } from '../target-checks.ts'

export type ApplyOptions = {
  file: string
  set: readonly string[]
  dryRun?: boolean
  checkTargets?: boolean
  prune?: boolean
  yes?: boolean
}

/** Puts the definitions of a file or folder in force; with any mistake in them, none. */
export async function apply(context: Context, options: ApplyOptions): Promise<number> {
  const files = filesIn(resolve(context.io.workingDirectory, options.file))
  const { set, prune = false, dryRun = false, checkTargets = false, yes = false } = options
  const body = {
    files,
    variables: variablesOf(set),
    ...(prune ? { prune } : {}),
  }
  // bound: one per warning of a catalog
  const told = new Set<string>()
  const sent = (more: object): Promise<unknown> => answerTo(context, { ...body, ...more }, told)
  if (checkTargets && !(await areTargetsWell(context, await sent({ dryRun: true })))) return 1
  if (dryRun) {
    const tried = await sent({ dryRun })
    if (tried === null) return 1
    context.print(tried, () => changesText(tried, context, { isDry: true }))
    return 0
  }
  // Nothing is removed that was not shown first to the person who asked for it.
  const shown = prune && !yes ? await sent({ dryRun: true }) : undefined
  if (shown === null) return 1
  if (shown !== undefined && !(await isPruningWanted(context, shown))) return 1
  const expected =
    shown === undefined ? {} : { expectedOffset: json.number(shown, 'catalogOffset') }
  const done = await sent(expected)
  if (done === null) return 1
  context.print(done, () => changesText(done, context, { isDry: false }))
  return 0
}

/** The answer of the console; null where it found mistakes, which are printed. What was told already is not told again. */
async function answerTo(context: Context, body: object, told: Set<string>): Promise<unknown> {
  const url = `${context.consoleUrl()}/v1/catalog`
  const call = { url, token: await context.token(), method: 'PUT' as const, body }
  const answered = await ask({ ...call, limitMs: LIMIT_MS })
  const problems = json.list(answered.body, 'problems')
  const warnings = json.list(answered.body, 'warnings')
  for (const found of context.settings.json ? [] : [...problems, ...warnings]) {
    const [file, line] = [json.text(found, 'file'), json.text(found, 'line')].map(oneLine)
    const kind = warnings.includes(found) ? `${context.paint('yellow', 'warning')}: ` : ''
    const text = `${file}:${line}: ${kind}${oneLine(json.text(found, 'message'))}\n`
    if (!told.has(text)) context.io.err(text)
    told.add(text)
  }
  if (problems.length > 0) {
    if (context.settings.json) context.print(answered.body, () => '')
    else context.io.err(`${oneLine(json.text(answered.body, 'detail'))}\n`)
    return null
  }
  if (answered.status >= 400) throw problemIn(answered)
  return answered.body
}

/** Checks the targets of the profiles that were sent; if anything is missing there, nothing is applied. */
async function areTargetsWell(context: Context, tried: unknown): Promise<boolean> {
  if (tried === null) return false
  const findings = await targetFindings(context, json.list(tried, 'profiles'))
  const failed = findings.filter(({ status }) => status === 'failed')
  if (failed.length === 0) {
    if (!context.settings.json) context.io.err(findingsText(findings, context))
    return true
  }
  context.print({ ok: false, checks: findings }, () => findingsText(findings, context))
  context.io.err('Nothing was applied.\n')
  return false
}

async function isPruningWanted(context: Context, tried: unknown): Promise<boolean> {
  const { io } = context
  const removed = json
    .list(tried, 'changes')
    .filter((change) => json.text(change, 'change') === 'removed')
  if (removed.length === 0) return true
  const names = table(['KIND', 'NAME'], removed.map(nameOf))
  if (io.ask === null || context.settings.json) {
    const list = removed.map((each) => nameOf(each).join('/')).join(', ')
    throw new Problem(
      'CS_BAD_REQUEST',
      `nothing was applied: nobody can be asked whether to remove ${list}`,
      {
        hint: 'Look with --dry-run; to remove it without being asked, add --yes.',
      },
    )
  }
  io.out(`In force, but not in these files:\n${names}`)
  const answer = await io.ask(
    `Remove ${removed.length === 1 ? 'it' : `these ${removed.length}`}? [y/N] `,
  )
  if (/^y(es)?$/i.test(answer.trim())) return true
  io.out('Nothing was applied.\n')
  return false
}

const nameOf = (each: unknown): string[] => [
  oneLine(json.text(each, 'kind').replace(/Defined$/, '')),
  oneLine(json.text(each, 'name')),
]

function changesText(
  body: unknown,
  { paint, command }: Context,
  { isDry }: { isDry: boolean },
): string {
  const all = json.list(body, 'changes')
  const changes = table(
    ['KIND', 'NAME', 'CHANGE'],
    all.map((change) => {
      const what = json.text(change, 'change')
      return [...nameOf(change), paint(styleOf(what), what)]
    }),
  )
  const diffs = all.flatMap((change) => {
    const [before, after] = [json.text(change, 'before'), json.text(change, 'after')]
    if (!isDry || before === after) return []
    return [`\n${paint('bold', nameOf(change).join('/'))}\n${diffText(before, after, paint)}`]
  })
  const left = json.list(body, 'unmentioned')
  return [
    changes,
    ...diffs,
    ...(left.length === 0 ? [] : [`\n${leftText(left)}`]),
    ...(isDry ? ['\nNothing was applied.\n'] : []),
  ].join('')

  /** A few are named: somebody took them out of the files. Many are the rest of a catalog of which one file is applied. */
  function leftText(left: readonly unknown[]): string {
    const head = `${left.length} more in force, but not in these files`
    if (left.length <= NAMED_MAX)
      return `${paint('yellow', `${head}; --prune removes it:`)}\n${table(['KIND', 'NAME'], left.map(nameOf))}`
    return `${hinted(`${head}: \`countersign catalog list\` shows all, --prune removes it.`, command)}\n`
  }
}

const NAMED_MAX = 5

/** The catalog files of a folder, with their paths inside it; or the one file. */
export function filesIn(place: string): readonly { name: string; text: string }[] {
  const names = namesIn(place)
  if (names.length > 0) return names
  throw new Problem('CS_BAD_REQUEST', `there is no .yaml, .yml or .cedar file in ${place}`)
}

function namesIn(place: string): readonly { name: string; text: string }[] {
  const isFolder = readAt(place, () => statSync(place).isDirectory())
  if (!isFolder) return [{ name: basename(place), text: textAt(place) }]
  return readAt(place, () => readdirSync(place, { recursive: true, encoding: 'utf8' }))
    .filter((name) => /\.(ya?ml|cedar)$/.test(name))
    .sort()
    .map((name) => ({ name: name.replaceAll('\\', '/'), text: textAt(join(place, name)) }))
}

const textAt = (path: string): string => readAt(path, () => readFileSync(path, 'utf8'))

/** Reads, and says of which path it is that it cannot be read. */
function readAt<T>(place: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    const detail = isMissing ? 'it is not there' : messageOf(cause)
    throw new Problem('CS_BAD_REQUEST', `cannot read ${place}: ${detail}`, { cause })
  }
}

/** The variables of `--set NAME=value`, which may be given several times. */
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

/** The console checks and writes a whole catalog within this time. */
const LIMIT_MS = 60_000
