import type pg from 'pg'
import type { Profile, Relation, Routine, TargetDescribed } from '@countersign/contracts'
import { sha256 } from '@countersign/kernel'
import { isHarmlessFunction, isMaskedSystemColumn } from '@countersign/statements'
import {
  DEPENDENCIES,
  EXTENT,
  RELATIONS,
  ROUTINES,
  SEARCH_PATH,
  VIEW_RULES,
} from '../core/sql/description-queries.ts'

import { CONVERTED, SYSTEM_COLUMNS, TYPES, UNASKED } from '../core/sql/type-queries.ts'
import { describedTypes, type TypeRow } from '../core/plain-types.ts'
import { originsIn, systemRelationsIn } from '../core/view-origins.ts'

/** The description of a target, without the session that it is for. */
export type Description = Omit<TargetDescribed, 'type' | 'sessionId' | 'at' | 'requestId'>

/** Describes a target. The version stays the same as long as the description does. */
export async function describeTarget(
  client: pg.ClientBase,
  profile: Profile,
): Promise<Description> {
  const relations = await client.query<RelationRow>(RELATIONS)
  const dependencies = await client.query<DependencyRow>(DEPENDENCIES)
  const rules = await client.query<{ view: string; rule: string }>(VIEW_RULES)
  const origins = new Map(rules.rows.map(({ view, rule }) => [view, originsIn(rule)]))
  const beneath = new Map(rules.rows.map(({ view, rule }) => [view, systemRelationsIn(rule)]))
  const routines = await client.query<RoutineRow>(ROUTINES)
  const converted = await client.query<RoutineRow>(CONVERTED)
  const unasked = await client.query<RoutineRow>(UNASKED)
  const types = await client.query<TypeRow>(TYPES)
  const system = await client.query<SystemColumnRow>(SYSTEM_COLUMNS)
  const settings = await client.query<{ version: string; path: string }>(SEARCH_PATH)
  const [setting] = settings.rows
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
      })),
      dependsOn: [
        ...(below.get(row.oid) ?? []).map(({ relation, attnum }) => ({
          relationOid: Number(relation),
          attnum,
        })),
        // PostgreSQL notes no dependencies on columns of its own tables, since nobody can drop those.
        ...(beneath.get(row.oid) ?? []).map((relationOid) => ({ relationOid, attnum: 0 })),
      ],
      inherits: row.inherits,
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
  }
  return { ...content, targetVersion: sha256(JSON.stringify(content)) }
}

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
}

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
  S: 'sequence',
}
const VOLATILITIES: Readonly<Record<string, string>> = {
  i: 'immutable',
  s: 'stable',
  v: 'volatile',
}
