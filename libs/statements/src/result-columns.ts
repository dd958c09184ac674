import type { TargetCatalog } from './catalog.ts'
import { type MadeOf, madeOf, madeOfReturning } from './made-of.ts'
import { decoded, parsed } from './parser.ts'
import { children, type Node, nodeAt, nodesAt, textOf, type Tree } from './tree.ts'

/** The facts that are known about the result of a message that is one statement. */
export type ResultColumns = {
  /** The columns that each column of the result may be made of, in order; null where that cannot be told. */
  readonly madeOf: MadeOf
  /** True for each column that only operators and the like make of columns: code elsewhere in the statement gives nothing to it. */
  readonly isApart: readonly boolean[]
  readonly cursor: CursorUse | null
}

/** The use that a message makes of cursors. `commit` ends those that are not held, `clear` may end or replace any. */
export type CursorUse =
  | { readonly name: string; readonly use: 'declare' | 'hold' | 'fetch' | 'close' }
  | { readonly name: null; readonly use: 'commit' | 'clear' }

/**
 * Tells what each column of a result is made of (made-of.ts), and which cursor is used. It takes as long as `understand`. A
 * plan (EXPLAIN) is made of nothing: conditions and estimates.
 */
export function resultColumns(sql: Uint8Array | string, catalog: TargetCatalog): ResultColumns {
  const text = decoded(sql, Infinity)
  const trees = text.ok ? parsed(text.value) : text
  if (!trees.ok) return NOTHING
  const nodes = trees.value.map((tree) => nodeAt(tree, 'stmt'))
  const cursor = cursorOfAll(nodes)
  const [node = null, ...others] = nodes
  try {
    if (others.length > 0) return { ...NOTHING, madeOf: madeOfSeveral(nodes, catalog), cursor }
    return node === null ? NOTHING : ofStatement(node, catalog)
  } catch {
    // A tree that `understand` does not walk either.
    return { ...NOTHING, cursor }
  }
}

/**
 * Of several statements nothing tells which one a row belongs to: each column is made of what the same column of every query
 * among them is made of. Only statements are among them that give no other meaning to names.
 */
function madeOfSeveral(nodes: readonly (Node | null)[], catalog: TargetCatalog): MadeOf {
  const queries: Node[] = []
  // bound: as long as one text
  const declared = new Set<string>()
  for (const node of nodes) {
    const { kind, body } = node ?? NO_STATEMENT
    const name = textOf(body, 'portalname')
    const query =
      kind === 'SelectStmt' ? node : kind === 'DeclareCursorStmt' ? nodeAt(body, 'query') : null
    if (kind === 'DeclareCursorStmt') declared.add(name)
    if (query?.kind === 'SelectStmt' && !('intoClause' in query.body)) queries.push(query)
    // `understand` says that nothing is known of the text where a cursor is used behind its end.
    else if (!BESIDE_QUERIES.has(kind) && !(kind === 'FetchStmt' && declared.has(name))) return []
  }
  const [first, ...others] = queries
  if (first === undefined || queries.length > QUERIES_MAX) return []
  return others.reduce(
    (made, { body }) => inBoth(made, madeOf(body, catalog)),
    madeOf(first.body, catalog),
  )
}

/** The columns that are told of both: behind the end of the shorter one there may be more that are not. */
const inBoth = (one: MadeOf, other: MadeOf): MadeOf =>
  one.slice(0, other.length).map((columns, index) => {
    const also = other[index] ?? null
    return columns === null || also === null ? null : [...columns, ...also]
  })

function ofStatement(node: Node, catalog: TargetCatalog): ResultColumns {
  const { kind, body } = node
  // The columns of an EXECUTE are asked for with the text of its PREPARE.
  const query = kind === 'SelectStmt' ? node : QUERIED.has(kind) ? nodeAt(body, 'query') : null
  const cursor = cursorOf(node)
  if (query?.kind === 'SelectStmt')
    return { madeOf: madeOf(query.body, catalog), isApart: apart(query.body), cursor }
  if (RETURNING.has(kind)) return { ...NOTHING, madeOf: madeOfReturning(node, catalog), cursor }
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

/**
 * The use of cursors by all statements. Of several it is not known which answer belongs to which, so it may be any use, but for
 * a cursor that is declared, and at most read from: it may show what any query of the text shows.
 */
function cursorOfAll(nodes: readonly (Node | null)[]): CursorUse | null {
  const uses = nodes.flatMap((node) => (node === null ? CLEAR : (cursorOf(node) ?? [])))
  const [first = null, ...others] = uses
  if (nodes.length < 2 || first === null) return first
  const isOpened = first.use === 'declare' || first.use === 'hold'
  return isOpened && others.every(({ name, use }) => use === 'fetch' && name === first.name)
    ? first
    : CLEAR
}

/** The use of cursors by a transaction statement: a rollback may take a cursor away, whose name another then gets. */
function cursorOfTransaction(body: Tree): CursorUse | null {
  const kind = textOf(body, 'kind')
  if (kind === 'TRANS_STMT_COMMIT' || kind === 'TRANS_STMT_PREPARE') return COMMIT
  return kind === 'TRANS_STMT_ROLLBACK' || kind === 'TRANS_STMT_ROLLBACK_TO' ? CLEAR : null
}

/** The outputs of a SELECT that are made of columns by operators alone. Of a set operation none is told. */
const apart = (body: Tree): readonly boolean[] =>
  nodesAt(body, 'targetList').map(({ body: target }) => {
    const value = nodeAt(target, 'val')
    return value !== null && isOfOperators(value)
  })

const isOfOperators = (node: Node): boolean =>
  OF_OPERATORS.has(node.kind) && children(node).every(isOfOperators)

const RETURNING: ReadonlySet<string> = new Set([
  ...['InsertStmt', 'UpdateStmt', 'DeleteStmt', 'MergeStmt'],
])
const NO_STATEMENT: Node = { kind: '', body: {} }
/** Statements that show no rows, and give no other meaning to names. */
const BESIDE_QUERIES: ReadonlySet<string> = new Set(['TransactionStmt', 'ClosePortalStmt'])
/** Each of them may take some 5 ms. */
const QUERIES_MAX = 10
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
/** Statements of which the field `query` gives the result. */
const QUERIED: ReadonlySet<string> = new Set(['PrepareStmt', 'DeclareCursorStmt'])
/** CURSOR_OPT_HOLD of parsenodes.h. */
const CURSOR_OPT_HOLD = 0x20
