import type pg from 'pg'
import type {
  Dependency,
  Profile,
  Relation,
  Routine,
  TargetDescribed,
} from '@countersign/contracts'
import { sha256 } from '@countersign/kernel'
import { functionClass, isHarmlessFunction, isMaskedSystemColumn } from '@countersign/statements'
import {
  DEPENDENCIES,
  EXTENT,
  FUNCTIONS,
  RELATIONS,
  ROUTINES,
  RULES,
  SEARCH_PATH,
} from '../core/sql/description-queries.ts'
import { DETAILS, EVENT_TRIGGERS } from '../core/sql/detail-queries.ts'
import { CONVERTED, SYSTEM_COLUMNS, TYPES, UNASKED } from '../core/sql/type-queries.ts'
import { compositeFields } from '../core/composite-fields.ts'
import { describedTypes, type TypeRow } from '../core/plain-types.ts'
import { functionsIn, type Origin, originsIn, systemRelationsIn } from '../core/view-origins.ts'
import { wholeRowsIn } from '../core/whole-rows.ts'

/** The description of a target, without the session that it is for. */
export type Description = Omit<TargetDescribed, 'type' | 'sessionId' | 'at' | 'requestId'>

/** Describes a target. The version stays the same as long as the description does. */
export async function describeTarget(
  client: pg.ClientBase,
  profile: Profile,
): Promise<Description> {
  const relations = await client.query<RelationRow>(RELATIONS)
  const dependencies = await client.query<DependencyRow>(DEPENDENCIES)
  const rules = await client.query<RuleRow>(RULES)
  const functions = await client.query<{ oid: string; builtin: string | null }>(FUNCTIONS)
  const reading = new Set(
    functions.rows.flatMap(({ oid, builtin }) => (builtin === null || mayRead(builtin) ? oid : [])),
  )
  const rulesOf = Map.groupBy(rules.rows, ({ relation }) => relation)
  const origins = new Map([...rulesOf].map(([oid, found]) => [oid, originsOf(found)]))
  const routines = await client.query<RoutineRow>(ROUTINES)
  const converted = await client.query<RoutineRow>(CONVERTED)
  const unasked = await client.query<RoutineRow>(UNASKED)
  const types = await client.query<TypeRow>(TYPES)
  const fieldsOf = compositeFields(types.rows)
  const system = await client.query<SystemColumnRow>(SYSTEM_COLUMNS)
  const details = await client.query<DetailRow>(DETAILS)
  const eventTriggers = await client.query<{ digest: string }>(EVENT_TRIGGERS)
  const settings = await client.query<{ version: string; path: string }>(SEARCH_PATH)
  const [setting] = settings.rows
  const detailsOf = new Map(details.rows.map((row) => [row.relation, row]))
  const below = Map.groupBy(dependencies.rows, ({ view }) => view)
  const content = {
    target: profile.name,
    serverVersion: setting?.version ?? '',
    searchPath: schemasOf(setting?.path ?? ''),
    relations: relations.rows.map((row): Relation => ({
      oid: Number(row.oid),
      schema: row.schema,
      name: row.name,
      kind: KINDS[row.kind] ?? 'table',
      columns: row.columns.map((column) => ({
        ...column,
        origin: origins.get(row.oid)?.get(column.attnum) ?? null,
        fields: fieldsOf(column.typeOid),
      })),
      dependsOn: dependenciesOf(below.get(row.oid) ?? [], rulesOf.get(row.oid) ?? [], reading),
      inherits: row.inherits,
      computed: row.computed,
      digest: detailsOf.get(row.oid)?.digest ?? '',
      reaches: detailsOf.get(row.oid)?.reaches ?? [],
      runsCode: detailsOf.get(row.oid)?.runsCode === true,
    })),
    routines: [...routines.rows, ...converted.rows, ...unasked.rows].map((row): Routine => ({
      ...row,
      oid: Number(row.oid),
      volatility: VOLATILITIES[row.volatility] ?? 'volatile',
    })),
    types: describedTypes(types.rows, isHarmlessFunction),
    systemColumns: system.rows
      .filter((row) => isMaskedSystemColumn(row))
      .map((row) => ({ ...row, relationOid: Number(row.relationOid) })),
    eventTriggers: eventTriggers.rows[0]?.digest ?? '',
  }
  return { ...content, targetVersion: sha256(JSON.stringify(content)) }
}

/** The origins of the columns of a view; of a table with rules there are none. */
function originsOf(rules: readonly RuleRow[]): ReadonlyMap<number, Origin> {
  const made = rules.find(({ isView }) => isView)
  const others = rules.filter(({ isView }) => !isView)
  return originsIn(
    made?.rule ?? '',
    others.map(({ rule }) => rule),
  )
}

/** The columns that a relation reads by what PostgreSQL notes, and the relations that it uses as a whole. */
function dependenciesOf(
  noted: readonly DependencyRow[],
  rules: readonly RuleRow[],
  reading: ReadonlySet<string>,
): readonly Dependency[] {
  const columns = noted.map(({ relation, attnum }) => ({ relationOid: Number(relation), attnum }))
  const known = new Set(
    columns.flatMap(({ relationOid, attnum }) => (attnum === 0 ? relationOid : [])),
  )
  const wholes = wholesOf(rules, reading).filter((relationOid) => !known.has(relationOid))
  return [...columns, ...wholes.map((relationOid) => ({ relationOid, attnum: 0 }))]
}

/**
 * The relations that rules use as a whole, where they show rows; 0 where they call a function that may read any (`reading`).
 * PostgreSQL notes no dependencies on columns of its own tables, since nobody can drop those, so the whole of these counts.
 */
function wholesOf(rules: readonly RuleRow[], reading: ReadonlySet<string>): readonly number[] {
  const found = new Set(
    rules
      .filter(showsRows)
      .flatMap(({ rule }) => [
        ...(functionsIn(rule).some((oid) => reading.has(oid)) ? [0] : []),
        ...systemRelationsIn(rule),
        ...wholeRowsIn(rule),
      ]),
  )
  return [...found].sort((a, b) => a - b)
}

/** True if a rule makes a view, returns what it wrote, or has a SELECT. Any other, such as one for audits, only writes. */
const showsRows = ({ isView, rule }: RuleRow): boolean =>
  isView || rule.includes(' :returningList (') || rule.includes('{QUERY :commandType 1 ')

/**
 * True if a function of PostgreSQL may return what no dependency names. `current_setting` stands in many a view for
 * nothing but the tenant, so it does not count.
 */
function mayRead(name: string): boolean {
  const found = functionClass(name)
  return found === null || (READING.has(found) && name !== 'current_setting')
}

const READING: ReadonlySet<string> = new Set(['values', 'files', 'large-objects', 'runs-code'])

/** A text that differs after most changes of a schema, and that costs little to ask; see `EXTENT`. */
export async function extentOf(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ extent: string }>(EXTENT)
  return rows[0]?.extent ?? ''
}

type RelationRow = {
  oid: string
  schema: string
  name: string
  kind: string
  columns: { attnum: number; name: string; typeOid: number; label: string | null }[]
  inherits: number[]
  computed: { attnum: number; of: number[] }[]
}
type RuleRow = {
  relation: string
  isView: boolean
  rule: string
}
type SystemColumnRow = {
  relationOid: string
  attnum: number
  schema: string
  relation: string
  column: string
}
type DependencyRow = { view: string; relation: string; attnum: number }
type RoutineRow = {
  oid: string
  schema: string
  name: string
  volatility: string
  securityDefiner: boolean
  language: string
  overloads: string
  plain: boolean
  digest: string
}
type DetailRow = { relation: string; digest: string; reaches: number[]; runsCode: boolean }

/** The schemas of a search path without `"$user"`: that is a schema of the session's role, which has none. */
const schemasOf = (path: string): string[] =>
  path
    .split(',')
    .map((part) =>
      part
        .trim()
        .replace(/^"(.*)"$/, '$1')
        .replaceAll('""', '"'),
    )
    .filter((schema) => schema !== '' && schema !== '$user')

const KINDS: Readonly<Record<string, string>> = {
  r: 'table',
  p: 'partitioned-table',
  v: 'view',
  m: 'materialized-view',
  f: 'foreign-table',
  program: 'foreign-program',
  S: 'sequence',
}
const VOLATILITIES: Readonly<Record<string, string>> = {
  i: 'immutable',
  s: 'stable',
  v: 'volatile',
}
