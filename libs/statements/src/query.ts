import { type Changed, restricts } from './bounds.ts'
import {
  affect,
  assign,
  call,
  type Collector,
  lock,
  reach,
  read,
  renames,
  say,
  shown,
  spend,
  take,
  touch,
  touchRow,
  type Values,
  valuesOf,
  countRange,
  plannedApart,
} from './collector.ts'
import type { RelationRef } from './facts.ts'
import { attributeCallOf, callOf, takesTypeOfOthers } from './functions.ts'
import { BUILTIN_TYPES } from './generated/pg-catalog.ts'
import { namesOfRange, namesOfResult, type Results } from './results.ts'
import {
  children,
  constantOf,
  isTextCast,
  type Node,
  nodeAt,
  nodesAt,
  part,
  textOf,
  type Tree,
  treeOf,
  wordsAt,
} from './tree.ts'

/** The meaning of names at one place of a query. */
export type Scope = {
  /** Names that WITH defined, with the column names of their results. */
  readonly ctes: Results
  readonly level: Level | null
  /** Outside queries, called for each relation that a utility statement names; null inside queries. */
  readonly subject: ((relation: RelationRef) => void) | null
}

/** The FROM of one SELECT, or of another query. */
export type Level = {
  readonly relations: { readonly alias: string; readonly relation: RelationRef }[]
  /**
   * Names of sub-selects, functions and CTEs, with the columns that they have for certain; their reads
   * were noted where they are defined.
   */
  readonly derived: Map<string, ReadonlySet<string>>
  /** Names of whole joins. */
  readonly joins: Set<string>
  /** The column names of the result; ORDER BY and GROUP BY may mean these. */
  readonly outputs: ReadonlySet<string>
  /** The setting that the column `name` stands for in every row, where that is known. */
  setting: string | null
  readonly parent: Level | null
}

/** The scope of a statement that stands alone. */
// bound: as long as one statement; nothing is ever put in here
export const TOP: Scope = { ctes: new Map(), level: null, subject: null }

/** Walks a node and notes everything that running it would do. */
export function visit(to: Collector, node: Node, scope: Scope): void {
  if (RANGES.has(node.kind)) countRange(to)
  const visitor = VISITORS.get(node.kind)
  if (visitor) visitor(to, node.body, scope)
  else visitChildren(to, node, scope)
}

export function visitChildren(to: Collector, node: Node, scope: Scope): void {
  for (const child of children(node)) visit(to, child, scope)
}

/** The relation that a RangeVar names, never a CTE: targets of changes are always relations. */
export function targetOf(to: Collector, range: Tree): RelationRef {
  const schema = textOf(range, 'schemaname')
  return to.names.relation(schema === '' ? null : schema, textOf(range, 'relname'))
}

/** True if the part reads any relation. The part is walked. */
export function readsWhile(to: Collector, walk: () => void): boolean {
  const before = to.reads
  walk()
  return to.reads > before
}

function select(to: Collector, body: Tree, outer: Scope): void {
  const scope = opened(withCtes(to, body, outer))
  visitFields(to, 'SelectStmt', body, scope, (field) => field === 'fromClause')
  if (scope.level !== null) scope.level.setting = settingOf(body, scope.level)
  visitFields(to, 'SelectStmt', body, scope, (field) => !SELECT_APART.has(field))
  visitFields(to, 'SelectStmt', body, ordering(scope, body), (field) => ORDERING.has(field))
  for (const side of ['larg', 'rarg']) {
    const branch = treeOf(body[side])
    if (branch) plannedApart(to, () => select(to, branch, { ...scope, level: outer.level }))
  }
  for (const { body: clause } of nodesAt(body, 'lockingClause')) lockRows(to, clause, scope)
  const into = treeOf(part(body, 'intoClause')['rel'])
  if (into) creates(to, into)
}

/** The setting in `FROM pg_settings WHERE name = 'a setting'`: so pg_dump sets a setting that the server may not have. */
function settingOf(body: Tree, { relations, derived, joins }: Level): string | null {
  const [only, ...others] = relations
  if (only === undefined || others.length + derived.size + joins.size > 0) return null
  if (only.relation.schema !== 'pg_catalog' || only.relation.name !== 'pg_settings') return null
  const where = nodeAt(body, 'whereClause')
  if (where?.kind !== 'A_Expr' || where.body['kind'] !== 'AEXPR_OP') return null
  if (wordsAt(where.body, 'name').join() !== '=' || !isColumnNamed(nodeAt(where.body, 'lexpr')))
    return null
  return constantOf(nodeAt(where.body, 'rexpr'))
}

const isColumnNamed = (node: Node | null): boolean =>
  node?.kind === 'ColumnRef' && wordsAt(node.body, 'fields').join() === 'name'

/** Notes a new table that is filled with the rows of a query. */
export function creates(to: Collector, range: Tree): void {
  const relation = targetOf(to, range)
  affect(to, 'schema-change', relation, `creates ${textOf(range, 'relname')} from a query`)
  say(to, `creates ${shown(relation)} from a query`, 'definition')
  if (to.planOnly) return
  to.movesData = true
  if (isTemporary(range)) {
    to.createsTemporary = true
    affect(to, 'session-change', relation, 'creates a temporary relation')
    hides(to, textOf(range, 'relname'))
  }
}

/** Notes that a temporary relation hides every other relation of its name, and its row type every type of that name. */
export function hides(to: Collector, name: string): void {
  const schema = BUILTIN_TYPES.has(name) ? 'pg_catalog' : to.names.anywhere(name)
  if (schema !== null) renames(to, `would hide ${schema}.${name} behind a temporary relation`)
}

/** True if a relation is temporary: such a one changes the meaning of later texts of the session. */
export const isTemporary = (range: Tree): boolean =>
  range['relpersistence'] === 't' || textOf(range, 'schemaname').startsWith('pg_temp')

function lockRows(to: Collector, clause: Tree, scope: Scope): void {
  const named = new Set(nodesAt(clause, 'lockedRels').map((node) => textOf(node.body, 'relname')))
  for (const { alias, relation } of scope.level?.relations ?? []) {
    if (named.size > 0 && !named.has(alias)) continue
    affect(to, 'write', relation, 'locks the rows that it reads')
    say(to, `locks the rows that it reads of ${shown(relation)}`)
    lock(to, 'ROW SHARE', relation)
  }
  // The rows of a sub-select are locked too.
  if ((scope.level?.derived.size ?? 0) > 0)
    affect(to, 'write', null, 'locks the rows that it reads')
}

function insert(to: Collector, body: Tree, outer: Scope): void {
  const { scope, relation } = changed(to, body, outer, 'write', 'inserts into')
  say(to, `adds rows to ${shown(relation)}${'onConflictClause' in body ? conflict(body) : ''}`)
  visitFields(to, 'InsertStmt', body, scope, (field) => field === 'cols')
  const source = nodeAt(body, 'selectStmt')?.body
  if (source) {
    assigns(to, relation, nodesAt(body, 'cols'))
    const reads = readsWhile(to, () => select(to, source, { ...scope, level: outer.level }))
    if (reads && !to.planOnly) to.movesData = true
  }
  const onConflict = treeOf(body['onConflictClause'])
  if (onConflict) {
    alias(scope, 'excluded', relation)
    // The row `excluded` came with the statement.
    if ('targetList' in onConflict) assigns(to, relation, nodesAt(onConflict, 'targetList'))
    assignments(to, onConflict, { scope, relations: [aliasOf(part(body, 'relation')), 'excluded'] })
    visitFields(to, 'OnConflictClause', onConflict, scope, (field) => field !== 'targetList')
  }
  returning(to, body, scope, relation)
}

/** The clause about rows that are there already. */
const conflict = (body: Tree): string =>
  textOf(part(body, 'onConflictClause'), 'action') === 'ONCONFLICT_UPDATE'
    ? ' and changes those that are there already'
    : ''

function update(to: Collector, body: Tree, outer: Scope): void {
  const { scope, relation } = changed(to, body, outer, 'write', 'updates')
  const isEvery = !restricts(nodeAt(body, 'whereClause'), changedBy(to, body, { relation, scope }))
  if (isEvery) to.unbounded.push({ tag: 'UPDATE', relation })
  say(
    to,
    `changes ${isEvery ? 'every row of' : 'rows of'} ${shown(relation)}${every(isEvery)}`,
    isEvery ? 'loss' : 'none',
  )
  visitFields(to, 'UpdateStmt', body, scope, (field) => field === 'fromClause')
  assigns(to, relation, nodesAt(body, 'targetList'))
  assignments(to, body, { scope, relations: [aliasOf(part(body, 'relation'))] })
  visitFields(to, 'UpdateStmt', body, scope, (field) => field === 'whereClause')
  returning(to, body, scope, relation)
}

function remove(to: Collector, body: Tree, outer: Scope): void {
  const { scope, relation } = changed(to, body, outer, 'delete', 'deletes from')
  const isEvery = !restricts(nodeAt(body, 'whereClause'), changedBy(to, body, { relation, scope }))
  if (isEvery) to.unbounded.push({ tag: 'DELETE', relation })
  say(
    to,
    `deletes ${isEvery ? 'every row of' : 'rows of'} ${shown(relation)}${every(isEvery)}`,
    isEvery ? 'loss' : 'deletion',
  )
  visitFields(to, 'DeleteStmt', body, scope, (field) => field === 'usingClause')
  visitFields(to, 'DeleteStmt', body, scope, (field) => field === 'whereClause')
  returning(to, body, scope, relation)
}

function merge(to: Collector, body: Tree, outer: Scope): void {
  const { scope, relation } = changed(to, body, outer, 'write', 'merges into')
  const isEvery = mergesEvery(body, changedBy(to, body, { relation, scope }))
  if (isEvery) to.unbounded.push({ tag: 'MERGE', relation })
  const does = nodesAt(body, 'mergeWhenClauses').map(
    (when) => MERGED.get(textOf(when.body, 'commandType')) ?? '',
  )
  const verbs = [...new Set(does)].filter((verb) => verb !== '').join(', ')
  const danger = isEvery ? 'loss' : verbs.includes('deletes') ? 'deletion' : 'none'
  say(to, `merges into ${shown(relation)} (${verbs || 'does nothing'})${every(isEvery)}`, danger)
  visitFields(to, 'MergeStmt', body, scope, (field) => field === 'sourceRelation')
  visitFields(to, 'MergeStmt', body, scope, (field) => field === 'joinCondition')
  for (const { body: when } of nodesAt(body, 'mergeWhenClauses')) {
    if (when['commandType'] === 'CMD_DELETE') affect(to, 'delete', relation, 'deletes matched rows')
    if ('targetList' in when || 'values' in when) assigns(to, relation, nodesAt(when, 'targetList'))
    assignments(to, when, { scope, relations: [aliasOf(part(body, 'relation'))] })
    if (mentions(nodesAt(when, 'values')) && !to.planOnly) to.movesData = true
    visitFields(to, 'MergeWhenClause', when, scope, (field) => field !== 'targetList')
  }
  returning(to, body, scope, relation)
}

const every = (isEvery: boolean): string => (isEvery ? ' (no condition: every row)' : '')

const MERGED: ReadonlyMap<string, string> = new Map([
  ['CMD_INSERT', 'adds rows'],
  ['CMD_UPDATE', 'changes rows'],
  ['CMD_DELETE', 'deletes rows'],
])

/** True if MERGE changes or deletes rows that no condition chooses. */
function mergesEvery(body: Tree, target: Changed): boolean {
  const joins = restricts(nodeAt(body, 'joinCondition'), target)
  return nodesAt(body, 'mergeWhenClauses').some(({ body: when }) => {
    if (!CHANGING.has(textOf(when, 'commandType'))) return false
    if (restricts(nodeAt(when, 'condition'), target)) return false
    return textOf(when, 'matchKind') === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE' || !joins
  })
}

const CHANGING: ReadonlySet<string> = new Set(['CMD_UPDATE', 'CMD_DELETE'])

const changedBy = (
  to: Collector,
  body: Tree,
  { relation, scope }: { relation: RelationRef; scope: Scope },
): Changed => ({
  alias: aliasOf(part(body, 'relation')),
  columns: to.names.columnsOf(relation),
  hasOthers: ['fromClause', 'usingClause', 'sourceRelation'].some((field) => field in body),
  copies: ['fromClause', 'usingClause'].flatMap((field) =>
    nodesAt(body, field).flatMap((each) => copyIn(each, part(body, 'relation'), scope)),
  ),
})

/** The alias of a member of FROM that is the changed relation itself, with all its rows, written alike. */
function copyIn({ kind, body }: Node, target: Tree, { ctes }: Scope): string[] {
  const isSame =
    kind === 'RangeVar' &&
    ['schemaname', 'relname'].every((field) => textOf(body, field) === textOf(target, field)) &&
    body['inh'] === target['inh'] &&
    ('schemaname' in body || !ctes.has(textOf(body, 'relname'))) &&
    !('colnames' in part(body, 'alias'))
  return isSame ? [aliasOf(body)] : []
}

function changed(
  to: Collector,
  body: Tree,
  outer: Scope,
  effect: 'write' | 'delete',
  verb: string,
): { scope: Scope; relation: RelationRef } {
  const scope = opened(withCtes(to, body, outer))
  const range = part(body, 'relation')
  const relation = targetOf(to, range)
  affect(to, effect, relation, `${verb} ${textOf(range, 'relname')}`)
  // A rule of this view changes the settings whose rows are updated, whichever they are.
  if (relation.schema === 'pg_catalog' && relation.name === 'pg_settings') {
    affect(to, 'privilege-change', null, 'changes settings through pg_settings')
    renames(to, 'changes settings through pg_settings')
  }
  lock(to, 'ROW EXCLUSIVE', relation)
  alias(scope, aliasOf(range), relation)
  return { scope, relation }
}

/** Notes which columns get a value: all of them where none is named. */
function assigns(to: Collector, relation: RelationRef, targets: readonly Node[]): void {
  if (targets.length === 0) assign(to, relation, '*')
  for (const { body: target } of targets) assign(to, relation, textOf(target, 'name'))
}

function assignments(
  to: Collector,
  body: Tree,
  { scope, relations }: { scope: Scope; relations: readonly string[] },
): void {
  for (const target of nodesAt(body, 'targetList')) {
    const value = nodeAt(target.body, 'val')
    if (!value) continue
    const own = { relations, column: textOf(target.body, 'name') }
    if (mentions([value], own) && !to.planOnly) to.movesData = true
    for (const index of nodesAt(target.body, 'indirection')) visit(to, index, scope)
    const reads = readsWhile(to, () => visit(to, value, scope))
    if (reads && !to.planOnly) to.movesData = true
  }
}

/** True if the expressions read a sub-select or any column but the one that they are for. */
function mentions(
  nodes: readonly Node[],
  own: { readonly relations: readonly string[]; readonly column: string } | null = null,
): boolean {
  return nodes.some((node) => {
    if (node.kind === 'SubLink') return true
    if (node.kind !== 'ColumnRef') return mentions(children(node), own)
    const words = wordsAt(node.body, 'fields')
    const qualifier = words.at(-2)
    if (own === null || words.at(-1) !== own.column) return true
    return qualifier !== undefined && !own.relations.includes(qualifier)
  })
}

/** Notes the columns that a value for a column of each row of a relation is computed from, and that it moves them. */
export function computes(
  to: Collector,
  relation: RelationRef,
  { column, value }: { readonly column: string; readonly value: Node },
): void {
  const scope = opened(TOP)
  alias(scope, relation.name, relation)
  if (mentions([value], { relations: [relation.name], column })) to.movesData = true
  visit(to, value, scope)
}

function returning(to: Collector, body: Tree, scope: Scope, relation: RelationRef): void {
  const clause = treeOf(body['returningClause'])
  if (!clause) return
  read(to, relation)
  for (const name of ['old', 'new']) alias(scope, name, relation)
  for (const option of nodesAt(clause, 'options'))
    alias(scope, textOf(option.body, 'value'), relation)
  visitFields(to, 'ReturningClause', clause, scope, (field) => field === 'exprs')
}

function withCtes(to: Collector, body: Tree, outer: Scope): Scope {
  const clause = treeOf(body['withClause'])
  if (!clause) return { ...outer, subject: null }
  const ctes = nodesAt(clause, 'ctes')
  // bound: as long as one statement
  const names = new Map(outer.ctes)
  const add = (cte: Node): void =>
    void names.set(textOf(cte.body, 'ctename'), namesOfResult(to.names, cte, names))
  if (clause['recursive'] === true) for (const cte of ctes) add(cte)
  for (const cte of ctes) {
    spend(to, names.size)
    // Without RECURSIVE a CTE sees only the earlier ones: its own name is still the table's.
    visitChildren(to, cte, { ctes: new Map(names), level: outer.level, subject: null })
    add(cte)
  }
  return { ctes: names, level: outer.level, subject: null }
}

function rangeVar(to: Collector, body: Tree, scope: Scope): void {
  if (scope.subject) return scope.subject(targetOf(to, body))
  const name = textOf(body, 'relname')
  const cte = 'schemaname' in body ? undefined : scope.ctes.get(name)
  if (cte !== undefined) {
    to.reads++
    scope.level?.derived.set(aliasOf(body), renamedTo(body) ?? cte)
    return
  }
  const relation = targetOf(to, body)
  read(to, relation)
  lock(to, 'ACCESS SHARE', relation)
  alias(scope, aliasOf(body), relation)
  // Renamed columns cannot be followed by name.
  const renamed = renamedTo(body)
  if (renamed === null) return
  touch(to, relation, '*')
  scope.level?.derived.set(aliasOf(body), renamed)
}

/** The new names that an alias gives to columns; null when it gives none. */
function renamedTo(body: Tree): ReadonlySet<string> | null {
  const names = wordsAt(part(body, 'alias'), 'colnames')
  return names.length === 0 ? null : new Set(names)
}

/** Visits an output of a query: only here `x.*` stands for columns, and not for a row. */
function result(to: Collector, body: Tree, scope: Scope): void {
  const value = nodeAt(body, 'val')
  const isColumns =
    value?.kind === 'ColumnRef' &&
    nodesAt(value.body, 'fields').some(({ kind }) => kind === 'A_Star')
  if (isColumns) columnRef(to, value.body, scope, touch)
  else visitChildren(to, { kind: 'ResTarget', body }, scope)
}

/** Notes the reads of `x.*`. */
type Starred = (to: Collector, relation: RelationRef, column: string) => void

function columnRef(to: Collector, body: Tree, scope: Scope, starred: Starred = touchRow): void {
  const star = nodesAt(body, 'fields').some((node) => node.kind === 'A_Star')
  const words = wordsAt(body, 'fields')
  const names = star ? words.slice(0, -1) : words
  const column = star ? '*' : (names.pop() ?? '*')
  const qualifier = names.at(-1)
  noteOrigin(to, scope)
  if (qualifier !== undefined) return qualified(to, { qualifier, column, starred }, scope)
  if (star) {
    spend(to, scope.level?.relations.length ?? 0)
    for (const { relation } of scope.level?.relations ?? []) starred(to, relation, '*')
    return
  }
  let found = SYSTEM_COLUMNS.has(column)
  for (let level = scope.level; level; level = level.parent) {
    spend(to, level.relations.length + 1)
    // The columns of sub-selects, functions and CTEs were noted where they are defined.
    if (level.outputs.has(column) || level.derived.size > 0) found = true
    for (const { alias: name, relation } of level.relations) {
      const columns = to.names.columnsOf(relation)
      if (name === column) touchRow(to, relation)
      if (columns === null || columns.has(column)) touch(to, relation, column)
      if (name === column || columns === null || columns.has(column)) found = true
    }
    if (!level.joins.has(column)) continue
    found = true
    for (const { relation } of level.relations) touch(to, relation, '*')
  }
  if (!found) unknownColumn(to, column, scope)
}

/** Notes a column whose type is not that of a relation in FROM: it has none here, or another part of the text gives it. */
function noteOrigin(to: Collector, scope: Scope): void {
  if (scope.level === null) to.values.ofTarget++
  for (let level = scope.level; level; level = level.parent)
    if (level.derived.size + level.outputs.size > 0) to.values.elsewhere++
}

/** Notes a column that is in no description, of every relation: one of them got it since. */
function unknownColumn(to: Collector, column: string, scope: Scope): void {
  for (let level = scope.level; level; level = level.parent) {
    spend(to, level.relations.length + 1)
    for (const { relation } of level.relations) touch(to, relation, column)
  }
}

function qualified(
  to: Collector,
  {
    qualifier,
    column,
    starred,
  }: { readonly qualifier: string; readonly column: string; readonly starred: Starred },
  scope: Scope,
): void {
  let found = false
  let isColumn = column === '*' || SYSTEM_COLUMNS.has(column)
  for (let level = scope.level; level; level = level.parent) {
    spend(to, level.relations.length + 1)
    const joined = level.joins.has(qualifier)
    for (const { alias: name, relation } of level.relations) {
      if (name !== qualifier && !joined) continue
      found = true
      const known = to.names.columnsOf(relation)?.has(column)
      if (known) isColumn = true
      // A system column, which every table has, shows nothing of the table's own columns.
      if (!joined && known === false && SYSTEM_COLUMNS.has(column)) continue
      if (column === '*' && !joined) starred(to, relation, column)
      // It may be the call column(x) with the row.
      else if (known === false && !joined) touchRow(to, relation)
      else touch(to, relation, joined ? '*' : column)
      const isNew = known === false && !isColumn && !joined && !level.derived.has(qualifier)
      if (isNew) touch(to, relation, column)
    }
    if (level.derived.has(qualifier)) found = true
  }
  if (!found) {
    for (let level = scope.level; level; level = level.parent) {
      spend(to, level.relations.length + 1)
      for (const { relation } of level.relations) touch(to, relation, '*')
    }
  }
  if (column !== '*' && !isColumnOf(to, qualifier, column, scope)) attribute(to, column, null)
}

/** True if everything that the qualifier may mean here has this column for certain. */
function isColumnOf(to: Collector, qualifier: string, column: string, scope: Scope): boolean {
  let found = false
  for (let level = scope.level; level; level = level.parent) {
    spend(to, level.relations.length + 1)
    if (level.joins.has(qualifier)) return false
    const derived = level.derived.get(qualifier)
    if (derived !== undefined) {
      if (!derived.has(column)) return false
      found = true
      continue
    }
    for (const { alias: name, relation } of level.relations) {
      if (name !== qualifier) continue
      if (!SYSTEM_COLUMNS.has(column) && !to.names.hasColumn(relation, column)) return false
      found = true
    }
  }
  return found
}

/**
 * To PostgreSQL `x.f` is the call f(x) when x has no column f (ParseFuncOrColumn): behind a name of FROM, whose whole
 * row is the argument then, and behind any expression in parentheses, whatever its type.
 */
function attribute(to: Collector, name: string, argument: string | null): void {
  if (takesTypeOfOthers(name)) to.buildsOfOthers = true
  const called = attributeCallOf(name, argument, to.names)
  if (called === null) return
  call(to, called)
  if (called.keepsArguments === true && argument === null && !to.planOnly) to.movesData = true
}

/** Visits an expression in parentheses with fields, elements and slices behind it: `(x).f[1].g`. */
function indirection(to: Collector, body: Tree, scope: Scope): void {
  nodesAt(body, 'indirection').forEach(({ kind, body: field }, index) => {
    if (kind !== 'String') return
    attribute(to, textOf(field, 'sval'), index === 0 ? constantOf(nodeAt(body, 'arg')) : null)
  })
  visitChildren(to, { kind: 'A_Indirection', body }, scope)
}

function funcCall(to: Collector, body: Tree, scope: Scope): void {
  const args = nodesAt(body, 'args')
  const values = args.map((arg) =>
    isColumnNamed(arg) ? (scope.level?.setting ?? null) : valueOf(to, arg),
  )
  const path = wordsAt(body, 'funcname')
  const isUnusual =
    body['func_variadic'] === true ||
    body['agg_within_group'] === true ||
    args.some(({ kind }) => kind === 'NamedArgExpr')
  const called = callOf(path, values, to.names, { isPreparation: to.isPreparation, isUnusual })
  call(to, called)
  if (takesTypeOfOthers(path.at(-1) ?? '')) to.buildsOfOthers = true
  const reads = readsWhile(to, () => {
    const given = valuesOf(to, () => args.forEach((arg) => visit(to, arg, scope)))
    overloaded(to, path, { args, given })
    visitFields(to, 'FuncCall', body, scope, (field) => field !== 'funcname' && field !== 'args')
  })
  const moves = called.keepsArguments === true && (reads || mentions(args))
  if (moves && !to.planOnly) to.movesData = true
}

/** Notes that a routine of the target may be chosen instead of PostgreSQL's own, which the arguments decide. */
function overloaded(
  to: Collector,
  path: readonly string[],
  { args, given }: { readonly args: readonly Node[]; readonly given: Values },
): void {
  const [name, schema] = path
  if (name === undefined || schema !== undefined || !to.names.hasRoutine(name)) return
  const { code, plain } = to.names.overloads(name)
  const hasLiteral = args.some(mayBeLiteral)
  const why = `calls ${name}(), which the target has for its own types`
  if (code === 'literals' && hasLiteral) take(to, 'of-target', why)
  else if (code !== 'never') take(to, given, why)
  // A function of an extension is taken at its word, but its result may be of a type of the target.
  if (plain === 'always' || (plain === 'literals' && hasLiteral)) to.values.ofTarget++
}

/** True for an expression without a type of its own: PostgreSQL takes it for whatever a function wants. */
function mayBeLiteral({ kind, body }: Node): boolean {
  if (kind === 'A_Const') return 'sval' in body || 'isnull' in body
  if (kind === 'CollateClause' || kind === 'TypeCast') {
    const arg = nodeAt(body, 'arg')
    const isKept =
      kind === 'CollateClause' || wordsAt(part(body, 'typeName'), 'names').includes('unknown')
    return isKept && arg !== null && mayBeLiteral(arg)
  }
  return kind === 'ParamRef'
}

/** Visits a cast: one of the target is used only where the value is of its source type. */
function typeCast(to: Collector, body: Tree, scope: Scope): void {
  const given = valuesOf(to, () =>
    visitFields(to, 'TypeCast', body, scope, (field) => field !== 'typeName'),
  )
  typeName(to, part(body, 'typeName'), scope, given)
}

/** The argument as far as it is known: a constant, or a parameter whose value came with the message. */
function valueOf(to: Collector, node: Node): string | null {
  if (node.kind === 'ParamRef') return to.parameters[Number(node.body['number'] ?? 0) - 1] ?? null
  // A cast to text keeps the value; a cast to another type converts it on the way.
  if (node.kind === 'TypeCast' && constantOf(node) === null && isTextCast(node)) {
    const arg = nodeAt(node.body, 'arg')
    return arg === null ? null : valueOf(to, arg)
  }
  return constantOf(node)
}

/** Notes a type that is named; where no cast stands around it, its values may come from anywhere in the text. */
function typeName(to: Collector, body: Tree, _: Scope, given: Values = 'elsewhere'): void {
  const words = wordsAt(body, 'names')
  const schema = words.length > 1 ? (words.at(-2) ?? null) : null
  const type = to.names.typeNamed(schema, words.at(-1) ?? '')
  const composed = type.composed || 'arrayBounds' in body
  reach(to, { ...type, composed }, words.join('.'))
  if (type.isCastTo === true)
    take(to, given, `converts to the type ${words.join('.')}, to which casts of the target lead`)
}

/** Visits an array: its elements have a type that only the target knows, unless all are constants or parameters. */
function arrayOf(to: Collector, body: Tree, scope: Scope): void {
  if (mentions(nodesAt(body, 'elements'))) to.buildsOfOthers = true
  visitChildren(to, { kind: 'A_ArrayExpr', body }, scope)
}

function subLink(to: Collector, body: Tree, scope: Scope): void {
  if (body['subLinkType'] === 'ARRAY_SUBLINK') to.buildsOfOthers = true
  const visitIt = (): void => operatorIn('SubLink', 'operName')(to, body, scope)
  // EXISTS, IN and the like may become joins.
  if (APART.has(textOf(body, 'subLinkType'))) plannedApart(to, visitIt)
  else visitIt()
}

const APART: ReadonlySet<string> = new Set(['EXPR_SUBLINK', 'ARRAY_SUBLINK', 'MULTIEXPR_SUBLINK'])

/** An operator is none of pg_catalog's where another schema stands before it, or where the target has one of its sign. */
const operatorIn =
  (kind: string, field: string) =>
  (to: Collector, body: Tree, scope: Scope): void => {
    const words = wordsAt(body, field)
    const isOfTarget =
      words.length > 1 ? words.at(-2) !== 'pg_catalog' : to.names.hasRoutine(words[0] ?? '')
    if (isOfTarget || to.names.castsUnasked(words.at(-1) ?? '')) {
      const name = `operator ${words.join('.')}`
      call(to, { name, harmless: false, effects: ['opaque'], why: `uses the ${name}` })
    }
    // An operator that PostgreSQL does not have may make values of any type of the target.
    if (kind === 'A_Expr' && !SIGNS.has(words.at(-1) ?? '')) to.values.ofTarget++
    visitChildren(to, { kind, body: { ...body, [field]: [] } }, scope)
  }

const derivedIn =
  (kind: string) =>
  (to: Collector, body: Tree, scope: Scope): void => {
    const names = renamedTo(body) ?? namesOfRange(to.names, { kind, body }, scope.ctes)
    scope.level?.derived.set(textOf(part(body, 'alias'), 'aliasname'), names)
    visitChildren(to, { kind, body }, scope)
  }

/** A function in FROM without an alias has its own name. */
function rangeFunction(to: Collector, body: Tree, scope: Scope): void {
  for (const list of nodesAt(body, 'functions'))
    for (const each of nodesAt(list.body, 'items'))
      if (each.kind === 'FuncCall')
        scope.level?.derived.set(wordsAt(each.body, 'funcname').at(-1) ?? '', new Set())
  derivedIn('RangeFunction')(to, body, scope)
}

function join(to: Collector, body: Tree, scope: Scope): void {
  visitFields(to, 'JoinExpr', body, scope, (field) => field === 'larg' || field === 'rarg')
  const renamed = part(body, 'alias')
  if ('aliasname' in renamed) scope.level?.joins.add(textOf(renamed, 'aliasname'))
  if ('aliasname' in part(body, 'join_using_alias'))
    scope.level?.joins.add(textOf(part(body, 'join_using_alias'), 'aliasname'))
  // Columns that are renamed cannot be followed by name, and NATURAL compares whichever have the same name.
  if ('colnames' in renamed || body['isNatural'] === true) {
    spend(to, scope.level?.relations.length ?? 0)
    for (const { relation } of scope.level?.relations ?? []) touch(to, relation, '*')
  }
  for (const name of wordsAt(body, 'usingClause'))
    columnRef(to, { fields: [{ String: { sval: name } }] }, scope)
  visitFields(to, 'JoinExpr', body, scope, (field) => field === 'quals')
}

function sample(to: Collector, body: Tree, scope: Scope): void {
  const method = wordsAt(body, 'method')
  if (method.length !== 1 || !['system', 'bernoulli'].includes(method[0] ?? ''))
    call(to, callOf([...method, 'tablesample'], [], to.names))
  visitChildren(to, { kind: 'RangeTableSample', body: { ...body, method: [] } }, scope)
}

/** In a definition the type of a column makes no value; behind a function in FROM it does. */
function columnDef(to: Collector, body: Tree, scope: Scope): void {
  const isOfQuery = scope.subject === null
  visitFields(to, 'ColumnDef', body, scope, (field) => isOfQuery || field !== 'typeName')
}

/** The grammar takes a word behind an option for the name of a type, as in `fastupdate = off`; no option makes a value of one. */
function option(to: Collector, body: Tree, scope: Scope): void {
  const isWord = nodeAt(body, 'arg')?.kind === 'TypeName'
  visitFields(to, 'DefElem', body, scope, (field) => field !== 'arg' || !isWord)
}

function visitFields(
  to: Collector,
  kind: string,
  body: Tree,
  scope: Scope,
  takes: (field: string) => boolean,
): void {
  const taken = Object.fromEntries(Object.entries(body).filter(([field]) => takes(field)))
  visitChildren(to, { kind, body: taken }, scope)
}

/** The scope of ORDER BY, GROUP BY and DISTINCT: only there a name may be one of the columns of the result. */
function ordering(scope: Scope, body: Tree): Scope {
  const outputs = new Set(nodesAt(body, 'targetList').map(({ body: each }) => textOf(each, 'name')))
  return { ...scope, level: scope.level && { ...scope.level, outputs } }
}

/** The scope of a query that stands alone, with nothing in its FROM yet. */
export const openedBy = (): Scope => opened(TOP)

function opened(scope: Scope): Scope {
  const level: Level = {
    relations: [],
    // bound: as long as one statement
    derived: new Map(),
    // bound: as long as one statement
    joins: new Set(),
    // bound: as long as one statement
    outputs: new Set(),
    setting: null,
    parent: scope.level,
  }
  return { ...scope, level }
}

function alias(scope: Scope, name: string, relation: RelationRef): void {
  scope.level?.relations.push({ alias: name, relation })
}

const aliasOf = (range: Tree): string =>
  textOf(part(range, 'alias'), 'aliasname') || textOf(range, 'relname')

/** The signs of pg_catalog's operators, and the words that the grammar gives for some. */
const SIGNS: ReadonlySet<string> = new Set(
  `+ - * / % ^ |/ ||/ @ & | # ~ << >> = <> != < > <= >= || ~~ !~~ ~~* !~~* ~* !~ !~* ^@ -> ->> #> #>> @> <@ ? ?| ?&
   #- @? @@ @@@ && &< &> <<| |>> &<| |&> -|- <-> ## @-@ ?- ?-| ?|| ~= <^ >^ !! ~<~ ~<=~ ~>=~ ~>~ <<= >>=
   *= *<> *< *> *<= *>=`
    .trim()
    .split(/\s+/)
    .concat('BETWEEN', 'NOT BETWEEN', 'BETWEEN SYMMETRIC', 'NOT BETWEEN SYMMETRIC'),
)

const SELECT_APART: ReadonlySet<string> = new Set([
  ...['fromClause', 'withClause', 'larg', 'rarg', 'lockingClause', 'intoClause'],
  ...['sortClause', 'groupClause', 'distinctClause'],
])

const ORDERING: ReadonlySet<string> = new Set(['sortClause', 'groupClause', 'distinctClause'])

const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  'ctid',
  'xmin',
  'xmax',
  'cmin',
  'cmax',
  'tableoid',
])

type Visitor = (to: Collector, body: Tree, scope: Scope) => void

/** The members of a FROM, whatever joins them. */
const RANGES: ReadonlySet<string> = new Set([
  ...['RangeVar', 'RangeFunction', 'RangeSubselect', 'RangeTableFunc', 'JsonTable'],
])

const VISITORS: ReadonlyMap<string, Visitor> = new Map<string, Visitor>([
  ['SelectStmt', select],
  ['InsertStmt', insert],
  ['UpdateStmt', update],
  ['DeleteStmt', remove],
  ['MergeStmt', merge],
  ['RangeVar', rangeVar],
  ['RangeFunction', rangeFunction],
  ['RangeSubselect', derivedIn('RangeSubselect')],
  ['RangeTableFunc', derivedIn('RangeTableFunc')],
  ['JsonTable', derivedIn('JsonTable')],
  ['RangeTableSample', sample],
  ['JoinExpr', join],
  ['ColumnRef', columnRef],
  ['A_Indirection', indirection],
  ['ColumnDef', columnDef],
  ['FuncCall', funcCall],
  ['TypeName', typeName],
  ['TypeCast', typeCast],
  ['ParamRef', (to) => void to.values.elsewhere++],
  ['A_Expr', operatorIn('A_Expr', 'name')],
  ['SubLink', subLink],
  ['A_ArrayExpr', arrayOf],
  ['ResTarget', result],
  ['SortBy', operatorIn('SortBy', 'useOp')],
  ['DefElem', option],
])
