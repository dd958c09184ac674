import { literal } from './literal.ts'
import { rangeNames } from './needs.ts'
import { type Node, nodeAt, nodesAt, part, type Tree, textOf, wordsAt } from './tree.ts'

/**
 * A fact that stands in the way of a statement at a target: a name that it would make is taken, or an object is of another kind than
 * it says. The query gives a row where that is so, and reads nothing but the catalog.
 */
export type Obstacle = {
  readonly sql: string
  /** The SQLSTATE and the words with which PostgreSQL refuses the statement then. */
  readonly sqlState: string
  readonly message: string
  /** PostgreSQL's hints, by the kind of relation that the row tells. */
  readonly hints: Readonly<Record<string, string>>
}

/**
 * The obstacles that the target is to be asked for, of the kinds of statements that are known here.
 *
 * Known limits: of what is made only a name with a schema is looked for, since the schema of any other depends on the rights of
 * the role that runs it; a relation is not looked for among types, nor a function at all.
 */
export const obstaclesTo = ({ kind, body }: Node): readonly Obstacle[] => KINDS[kind]?.(body) ?? []

const KINDS: Readonly<Record<string, (body: Tree) => readonly Obstacle[]>> = {
  CreateStmt: (body) => newTable(body),
  CreateForeignTableStmt: (body) => newTable(part(body, 'base')),
  CreateSeqStmt: (body) => newRelation(body, part(body, 'sequence')),
  CreateTableAsStmt: (body) => newRelation(body, part(part(body, 'into'), 'rel')),
  ViewStmt(body) {
    const view = part(body, 'view')
    if (body['replace'] !== true) return newRelation(body, view)
    const names = rangeNames(view)
    return isPlaced(view, names)
      ? ofOtherKind(names, ['v'], `${inQuotes(names)} is not a view`)
      : []
  },
  IndexStmt: (body) =>
    newRelation(body, { ...part(body, 'relation'), relname: textOf(body, 'idxname') }),
  CompositeTypeStmt: (body) => newType(rangeNames(part(body, 'typevar'))),
  CreateEnumStmt: (body) => newType(wordsAt(body, 'typeName')),
  CreateDomainStmt: (body) => newType(wordsAt(body, 'domainname')),
  CreateSchemaStmt(body) {
    const name = textOf(body, 'schemaname')
    if (body['if_not_exists'] === true || name === '') return []
    const sql = `select null from pg_catalog.pg_namespace where nspname operator(pg_catalog.=) ${literal(name)}`
    const message = `schema ${inQuotes([name])} already exists`
    return [{ sql, sqlState: '42P06', message, hints: {} }]
  },
  AlterTableStmt: newColumns,
  DropStmt(body) {
    const dropped = DROPPED[textOf(body, 'removeType')]
    if (dropped === undefined || body['missing_ok'] === true) return []
    return nodesAt(body, 'objects').flatMap((one) => {
      const names = wordsAt(one.body, 'items')
      return ofOtherKind(names, dropped.kinds, `${inQuotes(names)} is not ${dropped.is}`, HINTS)
    })
  },
  TruncateStmt: (body) =>
    nodesAt(body, 'relations').flatMap((one) => {
      const names = rangeNames(one.body)
      return ofOtherKind(names, ['r', 'p', 'f'], `${inQuotes(names)} is not a table`)
    }),
  RefreshMatViewStmt(body) {
    const names = rangeNames(part(body, 'relation'))
    const message = `${inQuotes(names)} is not a table or materialized view`
    return ofOtherKind(names, ['r', 'p', 't', 'm'], message)
  },
}

const newTable = (body: Tree): readonly Obstacle[] => [
  ...columnTwice(body),
  ...newRelation(body, part(body, 'relation')),
]

/** A column that the text gives twice, which needs no look at the target. A partition, or a table of a type, only adds to its columns. */
function columnTwice(body: Tree): readonly Obstacle[] {
  if (body['if_not_exists'] === true || 'ofTypename' in body || 'partbound' in body) return []
  const names = nodesAt(body, 'tableElts')
    .filter(({ kind }) => kind === 'ColumnDef')
    .map((one) => textOf(one.body, 'colname'))
  // bound: LOOP_BYTES_MAX
  const seen = new Set<string>()
  const twice = names.find((name) => seen.size === seen.add(name).size)
  if (twice === undefined) return []
  const message = `column ${inQuotes([twice])} specified more than once`
  return [{ sql: 'select null', sqlState: '42701', message, hints: {} }]
}

function newRelation(body: Tree, range: Tree): readonly Obstacle[] {
  const names = rangeNames(range)
  if (body['if_not_exists'] === true || !isPlaced(range, names)) return []
  const sql = `select null from ${RELATIONS} where ${isNamed(names, 'rel')}`
  const message = `relation ${inQuotes(names)} already exists`
  return [{ sql, sqlState: '42P07', message, hints: {} }]
}

/** PostgreSQL gives the type of an array another name, where a type is to have that, and fills a type that is only a name. */
function newType(names: readonly string[]): readonly Obstacle[] {
  if (names.length !== 2 || isTemporary(names)) return []
  const sql = `select null from pg_catalog.pg_type c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.typnamespace
    where ${isNamed(names, 'typ')} and typisdefined and typcategory operator(pg_catalog.<>) 'A'`
  const message = `type ${inQuotes(names)} already exists`
  return [{ sql, sqlState: '42710', message, hints: {} }]
}

function newColumns(body: Tree): readonly Obstacle[] {
  const range = part(body, 'relation')
  const owner = rangeNames(range)
  const commands = nodesAt(body, 'cmds').map((one) => one.body)
  const isLenient = body['missing_ok'] === true || textOf(body, 'objtype') !== 'OBJECT_TABLE'
  // Columns are dropped first, wherever that stands.
  if (isLenient || commands.some((one) => textOf(one, 'subtype') === 'AT_DropColumn')) return []
  return commands.flatMap((command) => {
    const name = textOf(nodeAt(command, 'def')?.body ?? {}, 'colname')
    const isNew = textOf(command, 'subtype') === 'AT_AddColumn' && command['missing_ok'] !== true
    if (!isNew || name === '' || owner.length === 0) return []
    const sql = `select null from pg_catalog.pg_attribute
      where attrelid operator(pg_catalog.=) ${idOf(owner)} and attname operator(pg_catalog.=) ${literal(name)}
      and attnum operator(pg_catalog.>) 0 and not attisdropped`
    const message = `column ${inQuotes([name])} of relation ${inQuotes(owner)} already exists`
    return [{ sql, sqlState: '42701', message, hints: {} }]
  })
}

/** A relation that is there, but of another kind. */
function ofOtherKind(
  names: readonly string[],
  kinds: readonly string[],
  message: string,
  hints: Obstacle['hints'] = {},
): readonly Obstacle[] {
  if (names.length === 0 || names.length > 2) return []
  const sql = `select relkind from pg_catalog.pg_class where oid operator(pg_catalog.=) ${idOf(names)}
    and relkind operator(pg_catalog.<>) all ('{${kinds.join(',')}}'::pg_catalog."char"[])`
  return [{ sql, sqlState: '42809', message, hints }]
}

/** True if it is made in the schema that the statement names. */
const isPlaced = (range: Tree, names: readonly string[]): boolean =>
  names.length === 2 &&
  names.every(Boolean) &&
  !isTemporary(names) &&
  textOf(range, 'relpersistence') !== 't'

const isTemporary = ([schema = '']: readonly string[]): boolean => schema.startsWith('pg_temp')

const RELATIONS =
  'pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace'

const isNamed = ([schema = '', name = '']: readonly string[], prefix: 'rel' | 'typ'): string =>
  `n.nspname operator(pg_catalog.=) ${literal(schema)} and c.${prefix}name operator(pg_catalog.=) ${literal(name)}`

const idOf = (names: readonly string[]): string =>
  `pg_catalog.to_regclass(${literal(names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.'))})`

/** PostgreSQL tells of a relation only its own name. */
const inQuotes = (names: readonly string[]): string => `"${names.at(-1) ?? ''}"`

type Dropped = { readonly kinds: readonly string[]; readonly is: string }
const DROPPED: Readonly<Record<string, Dropped>> = {
  OBJECT_TABLE: { kinds: ['r', 'p'], is: 'a table' },
  OBJECT_VIEW: { kinds: ['v'], is: 'a view' },
  OBJECT_MATVIEW: { kinds: ['m'], is: 'a materialized view' },
  OBJECT_SEQUENCE: { kinds: ['S'], is: 'a sequence' },
  OBJECT_INDEX: { kinds: ['i', 'I'], is: 'an index' },
  OBJECT_FOREIGN_TABLE: { kinds: ['f'], is: 'a foreign table' },
}
const HINTS: Obstacle['hints'] = {
  r: 'Use DROP TABLE to remove a table.',
  p: 'Use DROP TABLE to remove a table.',
  v: 'Use DROP VIEW to remove a view.',
  m: 'Use DROP MATERIALIZED VIEW to remove a materialized view.',
  S: 'Use DROP SEQUENCE to remove a sequence.',
  i: 'Use DROP INDEX to remove an index.',
  I: 'Use DROP INDEX to remove an index.',
  f: 'Use DROP FOREIGN TABLE to remove a foreign table.',
  c: 'Use DROP TYPE to remove a type.',
}
