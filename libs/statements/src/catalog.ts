import { CATALOG_RELATIONS } from './generated/pg-catalog.ts'
import type { RelationRef } from './facts.ts'
import { systemColumnsOf } from './system-columns.ts'
import { isSamePath, meantPath, type PathRules } from './search-path.ts'
import { overloadsIn, type Overloading } from './overloads.ts'
import { type CatalogType, type TypeFacts, type Types, typesOf } from './types.ts'

/** The facts that are known about a target. A `TargetDescribed` event has this form. */
export type TargetCatalog = TargetDescription & {
  /** The search_path that is in force. */
  readonly searchPath: readonly string[]
  /** The other paths that a session may have; without it, none. */
  readonly pathRules?: PathRules | undefined
}

/** The facts of a target that are the same on every path. */
export type TargetDescription = {
  readonly relations: readonly CatalogRelation[]
  /** Functions and procedures outside pg_catalog, and the types and operators that call such under another name. */
  readonly routines: readonly CatalogRoutine[]
  /** Types outside pg_catalog; a type that is not among them may run any code. */
  readonly types?: readonly CatalogType[] | undefined
  /** Columns of PostgreSQL's own catalogs that are masked, by the OIDs of this server. */
  readonly systemColumns?: readonly CatalogSystemColumn[] | undefined
}

export type CatalogSystemColumn = {
  readonly relationOid: number
  readonly attnum: number
  readonly schema: string
  readonly relation: string
  readonly column: string
}

export type CatalogRelation = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  readonly columns: readonly {
    readonly attnum: number
    readonly name: string
    readonly typeOid?: number
  }[]
  /** The OIDs of its parents, whose operators take its rows too. */
  readonly inherits?: readonly number[]
  /** The OIDs of the relations that a statement on it reaches without naming them. */
  readonly reaches?: readonly number[]
  /** The columns that a view is made from; attnum 0 stands for the whole relation. */
  readonly dependsOn: readonly { readonly relationOid: number; readonly attnum: number }[]
}

export type CatalogRoutine = {
  readonly oid?: number
  readonly schema: string
  readonly name: string
  readonly volatility: string
  readonly securityDefiner: boolean
  readonly language: string
  /** When it may be chosen instead of a function of PostgreSQL of that name; of a type, when casts of the target lead to it. */
  readonly overloads?: string
  /** It only computes: it is in C and says so. */
  readonly plain?: boolean
}

/** A catalog of which nothing is known: every relation stays unresolved. */
export const EMPTY_CATALOG: TargetCatalog = { searchPath: [], relations: [], routines: [] }

/** Look-ups over one catalog. */
export type Names = {
  relation(schema: string | null, name: string): RelationRef
  /** Null when the catalog does not know the relation. */
  columnsOf(relation: RelationRef): ReadonlySet<string> | null
  /** True if the relation has this column for certain; the catalogs of PostgreSQL are known too. */
  hasColumn(relation: RelationRef, column: string): boolean
  below(
    relation: RelationRef,
  ): readonly { readonly relation: RelationRef; readonly column: string }[]
  /** True if the server runs a program for the rows of the relation, itself or one that it is made of. */
  runsProgram(relation: RelationRef): boolean
  /** True if `name(x)` or `x.name` may call something of the target. */
  hasRoutine(name: string): boolean
  /** When a call by the name of a function of PostgreSQL may call one of the target instead. */
  overloads(name: string): Overloading
  /** True if PostgreSQL applies casts of the target by itself behind this name of its own: of a function or an operator. */
  castsUnasked(name: string): boolean
  /** True if such a call may make a value of a type that may run code. */
  hasConversion(name: string): boolean
  /** The facts about a type; schema null looks along the search path. */
  typeNamed(schema: string | null, name: string): TypeFacts
  typeOf(oid: number): TypeFacts
  /** The facts about the type of a column, of all columns for `*`; null where the relation is not known. */
  typeOfColumn(relation: RelationRef, column: string): TypeFacts | null
  /** The facts about the type of its rows; null where the relation is not known. */
  typeOfRow(relation: RelationRef): TypeFacts | null
  /** The meaning of names along another path, null for an unknown one: the same, another that is allowed, or unknown. */
  under(path: readonly string[] | null): 'same' | 'others' | 'unknown'
  /** True if a session may have a path along which names mean something else. */
  readonly hasOtherPaths: boolean
  /** True if relations of more than one schema of the path have the name. */
  areSeveral(name: string): boolean
  /** The schema of a described relation of that name, on any path that a session may have. */
  anywhere(name: string): string | null
}

/** The look-ups of a catalog, made once per catalog object. */
export function namesOf(catalog: TargetCatalog): Names {
  const known = INDEXES.get(catalog)
  if (known) return known
  const names = indexed(catalog)
  INDEXES.set(catalog, names)
  return names
}

function indexed(catalog: TargetCatalog): Names {
  const { byName, byOid, columns, types, overloads, system, programs } = indexOf(catalog)
  const rules = catalog.pathRules ?? { own: catalog.searchPath, others: [], skipsUser: false }
  // pg_catalog comes first when the path does not name it.
  const path = catalog.searchPath.includes('pg_catalog')
    ? catalog.searchPath
    : ['pg_catalog', ...catalog.searchPath]

  const names: Names = {
    relation(schema, name) {
      for (const candidate of schema === null ? path : [schema]) {
        const found = byName.get(key(candidate, name))
        if (found) return refOf(found)
        if (candidate === 'pg_catalog' && CATALOG_RELATIONS.has(name))
          return { schema: 'pg_catalog', name, oid: null }
      }
      return { schema, name, oid: null }
    },
    columnsOf(relation) {
      if (relation.oid === null) return systemColumnsOf(relation.schema, relation.name)
      const cached = columns.get(relation.oid)
      if (cached) return cached
      const found = byOid.get(relation.oid)
      if (!found) return null
      const set = new Set(found.columns.map((column) => column.name))
      columns.set(relation.oid, set)
      return set
    },
    hasColumn: (relation, column) => names.columnsOf(relation)?.has(column) === true,
    below(relation) {
      const found: { relation: RelationRef; column: string }[] = []
      const seen = new Set<number>()
      const waiting = relation.oid === null ? [] : [relation.oid]
      for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
        if (seen.has(oid)) continue
        seen.add(oid)
        for (const { relationOid, attnum } of byOid.get(oid)?.dependsOn ?? []) {
          const lower = byOid.get(relationOid) ?? system.get(relationOid)
          if (!lower) continue
          const named = lower.columns.find((each) => each.attnum === attnum)?.name
          // Of PostgreSQL's own relations only the masked columns are known here.
          if (named === undefined && attnum !== 0 && !byOid.has(relationOid)) continue
          const column = named ?? '*'
          found.push({ relation: refOf(lower), column })
          waiting.push(relationOid)
        }
      }
      return found
    },
    runsProgram: ({ oid }) => oid !== null && programs.has(oid),
    hasRoutine: (name) => types.calls.has(name),
    overloads: (name) => overloads(name, path[0] === 'pg_catalog'),
    castsUnasked: (name) => types.unasked.has(name),
    hasConversion: (name) => types.conversions.has(name),
    typeNamed: (schema, name) => types.named(schema === null ? path : [schema], name),
    typeOf: types.ofOid,
    typeOfColumn(relation, column) {
      const found = relation.oid === null ? undefined : byOid.get(relation.oid)
      return found === undefined ? null : types.ofColumn(found, column)
    },
    typeOfRow(relation) {
      const found = relation.oid === null ? undefined : byOid.get(relation.oid)
      return found === undefined ? null : types.ofRow(found)
    },
    under(other) {
      const meant = meantPath(other, rules)
      if (meant === null) return 'unknown'
      return isSamePath(meant, catalog.searchPath) ? 'same' : 'others'
    },
    hasOtherPaths: rules.others.length > 0,
    areSeveral: (name) => path.filter((schema) => byName.has(key(schema, name))).length > 1,
    anywhere(name) {
      const own = names.relation(null, name).schema
      if (own !== null || rules.others.length === 0) return own
      return catalog.relations.find((relation) => relation.name === name)?.schema ?? null
    },
  }
  return names
}

/** The look-ups that do not depend on the path, which is most of the work: made once for all paths of a description. */
type Index = {
  readonly of: TargetDescription
  readonly byName: ReadonlyMap<string, CatalogRelation>
  readonly byOid: ReadonlyMap<number, CatalogRelation>
  readonly columns: Map<number, ReadonlySet<string>>
  readonly types: Types
  readonly overloads: ReturnType<typeof overloadsIn>
  readonly system: ReadonlyMap<number, CatalogRelation>
  readonly programs: ReadonlySet<number>
}

function indexOf(catalog: TargetCatalog): Index {
  const known = SHARED.get(catalog.relations)
  if (known !== undefined && isSameDescription(known.of, catalog)) return known
  const index: Index = {
    of: catalog,
    byName: new Map(catalog.relations.map((r) => [key(r.schema, r.name), r])),
    byOid: new Map(catalog.relations.map((r) => [r.oid, r])),
    // bound: one per relation of a target
    columns: new Map(),
    types: typesOf(catalog),
    overloads: overloadsIn(catalog.routines),
    system: systemRelations(catalog.systemColumns ?? []),
    programs: programsIn(catalog.relations),
  }
  SHARED.set(catalog.relations, index)
  return index
}

/** True if two catalogs were made of the same description, by identity; their paths may differ. */
export const isSameDescription = (one: TargetDescription, other: TargetDescription): boolean =>
  one.relations === other.relations &&
  one.routines === other.routines &&
  one.types === other.types &&
  one.systemColumns === other.systemColumns

/**
 * The relations whose rows a program on the server makes: foreign tables (of file_fdw), and those that such are partitions of,
 * that views and rules read, or that policies and cascades lead to. A materialized view keeps its rows, so it runs none.
 */
function programsIn(relations: readonly CatalogRelation[]): ReadonlySet<number> {
  const found = new Set(relations.flatMap(({ kind, oid }) => (kind === PROGRAM_KIND ? oid : [])))
  if (found.size === 0) return found
  // bound: one per relation of a target
  const above = new Map<number, number[]>()
  const leads = (from: number, to: number): void => {
    const known = above.get(to)
    if (known === undefined) above.set(to, [from])
    else known.push(from)
  }
  for (const { oid, kind, inherits = [], dependsOn, reaches = [] } of relations) {
    for (const parent of inherits) leads(parent, oid)
    if (kind !== 'materialized-view')
      for (const { relationOid } of dependsOn) leads(oid, relationOid)
    for (const reached of reaches) leads(oid, reached)
  }
  // A Set gives what is added while it is walked, too.
  for (const oid of found) for (const next of above.get(oid) ?? []) found.add(next)
  return found
}

/** The kind of a foreign table whose rows a program on the server writes. */
const PROGRAM_KIND = 'foreign-program'

/** PostgreSQL's own relations with those of their columns that are masked. */
function systemRelations(
  columns: readonly CatalogSystemColumn[],
): ReadonlyMap<number, CatalogRelation> {
  const byOid = Map.groupBy(columns, ({ relationOid }) => relationOid)
  return new Map(
    [...byOid].flatMap(([oid, [first, ...more]]): [number, CatalogRelation][] => {
      if (first === undefined) return []
      const { schema, relation: name } = first
      const named = [first, ...more].map(({ attnum, column }) => ({ attnum, name: column }))
      return [[oid, { oid, schema, name, kind: 'system', columns: named, dependsOn: [] }]]
    }),
  )
}

const refOf = (relation: CatalogRelation): RelationRef => ({
  schema: relation.schema,
  name: relation.name,
  oid: relation.oid,
})

const key = (schema: string, name: string): string => JSON.stringify([schema, name])

const INDEXES = new WeakMap<TargetCatalog, Names>()
const SHARED = new WeakMap<TargetCatalog['relations'], Index>()
