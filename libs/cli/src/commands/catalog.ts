import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { Problem } from '@countersign/kernel'
import type { Context } from '../context.ts'
import { answerOf } from '../http.ts'
import { json } from '../json.ts'
import { oneLine } from '../printable.ts'
import { table } from '../table.ts'

/** Lists the definitions in force. */
export async function list(context: Context): Promise<void> {
  const answer = await got(context, '')
  const found = json.list(answer, 'definitions')
  context.print(answer, () =>
    found.length === 0
      ? 'Nothing is in force.\n'
      : table(
          ['KIND', 'NAME', 'VERSION'],
          found.map((each) => [
            kindOf(each),
            oneLine(json.text(each, 'name')),
            oneLine(json.text(each, 'version')).slice(0, 12),
          ]),
        ),
  )
}

/** Prints a definition as a file would have it. */
export async function show(context: Context, typed: string): Promise<void> {
  const [kind, name] = typed.includes('/') ? typed.split('/', 2) : [null, typed]
  const found = json
    .list(await got(context, '/definitions'), 'definitions')
    .filter((each) => json.text(each, 'name') === name)
    .filter((each) => kind === null || kindOf(each).toLowerCase() === kind?.toLowerCase())
  const [only, ...more] = found
  if (only === undefined) {
    throw new Problem('CS_NOT_FOUND', `no definition ${typed} is in force`, {
      hint: 'See `countersign catalog list`.',
    })
  }
  if (more.length > 0) {
    const names = found.map((each) => `${kindOf(each)}/${json.text(each, 'name')}`).join(', ')
    throw new Problem('CS_BAD_REQUEST', `${typed} may be ${names}`, { hint: 'Name the kind too.' })
  }
  context.print(only, () => json.text(only, 'text'))
}

/** Writes everything that is in force as files that `apply` takes. */
export async function exported(context: Context, { dir }: { dir: string }): Promise<void> {
  const place = resolve(context.io.workingDirectory, dir)
  if (existsSync(place) && readdirSync(place).length > 0) {
    throw new Problem('CS_BAD_REQUEST', `${place} is not empty`, { hint: 'Name a new folder.' })
  }
  const answer = await got(context, '/export')
  const files = json.list(answer, 'files')
  for (const file of files) {
    const target = resolve(place, json.text(file, 'name'))
    // The names come from a catalog that others wrote: none may lead out of the folder.
    if (relative(place, target).startsWith('..'))
      throw new Problem(
        'CS_BAD_REQUEST',
        `a file of the catalog is called ${json.text(file, 'name')}`,
      )
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, json.text(file, 'text'), { flag: 'wx' })
  }
  const names = files.map((file) => join(dir, json.text(file, 'name')))
  context.print({ files: names }, () => names.map((name) => `${oneLine(name)}\n`).join(''))
}

const got = async (context: Context, path: string): Promise<unknown> =>
  answerOf({ url: `${context.consoleUrl()}/v1/catalog${path}`, token: await context.token() })

const kindOf = (each: unknown): string => oneLine(json.text(each, 'kind').replace(/Defined$/, ''))
