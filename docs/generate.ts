/**
 * Writes the parts of the docs that come from the code: the table of error codes, the flow of messages, the settings of
 * every service, the help of the command line, and the fields and the Cedar schema of the catalog.
 * `--check` writes nothing and fails if a page would change.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { z } from 'zod'
import { ERROR_CODES } from '../libs/kernel/src/error-codes.ts'
import { topologies } from '../infra/local/src/services.ts'
import type { Topology } from '../libs/log/src/topology.ts'
import { sqlStateOf } from '../services/proxy/src/core/sql-states.ts'
import { NEXT_STEPS } from '../libs/kernel/src/next-steps.ts'
import { CEDAR_SCHEMA } from '../libs/catalog/src/cedar-schema.ts'
import { catalogFields } from './catalog-fields.ts'
import { knobsTable } from './knobs.ts'
import { cliHelp } from '../libs/cli/src/help-page.ts'

const ROOT = join(import.meta.dirname, '..')

/** The pages with their generated parts, by path. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/errors.md', filled('docs/errors.md', 'codes', errorTable())],
    ['docs/architecture.md', filled('docs/architecture.md', 'flow', flowTable(await topologies()))],
    ...(await knobPages()),
    ['docs/cli.md', filled('docs/cli.md', 'help', cliHelp())],
    ['docs/catalog.md', catalogPage()],
  ])
}

function catalogPage(): string {
  const fields = filled('docs/catalog.md', 'fields', `\n${catalogFields()}\n`)
  return withContent(fields, 'cedar', `\n\`\`\`cedarschema${CEDAR_SCHEMA}\`\`\`\n`)
}

function errorTable(): string {
  const rows = (Object.keys(ERROR_CODES) as (keyof typeof ERROR_CODES)[]).map(
    (code) => `| \`${code}\` | ${ERROR_CODES[code]} | ${sqlStateOf(code)} | ${NEXT_STEPS[code]} |`,
  )
  return ['| code | meaning | SQLSTATE | what to do next |', '|---|---|---|---|', ...rows].join(
    '\n',
  )
}

/** The READMEs of all services that have settings, with the table of these settings. */
async function knobPages(): Promise<[string, string][]> {
  return [...(await settingsOfServices())].map(([service, settings]): [string, string] => {
    const readme = `services/${service}/README.md`
    return [readme, filled(readme, 'knobs', knobsTable(settings))]
  })
}

/** The settings of the services, by name. */
export async function settingsOfServices(): Promise<ReadonlyMap<string, z.ZodRawShape>> {
  const configOf = (service: string): string => join(ROOT, 'services', service, 'src', 'config.ts')
  const services = readdirSync(join(ROOT, 'services')).filter((name) => existsSync(configOf(name)))
  return new Map(
    await Promise.all(
      services.map(async (service): Promise<[string, z.ZodRawShape]> => {
        const module: { SETTINGS: z.ZodRawShape } = await import(
          pathToFileURL(configOf(service)).href
        )
        return [service, module.SETTINGS]
      }),
    ),
  )
}

function flowTable(unsorted: readonly Topology[]): string {
  const all = unsorted.toSorted((a, b) => (a.service < b.service ? -1 : 1))
  const topics = [...new Set(all.flatMap(({ reads, writes }) => [...reads, ...writes]))].sort()
  const rows = topics.map((topic) => {
    const writers = all.filter(({ writes }) => writes.includes(topic)).map(({ service }) => service)
    const readers = all.filter(({ reads }) => reads.includes(topic)).map(({ service }) => service)
    return `| \`${topic}\` | ${writers.join(', ')} | ${readers.join(', ')} |`
  })
  return ['| topic | written by | read by |', '|---|---|---|', ...rows].join('\n')
}

/** The page at a path, with the text between its markers replaced by this content. */
const filled = (path: string, marker: string, content: string): string =>
  withContent(readFileSync(join(ROOT, path), 'utf8'), marker, content)

function withContent(page: string, marker: string, content: string): string {
  const [begin, end] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`]
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from < 0 || to < from) throw new Error(`there are no markers ${begin} … ${end}`)
  return `${page.slice(0, from + begin.length)}\n${content}\n${page.slice(to)}`
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, page] of await generatedPages()) {
    if (readFileSync(join(ROOT, path), 'utf8') === page) continue
    if (process.argv.includes('--check')) {
      console.error(`${path} is stale. Run: node docs/generate.ts`)
      process.exitCode = 1
    } else {
      writeFileSync(join(ROOT, path), page)
      console.log(`wrote ${path}`)
    }
  }
}
