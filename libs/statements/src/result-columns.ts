import { namesOf, type TargetCatalog } from './catalog.ts'
import {
  type Collector,
  forgetColumns,
  isTooComplex,
  newCollector,
  NOTHING_GIVEN,
  takeAwaited,
} from './collector.ts'
import type { TouchedColumn } from './facts.ts'
import { decoded, parsed } from './parser.ts'
import { type Level, openedBy, visit } from './query.ts'
import { children, type Node, nodeAt, nodesAt, part, textOf, type Tree, wordsAt } from './tree.ts'

/** The facts that are known about the result of a message that is one statement. */
export type ResultColumns = {
  /** The columns that each column of the result may be made of, in order; null where that cannot be told. */
  readonly madeOf: readonly (readonly TouchedColumn[] | null)[]
  /** True for each column that only operators and the like make of columns: code elsewhere in the statement gives nothing to it. */
  readonly isApart: readonly boolean[]
  readonly cursor: CursorUse | null
}

/** The use that a message makes of cursors. `commit` ends those that are not held, `clear` may end or replace any. */
export type CursorUse =
  | { readonly name: string; readonly use: 'declare' | 'hold' | 'fetch' | 'close' }
  | { readonly name: null; readonly use: 'commit' | 'clear' }

/**
 * Tells what each column of a result is made of, and which cursor is used. It takes as long as `understand`. Purpose: a statement that only compares a tagged column, in WHERE, shows
 * nothing of it in `count(*)` or in columns made of others. Method: of a plain SELECT over relations, each output alone is
 * walked as `understand` walks a statement. `count`, `exists`, and a sub-select of nothing else, are made of nothing; a set
 * operation is made of what both sides are made of. Known limits, all on the safe side: of a text with many names for its
 * relations no output is told; with `*`, views and WITH, only outputs that read no column are told, and none that calls an unknown function; with sub-selects
 * and functions in FROM, and joins that merge columns, also outputs that name the relation of each column. A plan (EXPLAIN) is made of nothing: conditions and estimates.
 */
export function resultColumns(sql: Uint8Array | string, catalog: TargetCatalog): ResultColumns {
  const text = decoded(sql, Infinity)
  const trees = text.ok ? parsed(text.value) : text
  if (!trees.ok) return NOTHING
  if (trees.value.length !== 1) return { ...NOTHING, cursor: cursorOfAll(trees.value) }
  const [tree] = trees.value
  const node = tree === undefined ? null : nodeAt(tree, 'stmt')
  if (node === null) return NOTHING
  try {
    return ofStatement(node, catalog)
  } catch {
    // A tree that `understand` does not walk either.
    return { ...NOTHING, cursor: cursorOf(node) }
  }
}

function ofStatement(node: Node, catalog: TargetCatalog): ResultColumns {
  const { kind, body } = node
  // The columns of an EXECUTE are asked for with the text of its PREPARE.
  const query = kind === 'SelectStmt' ? node : QUERIED.has(kind) ? nodeAt(body, 'query') : null
  const cursor = cursorOf(node)
  if (query?.kind === 'SelectStmt')
    return { madeOf: madeOf(query.body, catalog), isApart: apart(query.body), cursor }
  return { ...NOTHING, madeOf: kind === 'ExplainStmt' ? [[]] : [], cursor }
}

function cursorOf({ kind, body }: Node): CursorUse | null {
  switch (kind) {
    case 'FetchStmt':
      return { name: textOf(body, 'portalname'), use: 'fetch' }
    case 'TransactionStmt':
      return cursorOfTransaction(body)
    case 'DiscardStmt':
      return CLEAR
    case 'ClosePortalStmt': {
      const name = textOf(body, 'portalname')
      return name === '' ? CLEAR : { name, use: 'close' }
    }
    case 'DeclareCursorStmt': {
      const isHeld = (Number(body['options'] ?? 0) & CURSOR_OPT_HOLD) !== 0
      return { name: textOf(body, 'portalname'), use: isHeld ? 'hold' : 'declare' }
    }
    default:
      return null
  }
}

/** The use of cursors by several statements: it is not known which answer belongs to which, so it may be any use. */
function cursorOfAll(trees: readonly Tree[]): CursorUse | null {
  const any = trees.some((tree) => {
    const node = nodeAt(tree, 'stmt')
    return node === null || cursorOf(node) !== null
  })
  return any ? CLEAR : null
}

/** The use of cursors by a transaction statement: a rollback may take a cursor away, whose name another then gets. */
function cursorOfTransaction(body: Tree): CursorUse | null {
  const kind = textOf(body, 'kind')
  if (kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_PREPARE') return COMMIT
  return kind === 'TRANS_STMT_ROLLBACK' || kind === 'TRANS_STMT_ROLLBACK_TO' ? CLEAR : null
}

/** The columns that each output of a SELECT is made of; empty where all together cost too much. */
export function madeOf(body: Tree, catalog: TargetCatalog): MadeOf {
  const to = newCollector(namesOf(catalog), { ...NOTHING_GIVEN, workMax: WORK_MAX })
  try {
    return outputsOf(body, catalog, to)
  } catch (thrown) {
    if (isTooComplex(thrown)) return []
    throw thrown
  }
}

type MadeOf = (readonly TouchedColumn[] | null)[]

function outputsOf(body: Tree, catalog: TargetCatalog, to: Collector): MadeOf {
  if ('larg' in body) return outputsOfBoth(body, catalog, to)
  const targets = nodesAt(body, 'targetList')
  if (targets.length > OUTPUTS_MAX) return []
  if (targets.some(({ body: each }) => isStar(nodeAt(each, 'val')))) return []
  const names = namesOf(catalog)
  const from = nodesAt(body, 'fromClause')
  const scope = openedBy()
  to.values.ofTarget = 0
  for (const each of from) visit(to, each, scope)
  const ofFrom = to.values.ofTarget
  const { level } = scope
  const isKnown =
    !('withClause' in body) &&
    (level?.relations ?? []).every(({ relation }) => names.below(relation).length === 0)
  const isPlain = isKnown && from.every(isPlainSource)
  const holds = counting(names.hasRoutine('count'))
  return targets.map(({ body: target }) => {
    const value = nodeAt(target, 'val')
    if (value === null) return null
    forgetColumns(to)
    // Values from FROM come to it too.
    to.values.ofTarget = ofFrom
    const reads = { any: false }
    walk(value, { holds, reads, visitNode: (node) => visit(to, node, scope) })
    takeAwaited(to)
    const isTold = isPlain || (isKnown && level !== null && namesRelations(value, level))
    if (to.columnsUnknown || (reads.any && !isTold)) return null
    return [...to.columns.values()]
  })
}

/** The outputs of a SELECT that are made of columns by operators alone. Of a set operation none is told. */
const apart = (body: Tree): readonly boolean[] =>
  nodesAt(body, 'targetList').map(({ body: target }) => {
    const value = nodeAt(target, 'val')
    return value !== null && isOfOperators(value)
  })

const isOfOperators = (node: Node): boolean =>
  OF_OPERATORS.has(node.kind) && children(node).every(isOfOperators)

/** Each output of a set operation shows what the same output of either side shows. */
function outputsOfBoth(body: Tree, catalog: TargetCatalog, to: Collector): MadeOf {
  const [one, other] = [part(body, 'larg'), part(body, 'rarg')]
  // The names that WITH gives count on both sides.
  if ('withClause' in body) return []
  const [left, right] = [outputsOf(one, catalog, to), outputsOf(other, catalog, to)]
  if (left.length !== right.length) return []
  return left.map((columns, index) => {
    const also = right[index] ?? null
    return columns === null || also === null ? null : [...columns, ...also]
  })
}

/** True if each column that is read stands behind the name of a relation of FROM, so that nothing else of FROM can be meant. */
function namesRelations(node: Node, level: Level): boolean {
  if (node.kind === 'SubLink') return false
  if (node.kind !== 'ColumnRef') return children(node).every((each) => namesRelations(each, level))
  const [name = '', ...rest] = wordsAt(node.body, 'fields')
  return (
    rest.length === 1 &&
    level.relations.some(({ alias }) => alias === name) &&
    !level.derived.has(name) &&
    !level.joins.has(name)
  )
}

/** Walks an output, but not what stands inside its counts and EXISTS. */
function walk(node: Node, look: Look): void {
  if (look.holds.is(node)) return
  if (look.holds.below(node) && COMBINING.has(node.kind)) {
    for (const child of children(node)) walk(child, look)
    return
  }
  if (readsAny(node)) look.reads.any = true
  look.visitNode(node)
}

type Look = {
  readonly holds: Counting
  readonly reads: { any: boolean }
  visitNode(node: Node): void
}

/** Finds counts and EXISTS in a tree: each node of it is looked at once, however often it is asked about. */
type Counting = { is(node: Node): boolean; below(node: Node): boolean }

function counting(hasOwnCount: boolean): Counting {
  const known = new WeakMap<Tree, boolean>()
  const counts = new WeakMap<Tree, boolean>()
  const is = (node: Node): boolean => {
    const before = counts.get(node.body)
    if (before !== undefined) return before
    const found = isCount(node, hasOwnCount) || isExists(node) || isOfCounts(node)
    counts.set(node.body, found)
    return found
  }
  // Its outputs may name columns of the query around it, so they may name none.
  const isOfCounts = ({ kind, body }: Node): boolean => {
    if (kind !== 'SubLink' || body['subLinkType'] !== 'EXPR_SUBLINK') return false
    const query = nodeAt(body, 'subselect')
    const outputs = query?.kind === 'SelectStmt' ? nodesAt(query.body, 'targetList') : []
    return outputs.length > 0 && !('larg' in (query?.body ?? {})) && outputs.every(isMadeOfNothing)
  }
  const isMadeOfNothing = (node: Node): boolean =>
    is(node) || (!READING.has(node.kind) && children(node).every(isMadeOfNothing))
  const below = (node: Node): boolean => {
    const before = known.get(node.body)
    if (before !== undefined) return before
    const found = is(node) || children(node).some(below)
    known.set(node.body, found)
    return found
  }
  return { is, below }
}

const readsAny = (node: Node): boolean => READING.has(node.kind) || children(node).some(readsAny)

function isCount({ kind, body }: Node, hasOwnCount: boolean): boolean {
  if (kind !== 'FuncCall') return false
  const words = wordsAt(body, 'funcname')
  if (words.at(-1) !== 'count' || (words.length > 1 && words[0] !== 'pg_catalog')) return false
  // The expression that it counts may call anything; the statement as a whole is unknown then.
  return !hasOwnCount
}

const isExists = ({ kind, body }: Node): boolean =>
  kind === 'SubLink' && body['subLinkType'] === 'EXISTS_SUBLINK'

const isStar = (value: Node | null): boolean =>
  value?.kind === 'ColumnRef'
    ? nodesAt(value.body, 'fields').some(({ kind }) => kind === 'A_Star')
    : value?.kind === 'A_Indirection' &&
      nodesAt(value.body, 'indirection').some(({ kind }) => kind === 'A_Star')

/** A relation with its own column names, or relations that are joined without merging columns. */
function isPlainSource({ kind, body }: Node): boolean {
  if (kind === 'RangeVar') return !('colnames' in part(body, 'alias'))
  if (kind !== 'JoinExpr') return false
  if ('alias' in body || 'usingClause' in body || body['isNatural'] === true) return false
  return ['larg', 'rarg'].every((side) => {
    const source = nodeAt(body, side)
    return source !== null && isPlainSource(source)
  })
}

const CLEAR: CursorUse = { name: null, use: 'clear' }
const COMMIT: CursorUse = { name: null, use: 'commit' }
const NOTHING: ResultColumns = { madeOf: [], isApart: [], cursor: null }
/**
 * Constants, and what makes a value of others by itself. No parameter: that of an EXECUTE is an expression. No cast: a text
 * of a time shows settings, which code may make.
 */
const OF_OPERATORS: ReadonlySet<string> = new Set([
  ...['ColumnRef', 'A_Const', 'Integer', 'Float', 'Boolean', 'String', 'BitString'],
  ...['A_Expr', 'BoolExpr', 'NullTest', 'BooleanTest', 'List'],
  ...['CoalesceExpr', 'MinMaxExpr', 'CaseExpr', 'CaseWhen'],
])
/** Expressions around a count, whose other parts are walked one by one. */
const COMBINING: ReadonlySet<string> = new Set([
  ...['A_Expr', 'BoolExpr', 'TypeCast', 'CoalesceExpr', 'NullTest', 'BooleanTest'],
  ...['CaseExpr', 'CaseWhen', 'FuncCall'],
])
const READING: ReadonlySet<string> = new Set(['ColumnRef', 'SubLink'])
/** Statements of which the field `query` gives the result. */
const QUERIED: ReadonlySet<string> = new Set(['PrepareStmt', 'DeclareCursorStmt'])
/** So many comparisons of names take some 5 ms, and as many columns at most are told. */
const WORK_MAX = 10_000
/** CURSOR_OPT_HOLD of parsenodes.h. */
const CURSOR_OPT_HOLD = 0x20
/** PostgreSQL gives no result more columns (MaxTupleAttributeNumber). */
const OUTPUTS_MAX = 1_664
