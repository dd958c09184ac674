import { namesOf, type Names, type TargetCatalog } from './catalog.ts'
import {
  type Collector,
  forgetColumns,
  isTooComplex,
  newCollector,
  NOTHING_GIVEN,
  spend,
  takeAwaited,
} from './collector.ts'
import type { TouchedColumn } from './facts.ts'
import { isHarmlessFunction } from './functions.ts'
import { openedBy, type Scope, TOP, visit } from './query.ts'
import {
  type Made,
  madeSource,
  nameOf,
  type Output,
  outputsSource,
  relationSource,
  renamed,
  type Source,
  together,
  unknownSource,
} from './sources.ts'
import {
  children,
  constantOf,
  type Node,
  nodeAt,
  nodesAt,
  part,
  textOf,
  type Tree,
  treeOf,
  wordsAt,
} from './tree.ts'
import { READING, type ValueFree, valueFree } from './value-free.ts'

/** The columns that each output of a query is made of, in order, up to the first star; null for one that is not told. */
export type MadeOf = readonly (readonly TouchedColumn[] | null)[]

/**
 * Tells what each output of a SELECT is made of; nothing where that costs too much.
 *
 * Purpose: a statement that touches a tagged column shows nothing of it in outputs that are made of others.
 * Method: each output alone is walked as `understand` walks a statement, without the parts that hold no value
 * (value-free.ts). Names of sub-selects and CTEs are followed into them. A value that no relation gives (VALUES,
 * generate_series, a constant or a computed value of a sub-select) tells which of the values that it lists another part of
 * the query chose: where an output shows such a one, it is made of everything that chooses rows, too. So `n` shows nothing
 * of e-mail addresses in `select n, email from t, generate_series(1, 3) n`, but does where a condition compares the two.
 * Known limits, all on the safe side: nothing is told behind a star; what stands behind a view, LATERAL, a recursive or
 * changing WITH, columns that a join merges or renames, or a sub-select in an output beside any of these, is not followed.
 */
export const madeOf = (body: Tree, catalog: TargetCatalog): MadeOf =>
  outputsMadeOf(body, catalog).map((made) => made?.columns ?? null)

/** The same, and of each output if it may be other than a column of a relation as it is. */
export function outputsMadeOf(body: Tree, catalog: TargetCatalog): readonly (Made | null)[] {
  const to = newCollector(namesOf(catalog), { ...NOTHING_GIVEN, workMax: WORK_MAX })
  try {
    return shownBy(to, body, { scope: TOP, ctes: NO_CTES, depth: 0 }).outputs
  } catch (thrown) {
    if (isTooComplex(thrown)) return []
    throw thrown
  }
}

/**
 * The same of RETURNING. What the statement gives to a column comes out of it, so an output that reads any column is made of
 * all that the statement reads beside the other outputs; `merge_action()`, constants and the like are made of nothing.
 */
export function madeOfReturning({ kind, body }: Node, catalog: TargetCatalog): MadeOf {
  const clause = part(body, 'returningClause')
  const targets = nodesAt(clause, 'exprs')
  const star = targets.findIndex(({ body: each }) => isStar(nodeAt(each, 'val')))
  const told = star < 0 ? targets : targets.slice(0, star)
  const to = newCollector(namesOf(catalog), { ...NOTHING_GIVEN, workMax: WORK_MAX })
  const free = valueFree(to.names, () => false)
  const reading = (node: Node): boolean =>
    !free.is(node) && (READING.has(node.kind) || children(node).some(reading))
  try {
    return told.slice(0, RETURNED_MAX).map((target) => {
      forgetColumns(to)
      const exprs = [{ [target.kind]: target.body }]
      const alone = { ...body, returningClause: { ...clause, exprs } }
      visit(to, reading(target) ? { kind, body: alone } : target, TOP)
      takeAwaited(to)
      return to.columnsUnknown ? null : [...to.columns.values()]
    })
  } catch (thrown) {
    if (isTooComplex(thrown)) return []
    throw thrown
  }
}

/** The place of a query: the names that WITH gives it, and how deep it is. */
type Place = {
  readonly scope: Scope
  readonly ctes: ReadonlyMap<string, readonly Output[] | null>
  readonly depth: number
}

/** The outputs as the agent sees them. `isWhole`: no star hides further ones. */
type Shown = { readonly outputs: readonly (Made | null)[]; readonly isWhole: boolean }

function shownBy(to: Collector, body: Tree, place: Place): Shown {
  if ('larg' in body) return shownByBoth(to, body, place)
  const targets = nodesAt(body, 'targetList')
  if (targets.length > OUTPUTS_MAX) return { outputs: [], isWhole: false }
  const at = levelOf(to, body, place)
  const star = targets.findIndex(({ body: each }) => isStar(nodeAt(each, 'val')))
  let conditions: Made | null | undefined
  const outputs = targets.slice(0, star < 0 ? targets.length : star).map(({ body: target }) => {
    const value = nodeAt(target, 'val')
    const made = value === null ? null : madeBy(at, value)
    if (made === null || !made.isGenerated) return made
    if (conditions === undefined) conditions = conditionsOf(at, place)
    return conditions === null ? null : together([made, conditions])
  })
  return { outputs, isWhole: star < 0 }
}

/**
 * Each output of a set operation shows what the same output of either side shows. Whole rows are compared and sorted, so that
 * one which lists values is made of all others, too.
 */
function shownByBoth(to: Collector, body: Tree, place: Place): Shown {
  const inside = placeIn(to, body, place)
  const [left, right] = ['larg', 'rarg'].map((side) => shownBy(to, part(body, side), inside))
  if (left === undefined || right === undefined) return { outputs: [], isWhole: false }
  const isWhole = left.isWhole && right.isWhole
  if (isWhole && left.outputs.length !== right.outputs.length)
    return { outputs: [], isWhole: false }
  const pairs = left.outputs.slice(0, right.outputs.length).map((one, index) => {
    const other = right.outputs[index] ?? null
    return one === null || other === null ? null : together([one, other])
  })
  const listed = pairs.filter((made) => made?.isGenerated === true)
  if (listed.length === 0) return { outputs: pairs, isWhole }
  const all = isWhole ? [...pairs, restOf(to, body, inside)] : [null]
  const compared = all.every((made) => made !== null) ? together(all) : null
  spend(to, listed.length * (compared?.columns.length ?? 0))
  return { outputs: pairs.map((made) => (made?.isGenerated === true ? compared : made)), isWhole }
}

/** The columns that ORDER BY and LIMIT of a set operation read. */
function restOf(to: Collector, body: Tree, { scope }: Place): Made | null {
  forgetColumns(to)
  for (const field of ['sortClause', 'limitCount', 'limitOffset'])
    for (const node of field === 'sortClause' ? nodesAt(body, field) : [nodeAt(body, field)])
      if (node !== null) visit(to, node, scope)
  return to.columnsUnknown ? null : { columns: [...to.columns.values()], isGenerated: false }
}

/** The outputs of a sub-select, by name; null where they are not told. */
function outputsOf(to: Collector, body: Tree, place: Place): readonly Output[] | null {
  if (place.depth > DEPTH_MAX) return null
  if ('larg' in body) return outputsOfBoth(to, body, place)
  if ('valuesLists' in body) return outputsOfValues(to, body, place)
  const targets = nodesAt(body, 'targetList')
  if (targets.length > OUTPUTS_MAX) return null
  const at = levelOf(to, body, place)
  return targets.map(({ body: target }): Output => {
    const value = nodeAt(target, 'val')
    if (value === null) return { name: null, made: null }
    if (isStar(value)) return { all: starOf(at, value) }
    const made = madeBy(at, value)
    const isGenerated = made === null || made.isGenerated || !isColumn(at, value)
    return {
      name: nameOf({ kind: 'ResTarget', body: target }, value),
      made: made && { ...made, isGenerated },
    }
  })
}

function outputsOfBoth(to: Collector, body: Tree, place: Place): readonly Output[] | null {
  const inside = placeIn(to, body, place)
  const left = outputsOf(to, part(body, 'larg'), inside)
  const right = outputsOf(to, part(body, 'rarg'), inside)
  if (left === null || right === null || left.length !== right.length) return null
  const isUnion = body['op'] === 'SETOP_UNION'
  const found: Output[] = []
  for (const [index, one] of left.entries()) {
    const other = right[index]
    if (other === undefined || 'all' in one || 'all' in other) return null
    const both = one.made === null || other.made === null ? null : together([one.made, other.made])
    const isGenerated = !isUnion || both?.isGenerated === true
    found.push({ name: one.name, made: both && { ...both, isGenerated } })
  }
  return found
}

function outputsOfValues(to: Collector, body: Tree, { scope }: Place): readonly Output[] | null {
  forgetColumns(to)
  visit(to, { kind: 'SelectStmt', body }, scope)
  if (to.columnsUnknown) return null
  const made = { columns: [...to.columns.values()], isGenerated: true }
  const [first] = nodesAt(body, 'valuesLists')
  return nodesAt(first?.body ?? {}, 'items').map((_, index) => ({
    name: `column${index + 1}`,
    made,
  }))
}

/** The members of FROM whose columns a star stands for; null where that is not told. */
function starOf({ sources, isRenamed }: Level, { kind, body }: Node): readonly Source[] | null {
  const [alias, ...others] = wordsAt(body, 'fields').slice(0, -1)
  if (kind !== 'ColumnRef' || others.length > 0) return null
  if (alias === undefined) return isRenamed ? null : sources
  const named = sources.filter((source) => source.alias === alias)
  return named.length === 0 ? null : named
}

/** One SELECT: its FROM, and the scope of its names. */
type Level = {
  readonly to: Collector
  readonly body: Tree
  readonly scope: Scope
  readonly sources: readonly Source[]
  /** FROM has relations alone, under their own names. */
  readonly isPlain: boolean
  /** No relation of FROM is a view. */
  readonly isKnown: boolean
  /** A join merges columns, or (`isRenamed`) gives all of them new names. */
  readonly isMerged: boolean
  readonly isRenamed: boolean
  /** The values of types of the target that FROM gives. */
  readonly ofFrom: number
  readonly free: ValueFree
}

function levelOf(to: Collector, body: Tree, place: Place): Level {
  const { scope, ctes, depth } = placeIn(to, body, place)
  const opened = openedBy(to, {}, scope)
  const from = nodesAt(body, 'fromClause')
  to.values.ofTarget = 0
  for (const each of from) visit(to, each, opened)
  const ofFrom = to.values.ofTarget
  const relations = opened.level?.relations ?? []
  const level = {
    ...{ to, body, scope: opened, ofFrom },
    isPlain: from.every((each) => isPlainSource(each, ctes)),
    isKnown: relations.every(({ relation }) => to.names.below(relation).length === 0),
    isMerged: from.some(isMerging),
    isRenamed: from.some(isRenaming),
  }
  const sources: Source[] = []
  const sofar = { ...level, sources, free: NONE_FREE }
  for (const each of from) addSources(sofar, each, { scope, ctes, depth })
  const at: Level = {
    ...level,
    isPlain: level.isPlain && level.isKnown,
    sources,
    free: valueFree(to.names, (node) => isColumn(at, node)),
  }
  return at
}

/** The place inside a query that may have a WITH, which is walked. */
function placeIn(to: Collector, body: Tree, { scope, ctes, depth }: Place): Place {
  const inside = { ...openedBy(to, body, scope), level: null }
  const clause = treeOf(body['withClause'])
  if (clause === null) return { scope: inside, ctes, depth }
  // bound: as long as one statement
  const known = new Map(ctes)
  // bound: as long as one statement
  const names = new Map(scope.ctes)
  // Each sees only those before it: its own name is still the table's. Of a recursive one nothing is told.
  for (const { body: cte } of nodesAt(clause, 'ctes')) {
    const query = clause['recursive'] === true ? null : nodeAt(cte, 'ctequery')
    const before = { ...inside, ctes: new Map(names) }
    const outputs =
      query?.kind === 'SelectStmt'
        ? outputsOf(to, query.body, { scope: before, ctes: new Map(known), depth: depth + 1 })
        : null
    const name = textOf(cte, 'ctename')
    known.set(name, renamed(outputs, wordsAt(cte, 'aliascolnames')))
    names.set(name, inside.ctes.get(name) ?? new Set())
  }
  return { scope: inside, ctes: known, depth }
}

type Growing = Level & { readonly sources: Source[] }

/** Adds the members of FROM that a node of it stands for. */
function addSources(at: Growing, { kind, body }: Node, place: Place): void {
  const { to, sources } = at
  const alias = textOf(part(body, 'alias'), 'aliasname')
  const columnNames = wordsAt(part(body, 'alias'), 'colnames')
  switch (kind) {
    case 'RangeVar': {
      const name = textOf(body, 'relname')
      const schema = textOf(body, 'schemaname')
      const cte = schema === '' ? place.ctes.get(name) : undefined
      const shownAs = alias || name
      if (cte !== undefined) sources.push(outputsSource(to, shownAs, renamed(cte, columnNames)))
      else if (columnNames.length > 0) sources.push(unknownSource(shownAs))
      else {
        const relation = to.names.relation(schema === '' ? null : schema, name)
        sources.push(relationSource(to.names, shownAs, relation))
      }
      return
    }
    case 'JoinExpr':
      for (const side of ['larg', 'rarg']) {
        const source = nodeAt(body, side)
        if (source !== null) addSources(at, source, place)
      }
      return
    case 'RangeSubselect': {
      const query = nodeAt(body, 'subquery')
      if (query?.kind !== 'SelectStmt' || body['lateral'] === true)
        sources.push(unknownSource(alias))
      else {
        const outputs = outputsOf(to, query.body, { ...place, depth: place.depth + 1 })
        sources.push(outputsSource(to, alias, renamed(outputs, columnNames)))
      }
      return
    }
    case 'RangeFunction':
      sources.push(functionSource(at, { kind, body }, alias))
      return
    default:
      sources.push(unknownSource(alias))
  }
}

/** A function in FROM, whose arguments may be columns of what stands before it. */
function functionSource(at: Growing, { body }: Node, alias: string): Source {
  if ('coldeflist' in body) return unknownSource(alias)
  const calls = nodesAt(body, 'functions')
  const made: Made[] = []
  for (const call of calls) {
    const each = madeBy({ ...at, isPlain: false }, call)
    if (each === null) return unknownSource(alias)
    made.push(each)
  }
  const [first] = nodesAt(calls[0]?.body ?? {}, 'items')
  const name = first?.kind === 'FuncCall' ? (wordsAt(first.body, 'funcname').at(-1) ?? '') : ''
  return madeSource(alias || name, together(made).columns)
}

/** The columns that a value is made of. `isGenerated`: one that no relation gives is among them. */
function madeBy(at: Level, value: Node): Made | null {
  const { to, scope, free } = at
  forgetColumns(to)
  // Values from FROM come to it too.
  to.values.ofTarget = at.ofFrom
  const reads = { any: false }
  walk(value, { free, reads, visitNode: (node) => visit(to, node, scope) })
  takeAwaited(to)
  if (to.columnsUnknown) return null
  const own: Made = { columns: [...to.columns.values()], isGenerated: false }
  if (!reads.any || at.isPlain || (at.isKnown && namesRelations(value, at))) return own
  if (!at.isKnown) return null
  const followed = followedFrom(at, value)
  return followed && together([own, followed])
}

/** The columns that names of a value mean. */
function followedFrom(at: Level, value: Node): Made | null {
  // bound: as long as one statement
  const found: Made[] = []
  const follow = (node: Node): boolean => {
    if (at.free.is(node)) return true
    if (node.kind === 'SubLink') return false
    if (node.kind !== 'ColumnRef') return children(node).every(follow)
    const made = columnNamed(at, node)
    if (made !== null) found.push(made)
    return made !== null
  }
  return follow(value) ? together(found) : null
}

function columnNamed(at: Level, { body }: Node): Made | null {
  const words = wordsAt(body, 'fields')
  const [one = '', two] = words
  spend(at.to, at.sources.length)
  if (words.length > 2 || words.length !== nodesAt(body, 'fields').length || isStarred(body))
    return null
  if (two === undefined) return unqualified(at, one)
  const named = at.sources.filter(({ alias }) => alias === one)
  const found = named.map((source) => source.find(two))
  // A name that the source does not have may be the call of a function with its row.
  const told = found.filter((made) => made !== null && made !== undefined)
  return told.length === 0 || told.length < found.length ? null : together(told)
}

function unqualified({ sources, isMerged, isRenamed }: Level, name: string): Made | null {
  if (isRenamed) return null
  const found: Made[] = []
  const ofAnyName: Made[] = []
  for (const source of sources) {
    // The row of a function that gives one value is that value.
    if (source.alias === name && !source.hasAnyName) return null
    const made = source.find(name)
    if (made === null) return null
    if (made !== undefined) (source.hasAnyName ? ofAnyName : found).push(made)
  }
  // Where two have the name, PostgreSQL refuses it, but for columns that a join merges.
  const all = found.length > 0 && !isMerged ? found : [...found, ...ofAnyName]
  return all.length === 0 ? null : together(all)
}

/** True if a node names a column of a relation as it is, and no row. */
function isColumn(at: Level, node: Node): boolean {
  if (node.kind !== 'ColumnRef') return false
  const made = columnNamed(at, node)
  return made !== null && made.columns.length > 0 && !made.isGenerated
}

/**
 * The columns that choose, join, group or sort the rows of a query: all of them but those of outputs, of which those count that
 * ORDER BY, GROUP BY or DISTINCT mean, or that may give several rows.
 */
function conditionsOf(at: Level, { scope }: Place): Made | null {
  const { to, body } = at
  forgetColumns(to)
  to.values.ofTarget = at.ofFrom
  visit(to, { kind: 'SelectStmt', body: { ...body, targetList: [] } }, scope)
  const targets = nodesAt(body, 'targetList')
  const isMeant = meaning(body, targets)
  for (const [index, target] of targets.entries()) {
    const value = nodeAt(target.body, 'val')
    if (isMeant(target, index) || value === null || mayGiveRows(to.names, value))
      visit(to, target, at.scope)
  }
  takeAwaited(to)
  return to.columnsUnknown ? null : { columns: [...to.columns.values()], isGenerated: false }
}

/** Tells the outputs that ORDER BY, GROUP BY and DISTINCT mean, by name or place. */
function meaning(body: Tree, targets: readonly Node[]): (target: Node, index: number) => boolean {
  if ('distinctClause' in body) return () => true
  // bound: as long as one statement
  const names = new Set<string>()
  // bound: as long as one statement
  const places = new Set<string>()
  const look = (node: Node): void => {
    const words = node.kind === 'ColumnRef' ? wordsAt(node.body, 'fields') : []
    if (words.length === 1) names.add(words[0] ?? '')
    const constant = node.kind === 'A_Const' ? constantOf(node) : null
    if (constant !== null) places.add(constant)
    for (const child of children(node)) look(child)
  }
  for (const field of ['sortClause', 'groupClause'])
    for (const node of nodesAt(body, field)) look(node)
  const hasStar = targets.some(({ body: each }) => isStar(nodeAt(each, 'val')))
  return (target, index) => {
    const value = nodeAt(target.body, 'val')
    const name = value === null ? null : nameOf(target, value)
    if (places.size > 0 && (hasStar || places.has(String(index + 1)))) return true
    return name === null ? names.size > 0 : names.has(name)
  }
}

/** True unless a value gives one row for each row of FROM. */
function mayGiveRows(names: Names, node: Node): boolean {
  const { kind, body } = node
  switch (kind) {
    case 'FuncCall': {
      const [name = '', ...schema] = wordsAt(body, 'funcname').reverse()
      const isOwn = schema.length === 0 || schema.join() === 'pg_catalog'
      if (!isOwn || !isHarmlessFunction(name) || GIVING_ROWS.has(name) || names.hasRoutine(name))
        return true
      break
    }
    case 'A_Indirection':
      return true
    case 'ColumnRef': {
      const words = wordsAt(body, 'fields')
      const last = words.at(-1) ?? ''
      return words.length > 1 && (GIVING_ROWS.has(last) || names.hasRoutine(last))
    }
    case 'A_Expr':
      if (names.hasRoutine(wordsAt(body, 'name').at(-1) ?? '')) return true
      break
    case 'SubLink':
      return false
  }
  return children(node).some((child) => mayGiveRows(names, child))
}

/** True if each column that is read stands behind the name of a relation of FROM, so that nothing else of FROM can be meant. */
function namesRelations(node: Node, { scope: { level } }: Level): boolean {
  const isNamed = ({ kind, body }: Node): boolean => {
    if (kind === 'SubLink' || level === null) return false
    if (kind !== 'ColumnRef') return children({ kind, body }).every(isNamed)
    const [name = '', ...rest] = wordsAt(body, 'fields')
    return (
      rest.length === 1 &&
      level.relations.some(({ alias }) => alias === name) &&
      !level.derived.has(name) &&
      !level.joins.has(name)
    )
  }
  return isNamed(node)
}

/** Walks an output, but not the parts of it that hold no value. */
function walk(node: Node, look: Look): void {
  if (look.free.is(node)) return
  if (look.free.below(node) && COMBINING.has(node.kind)) {
    for (const child of children(node)) walk(child, look)
    return
  }
  if (readsAny(node)) look.reads.any = true
  look.visitNode(node)
}

type Look = {
  readonly free: ValueFree
  readonly reads: { any: boolean }
  visitNode(node: Node): void
}

const readsAny = (node: Node): boolean => READING.has(node.kind) || children(node).some(readsAny)

const isStarred = (body: Tree): boolean =>
  nodesAt(body, 'fields').some(({ kind }) => kind === 'A_Star')

const isStar = (value: Node | null): boolean =>
  value?.kind === 'ColumnRef'
    ? isStarred(value.body)
    : value?.kind === 'A_Indirection' &&
      nodesAt(value.body, 'indirection').some(({ kind }) => kind === 'A_Star')

/** A relation with its own column names, or relations that are joined without merging columns. */
function isPlainSource({ kind, body }: Node, ctes: Place['ctes']): boolean {
  if (kind === 'RangeVar')
    return (
      !('colnames' in part(body, 'alias')) &&
      ('schemaname' in body || !ctes.has(textOf(body, 'relname')))
    )
  if (kind !== 'JoinExpr' || 'alias' in body || isMerging({ kind, body })) return false
  return sidesOf(body).every((side) => isPlainSource(side, ctes))
}

const isMerging = ({ kind, body }: Node): boolean =>
  kind === 'JoinExpr' &&
  ('usingClause' in body || body['isNatural'] === true || sidesOf(body).some(isMerging))

const isRenaming = ({ kind, body }: Node): boolean =>
  kind === 'JoinExpr' && ('alias' in body || sidesOf(body).some(isRenaming))

const sidesOf = (body: Tree): Node[] => ['larg', 'rarg'].flatMap((side) => nodeAt(body, side) ?? [])

const NONE_FREE: ValueFree = { is: () => false, below: () => false }
const NO_CTES: Place['ctes'] = new Map()
/** Expressions around a part without a value, whose other parts are walked one by one. */
const COMBINING: ReadonlySet<string> = new Set([
  ...['A_Expr', 'BoolExpr', 'TypeCast', 'CoalesceExpr', 'NullTest', 'BooleanTest'],
  ...['CaseExpr', 'CaseWhen', 'FuncCall'],
])
/** The functions of PostgreSQL 15 to 18 that return sets, among those that are harmless. */
const GIVING_ROWS: ReadonlySet<string> = new Set(
  `aclexplode generate_series generate_subscripts json_array_elements json_array_elements_text json_each json_each_text
   json_object_keys json_populate_recordset json_to_recordset jsonb_array_elements jsonb_array_elements_text jsonb_each
   jsonb_each_text jsonb_object_keys jsonb_path_query jsonb_path_query_tz jsonb_populate_recordset jsonb_to_recordset
   pg_available_extension_versions pg_available_extensions pg_available_wal_summaries pg_config pg_extension_update_paths
   pg_get_aios pg_get_catalog_foreign_keys pg_get_keywords pg_get_loaded_modules pg_get_multixact_members
   pg_get_publication_tables pg_get_replication_slots pg_get_shmem_allocations pg_get_shmem_allocations_numa
   pg_get_wait_events pg_get_wal_resource_managers pg_listening_channels pg_lock_status pg_options_to_table
   pg_partition_ancestors pg_partition_tree pg_prepared_xact pg_show_all_settings pg_show_replication_origin_status
   pg_snapshot_xip pg_stat_get_backend_idset pg_stat_get_backend_io pg_stat_get_io pg_stat_get_progress_info
   pg_stat_get_recovery_prefetch pg_stat_get_slru pg_stat_get_subscription pg_stat_get_wal_senders
   pg_tablespace_databases pg_timezone_abbrevs pg_timezone_abbrevs_abbrevs pg_timezone_abbrevs_zone pg_timezone_names
   pg_wal_summary_contents regexp_matches regexp_split_to_table string_to_table ts_debug ts_parse ts_token_type
   txid_snapshot_xip unnest`
    .trim()
    .split(/\s+/),
)
/** So many comparisons of names take some 5 ms, and as many columns at most are told. */
const WORK_MAX = 10_000
/** Each sub-select is walked once for each query around it. */
const DEPTH_MAX = 8
/** The statement is walked once for each output of RETURNING. */
const RETURNED_MAX = 50
/** PostgreSQL gives no result more columns (MaxTupleAttributeNumber). */
const OUTPUTS_MAX = 1_664
