import type { CatalogRelation, TargetCatalog } from './catalog.ts'
import { BUILTIN_TYPES, CATALOG_RELATIONS } from './generated/pg-catalog.ts'

/** The code that making a value of a type, or reading one, may run. */
export type TypeFacts = {
  /** Nothing but harmless functions of PostgreSQL runs when a value is made. */
  readonly plain: boolean
  /** A literal beside such a value is read as of this type, already when the statement is prepared. */
  readonly composed: boolean
  /** PostgreSQL applies casts or operators of the target to its values unasked. */
  readonly runsWhenRead: boolean
  /** It is, holds, or may be a type of the target: functions and casts of the target may take its values. */
  readonly isOfTarget?: boolean
  /** Casts of the target lead from its own types to this one of PostgreSQL. */
  readonly isCastTo?: boolean
}

/** A type as a `TargetDescribed` event has it. */
export type CatalogType = TypeFacts & {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
}

/** The one place that says what types do, however a request names or reaches them. */
export type Types = {
  /** Of the first of these schemas that has it. */
  named(schemas: readonly string[], name: string): TypeFacts
  ofOid(oid: number): TypeFacts
  /** Of a column, of all columns for `*`; a column that is not known counts as plain. */
  ofColumn(relation: CatalogRelation, column: string): TypeFacts
  /** Of a whole row as one value. */
  ofRow(relation: CatalogRelation): TypeFacts
  /** Names that call code as functions do: `name(x)`, `x.name`. */
  readonly calls: ReadonlySet<string>
  /** Names of PostgreSQL's own functions, operators and types behind which it applies casts of the target by itself. */
  readonly unasked: ReadonlySet<string>
  /** Those of the calls that are types. */
  readonly conversions: ReadonlySet<string>
}

/**
 * Purpose: to let no type run code that the text does not show: checks of domains, casts and input functions.
 * Method: types of PostgreSQL itself are plain, others where the description says so; row types by their columns. A type that
 * is not known is not plain.
 * Known limit: a relation that is not described yet is taken to have plain columns.
 */
export function typesOf(catalog: TargetCatalog): Types {
  const described = (catalog.types ?? []).map((type) => ({ ...type, isOfTarget: true }))
  const byOid = new Map(described.map((type) => [type.oid, type]))
  const byName = new Map(described.map((type) => [keyOf(type.schema, type.name), type]))
  const relations = new Map(catalog.relations.map((each) => [keyOf(each.schema, each.name), each]))
  const converted = new Map(
    catalog.routines
      .filter(({ schema, language }) => schema === 'pg_catalog' && language === 'type')
      .map(({ name, overloads }) => [name, overloads === 'values' ? CAST_TO : UNKNOWN]),
  )
  // bound: one per relation of a target
  const columns = new Map<CatalogRelation, TypeFacts>()
  // bound: one per relation of a target
  const oids = new Map<CatalogRelation, ReadonlyMap<string, number>>()

  const ofCasts = catalog.routines.filter(({ language }) => language === 'unasked')
  const castUnasked = new Set(ofCasts.map(({ oid }) => oid))

  const ofOid = (oid: number): TypeFacts =>
    oid < FIRST_OF_USERS ? ofPostgres(oid) : (byOid.get(oid) ?? UNKNOWN)
  const ofPostgres = (oid: number): TypeFacts => {
    if (oid === 0) return UNSEEN
    return castUnasked.has(oid) ? CAST_UNASKED : PLAIN
  }
  const ofColumns = (relation: CatalogRelation): TypeFacts => {
    const known = columns.get(relation)
    if (known !== undefined) return known
    const facts = worst(relation.columns.map(({ typeOid }) => ofOid(typeOid ?? 0)))
    columns.set(relation, facts)
    return facts
  }
  const oidOf = (relation: CatalogRelation, column: string): number => {
    const known = oids.get(relation)
    const found = known ?? new Map(relation.columns.map((each) => [each.name, each.typeOid ?? 0]))
    if (known === undefined) oids.set(relation, found)
    return found.get(column) ?? 0
  }
  const parents = new Map(catalog.relations.map((each) => [each.oid, each]))
  // Operators of a table take the rows of those that inherit from it.
  const ofRow = (relation: CatalogRelation): TypeFacts => {
    const found: TypeFacts[] = [ofColumns(relation)]
    const seen = new Set<CatalogRelation>()
    const waiting = [relation]
    for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
      if (seen.has(each)) continue
      seen.add(each)
      // A row type that runs no code of its own is not described.
      const type = byName.get(keyOf(each.schema, each.name))
      if (type !== undefined) found.push(type)
      for (const oid of each.inherits ?? []) {
        const parent = parents.get(oid)
        if (parent !== undefined) waiting.push(parent)
      }
    }
    return { ...worst(found), composed: true, isOfTarget: true }
  }
  const within = (schema: string, name: string): TypeFacts | null => {
    if (schema === 'pg_catalog' && isBuiltin(name)) return converted.get(elementOf(name)) ?? PLAIN
    if (schema === 'information_schema' && OF_INFORMATION_SCHEMA.has(elementOf(name))) return PLAIN
    const type = byName.get(keyOf(schema, name))
    if (type !== undefined) return type
    const relation =
      relations.get(keyOf(schema, name)) ?? relations.get(keyOf(schema, elementOf(name)))
    return relation === undefined ? null : ofRow(relation)
  }
  // An array of rows is a type too, and a call where a text is turned into it.
  const conversions = new Set([
    ...described.filter(({ plain }) => !plain).map(({ name }) => name),
    ...catalog.relations.filter((each) => !ofRow(each).plain).map(({ name }) => `_${name}`),
  ])
  const functions = catalog.routines.filter(
    ({ schema, name, language }) =>
      schema !== 'pg_catalog' &&
      (language !== 'type' || byName.get(keyOf(schema, name))?.plain !== true),
  )
  return {
    named(schemas, name) {
      for (const candidate of schemas) {
        const found = within(candidate, name)
        if (found !== null) return found
      }
      return UNKNOWN
    },
    ofOid,
    ofColumn: (relation, column) =>
      column === '*' ? ofColumns(relation) : ofOid(oidOf(relation, column)),
    ofRow,
    calls: new Set([...functions.map(({ name }) => name), ...conversions]),
    conversions,
    unasked: new Set(ofCasts.map(({ name }) => name)),
  }
}

/** The facts about all of them together. */
const worst = (all: readonly TypeFacts[]): TypeFacts => ({
  plain: all.every(({ plain }) => plain),
  composed: all.some(({ plain, composed }) => !plain && composed),
  runsWhenRead: all.some(({ runsWhenRead }) => runsWhenRead),
  isOfTarget: all.some(({ isOfTarget }) => isOfTarget === true),
})

const isBuiltin = (name: string): boolean =>
  BUILTIN_TYPES.has(elementOf(name)) || CATALOG_RELATIONS.has(elementOf(name))

/** Arrays have the name of their element behind an underscore. */
const elementOf = (name: string): string => (name.startsWith('_') ? name.slice(1) : name)

const keyOf = (schema: string, name: string): string => JSON.stringify([schema, name])

const PLAIN: TypeFacts = { plain: true, composed: false, runsWhenRead: false }
const UNKNOWN: TypeFacts = { plain: false, composed: true, runsWhenRead: false, isOfTarget: true }
/** Of a column that is not described. */
const UNSEEN: TypeFacts = { ...PLAIN, isOfTarget: true }
const CAST_UNASKED: TypeFacts = { ...PLAIN, runsWhenRead: true }
const CAST_TO: TypeFacts = { ...PLAIN, isCastTo: true }
/** Types that PostgreSQL itself made have smaller OIDs (FirstNormalObjectId). */
const FIRST_OF_USERS = 16_384
/** Domains with checks that only compare. */
const OF_INFORMATION_SCHEMA: ReadonlySet<string> = new Set([
  ...['cardinal_number', 'character_data', 'sql_identifier', 'time_stamp', 'yes_or_no'],
])
