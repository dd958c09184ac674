import { onlyStatement } from './only-statement.ts'
import { children, type Node, nodeAt, nodesAt, part, type Tree, textOf, wordsAt } from './tree.ts'

/**
 * Finds texts that a target can be asked to parse, to learn whether it could run a statement, before people are asked about
 * it. Parsing (Parse of the extended protocol) looks up every name and type, reads no data, and runs nothing of a
 * statement. What PostgreSQL analyses is its own probe; of a utility statement, which it does not analyse, the relations
 * and columns that it needs are looked for.
 *
 * Known limits, each exercised by a test: several statements in one text are not looked at, since a later one may need what
 * an earlier one makes; of utility statements only those of `RELATIONS` are known, and NAMES_MAX of their relations; names of
 * functions and types in them are not looked for.
 */
export function probesOf(sql: string | null): readonly string[] {
  const node = onlyStatement(sql)
  if (sql === null || node === null) return []
  if (ANALYSED.has(node.kind)) return [sql]
  return [...new Set(RELATIONS[node.kind]?.(node.body))].slice(0, NAMES_MAX)
}

/**
 * The same for a statement that must not be parsed by the target, since it may run code: only whether its functions and
 * types exist at all. An overloaded function exists; PostgreSQL calls its name ambiguous.
 */
export function nameProbesOf(sql: string | null): readonly string[] {
  const node = onlyStatement(sql)
  if (node === null || !ANALYSED.has(node.kind)) return []
  const probes = new Set<string>()
  const below: Node[] = [node]
  for (let next = below.pop(); next !== undefined && probes.size < NAMES_MAX; next = below.pop()) {
    if (next.kind === 'FuncCall') probes.add(named(wordsAt(next.body, 'funcname'), 'regproc'))
    if (next.kind === 'TypeName') probes.add(named(wordsAt(next.body, 'names'), 'regtype'))
    below.push(...children(next))
  }
  return [...probes].filter((probe) => probe !== '')
}

/** A probe for a name; empty for one of PostgreSQL's own, and for none. */
const named = (names: readonly string[], type: 'regproc' | 'regtype'): string =>
  names.length === 0 || names[0] === 'pg_catalog' ? '' : literal(names, type)

/** Statements of which PostgreSQL looks up everything when it parses them. */
const ANALYSED: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'ExplainStmt',
  'CreateTableAsStmt',
  'DeclareCursorStmt',
  'CallStmt',
])

/** The probes of utility statements that fail without the relations that they name. */
const RELATIONS: Readonly<Record<string, (body: Tree) => readonly string[]>> = {
  AlterTableStmt: (body) =>
    isLenient(body) ? [] : shown(part(body, 'relation'), columnsAltered(body)),
  RenameStmt: (body) =>
    isLenient(body) || textOf(body, 'relationType') === 'OBJECT_TYPE'
      ? []
      : shown(
          part(body, 'relation'),
          textOf(body, 'renameType') === 'OBJECT_COLUMN' ? [textOf(body, 'subname')] : [],
        ),
  DropStmt: (body) =>
    isLenient(body) || !DROPPED.has(textOf(body, 'removeType'))
      ? []
      : nodesAt(body, 'objects').map(({ body: list }) => relation(wordsAt(list, 'items'))),
  TruncateStmt: (body) => nodesAt(body, 'relations').flatMap((one) => shown(one.body, [])),
  LockStmt: (body) => nodesAt(body, 'relations').flatMap((one) => shown(one.body, [])),
  IndexStmt: (body) =>
    shown(
      part(body, 'relation'),
      nodesAt(body, 'indexParams').map((one) => textOf(one.body, 'name')),
    ),
  CreateTrigStmt: (body) => shown(part(body, 'relation'), []),
  RefreshMatViewStmt: (body) => shown(part(body, 'relation'), []),
  CopyStmt: (body) => shown(part(body, 'relation'), wordsAt(body, 'attlist')),
  VacuumStmt: (body) =>
    nodesAt(body, 'rels').flatMap(({ body: one }) =>
      shown(part(one, 'relation'), wordsAt(one, 'va_cols')),
    ),
  CommentStmt: (body) => {
    const names = wordsAt(nodeAt(body, 'object')?.body ?? {}, 'items')
    if (textOf(body, 'objtype') === 'OBJECT_TABLE') return [select(names, [])]
    if (textOf(body, 'objtype') !== 'OBJECT_COLUMN') return []
    return [select(names.slice(0, -1), names.slice(-1))]
  },
  GrantStmt: (body) =>
    textOf(body, 'objtype') === 'OBJECT_TABLE' && textOf(body, 'targtype') === 'ACL_TARGET_OBJECT'
      ? nodesAt(body, 'objects').flatMap((one) => shown(one.body, []))
      : [],
}

/** True if the statement says `IF EXISTS`. */
const isLenient = (body: Tree): boolean => body['missing_ok'] === true

/** The columns that must exist already, or the statement fails. */
function columnsAltered(body: Tree): string[] {
  return nodesAt(body, 'cmds').flatMap(({ body: command }) =>
    OF_COLUMNS.has(textOf(command, 'subtype')) && !isLenient(command)
      ? [textOf(command, 'name')]
      : [],
  )
}

/** A probe for a relation of a statement, as a list: without a relation there is none. */
function shown(range: Tree, columns: readonly string[]): readonly string[] {
  const names = [textOf(range, 'schemaname'), textOf(range, 'relname')].filter(Boolean)
  return names.length === 0 ? [] : [select(names, columns.filter(Boolean))]
}

const select = (names: readonly string[], columns: readonly string[]): string =>
  `select ${columns.map(quoted).join(', ')} from ${names.map(quoted).join('.')}`

/** A probe for any relation, also for an index, of which nothing can be selected. */
const relation = (names: readonly string[]): string => literal(names, 'regclass')

/** A literal that no setting of the session can change the meaning of. */
const literal = (names: readonly string[], type: string): string =>
  `select E'${names.map(plain).join('.').replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'::pg_catalog.${type}`

/** The name as people write it, without quotes where it needs none: PostgreSQL repeats it in its answer. */
const plain = (name: string): string => (/^[a-z_][a-z0-9_]*$/.test(name) ? name : quoted(name))

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

const DROPPED: ReadonlySet<string> = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_INDEX',
  'OBJECT_SEQUENCE',
  'OBJECT_FOREIGN_TABLE',
])
const OF_COLUMNS: ReadonlySet<string> = new Set([
  'AT_DropColumn',
  'AT_AlterColumnType',
  'AT_ColumnDefault',
  'AT_DropNotNull',
  'AT_SetNotNull',
  'AT_SetStatistics',
  'AT_SetStorage',
])
/** At most so many names are looked at. */
/** Each probe is a question to the target, and on record. */
const NAMES_MAX = 20
