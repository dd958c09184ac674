/**
 * Writes `src/generated/*.ts` from the Avro schemas in `schemas/`: one file of types for each topic, and the
 * schemas themselves, self-contained, so that the codec needs no file at run time.
 * `--check` writes nothing and fails where a file would change.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { basename, join } from 'node:path'

type Schema = string | Schema[] | SchemaObject
type SchemaObject = {
  type: Schema
  name?: string
  namespace?: string
  doc?: string
  fields?: Field[]
  items?: Schema
  symbols?: string[]
  logicalType?: string
  brand?: string
}
type Field = { name: string; type: Schema; doc?: string; default?: unknown }
type Named = SchemaObject & { name: string }

const SCHEMAS = join(import.meta.dirname, '../../schemas')
const TARGET = join(import.meta.dirname, 'src/generated')
const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'string',
  long: 'number',
  int: 'number',
  boolean: 'boolean',
  bytes: 'Buffer',
}
const BRANDS = new Set(['SessionId', 'RequestId', 'EventId', 'InstanceId'])

const common = new Map(
  schemasIn('common').map((schema) => [`countersign.common.${schema.name}`, schema]),
)
const topics = readdirSync(SCHEMAS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !['common', 'released'].includes(entry.name))
  .map((entry) => entry.name)
  .sort()

const files = new Map<string, string>([
  ['common.ts', typesFile([...common.values()], 'common')],
  ...topics.map((topic): [string, string] => [`${topic}.ts`, typesFile(schemasIn(topic), topic)]),
  ['registry.ts', schemasFile()],
])

const stale = [...files].filter(([name, text]) => current(name) !== text).map(([name]) => name)
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    console.error(`generated types are stale: ${stale.join(', ')}. Run: npm run generate`)
    process.exit(1)
  }
} else {
  mkdirSync(TARGET, { recursive: true })
  for (const name of stale) writeFileSync(join(TARGET, name), files.get(name) ?? '')
  console.log(stale.length === 0 ? 'generated types are up to date' : `wrote ${stale.join(', ')}`)
}

function current(name: string): string {
  return existsSync(join(TARGET, name)) ? readFileSync(join(TARGET, name), 'utf8') : ''
}

function schemasIn(folder: string): Named[] {
  return readdirSync(join(SCHEMAS, folder))
    .filter((name) => name.endsWith('.avsc'))
    .sort()
    .map((name) => {
      const schema: Named = JSON.parse(readFileSync(join(SCHEMAS, folder, name), 'utf8'))
      if (`${schema.name}.avsc` !== basename(name))
        throw new Error(`${folder}/${name}: names ${schema.name}`)
      if (schema.namespace !== `countersign.${folder}`)
        throw new Error(`${folder}/${name}: wrong namespace`)
      return documented(schema, `${folder}/${name}`)
    })
}

function documented(schema: Named, place: string): Named {
  if (!schema.doc?.endsWith('.')) throw new Error(`${place}: the record needs a "doc" sentence`)
  for (const field of schema.fields ?? []) {
    if (!field.doc?.endsWith('.')) throw new Error(`${place}: ${field.name} needs a "doc" sentence`)
  }
  return schema
}

function typesFile(schemas: Named[], folder: string): string {
  const nested: string[] = []
  const used = { common: new Set<string>(), kernel: new Set<string>() }
  const types = schemas.map((schema) => declaration(schema, folder !== 'common', nested, used))
  const union = schemas.map((schema) => `  | ${schema.name}`).join('\n')
  return [
    `// Generated from schemas/${folder} by libs/contracts/generate.ts; do not edit.\n`,
    used.kernel.size === 0
      ? ''
      : `import type { ${[...used.kernel].sort().join(', ')} } from '@countersign/kernel'\n`,
    folder === 'common' || used.common.size === 0
      ? ''
      : `import type { ${[...used.common].sort().join(', ')} } from './common.ts'\n`,
    '\n',
    [...types, ...nested].join('\n'),
    folder === 'common'
      ? ''
      : `\n/** Everything that may stand in the topic \`${folder}\`. */\nexport type ${pascal(folder)}Message =\n${union}\n`,
  ].join('')
}

type Used = { common: Set<string>; kernel: Set<string> }

function declaration(schema: Named, tagged: boolean, nested: string[], used: Used): string {
  const head = `/** ${schema.doc} */\n`
  if (schema.symbols) return `${head}export type ${schema.name} = ${symbols(schema)}\n`
  const tag = tagged ? `  readonly type: '${schema.name}'\n` : ''
  const fields = (schema.fields ?? []).map(
    (field) =>
      `  /** ${field.doc} */\n  readonly ${field.name}: ${typeOf(field.type, nested, used)}\n`,
  )
  return `${head}export type ${schema.name} = {\n${tag}${fields.join('')}}\n`
}

function symbols(schema: SchemaObject): string {
  return (schema.symbols ?? []).map((s) => `'${s}'`).join(' | ')
}

function typeOf(schema: Schema, nested: string[], used: Used): string {
  if (Array.isArray(schema)) {
    const [none, some] = schema
    if (schema.length !== 2 || none !== 'null' || some === undefined)
      throw new Error('no unions but with null')
    return `${typeOf(some, nested, used)} | null`
  }
  if (typeof schema === 'string') return PRIMITIVES[schema] ?? reference(schema, used)
  if (schema.brand !== undefined && BRANDS.has(schema.brand)) return kernel(schema.brand, used)
  if (schema.logicalType === 'timestamp-micros') return kernel('Instant', used)
  if (schema.type === 'array' && schema.items !== undefined) {
    const item = typeOf(schema.items, nested, used)
    return /[| ]/.test(item) ? `readonly (${item})[]` : `readonly ${item}[]`
  }
  if (schema.type === 'enum') return symbols(schema)
  if (schema.type === 'record' && schema.name !== undefined) {
    nested.push(declaration({ ...schema, name: schema.name }, false, nested, used))
    return schema.name
  }
  return typeOf(schema.type, nested, used)
}

function kernel(name: string, used: Used): string {
  used.kernel.add(name)
  return name
}

function reference(name: string, used: Used): string {
  if (!common.has(name)) throw new Error(`unknown type ${name}`)
  const short = name.slice('countersign.common.'.length)
  used.common.add(short)
  return short
}

/** The schema with each common type written out at its first use, as Avro wants it. */
function inlined(schema: Schema, seen: Set<string>): Schema {
  if (Array.isArray(schema)) return schema.map((branch) => inlined(branch, seen))
  if (typeof schema === 'string') {
    const found = common.get(schema)
    if (found === undefined || seen.has(schema)) return schema
    seen.add(schema)
    return inlined(found, seen)
  }
  const copy: SchemaObject = { ...schema }
  delete copy.doc
  delete copy.brand
  if (copy.fields) {
    copy.fields = copy.fields.map(({ doc: _doc, ...field }) => ({
      ...field,
      type: inlined(field.type, seen),
    }))
  }
  if (copy.items !== undefined) copy.items = inlined(copy.items, seen)
  if (typeof copy.type !== 'string' || common.has(copy.type)) copy.type = inlined(copy.type, seen)
  return copy
}

function schemasFile(): string {
  const entries = topics.flatMap((topic) =>
    schemasIn(topic).map(
      (schema) =>
        `  ${schema.name}: { topic: '${topic}', schema: ${JSON.stringify(inlined(schema, new Set()))} },`,
    ),
  )
  const unions = topics.map((topic) => `${pascal(topic)}Message`)
  const subject = common.get('countersign.common.RequestSubject')
  if (subject === undefined) throw new Error('RequestSubject is missing')
  return [
    '// Generated from schemas/ by libs/contracts/generate.ts; do not edit.\n',
    ...topics.map((topic) => `import type { ${pascal(topic)}Message } from './${topic}.ts'\n`),
    `\n/** Everything that may stand in any topic. */\nexport type AnyMessage =\n${unions.map((u) => `  | ${u}`).join('\n')}\n`,
    `\n/** Each message with the topic that it stands in and its self-contained schema. */\nexport const SCHEMAS = {\n${entries.join('\n')}\n} as const satisfies Record<AnyMessage['type'], { topic: string; schema: unknown }>\n`,
    `\n/** The schema of what a request carries, encrypted. */\nexport const REQUEST_SUBJECT = ${JSON.stringify(inlined(subject, new Set()))} as const\n`,
    `\n/** What each schema was in earlier releases: \`[type, schema]\`. */\nexport const RELEASED: readonly (readonly [string, unknown])[] = ${JSON.stringify(released())}\n`,
  ].join('')
}

/** Schemas of earlier releases that differ from today's, so that old records stay readable. */
function released(): [string, unknown][] {
  const folder = join(SCHEMAS, 'released')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .flatMap((name): [string, unknown][] => {
      const all: Record<string, unknown> = JSON.parse(readFileSync(join(folder, name), 'utf8'))
      return Object.entries(all)
    })
}

function pascal(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
