import { sha256 } from '@countersign/kernel'
import { recentlyUsed } from './cache.ts'
import { EMPTY_CATALOG, namesOf } from './catalog.ts'
import { callOf } from './functions.ts'
import { decoded, latin1Of, LOOP_BYTES_MAX, parsed } from './parser.ts'
import { type Template, templateOf } from './template.ts'
import { constantOf, type Node, nodesAt, textOf, type Tree, treeOf, wordsAt } from './tree.ts'

/** The version of the rules of this package; keys of other versions never match. */
export const STATEMENTS_VERSION = '5'

/** The key under which exactly these bytes are covered. */
export function exactKey(sql: Uint8Array | string): string {
  return sha256(`countersign/exact/${STATEMENTS_VERSION}`, SEPARATOR, sql)
}

/**
 * The key of all statements that differ only in harmless literals. Null for a text that is too long or does not parse,
 * and where a bound parameter stands for a value that counts, as in `LIMIT $1` or `set_config($1, …)`.
 */
export function shapeKey(sql: Uint8Array | string): string | null {
  // The proxy asks this on the event loop of all its sessions, so that long texts have no shape.
  if (sql.length > LOOP_BYTES_MAX) return null
  // One letter keeps bytes and texts apart; latin1 is the cheapest faithful text of bytes.
  const entry = typeof sql === 'string' ? `t${sql}` : `b${latin1Of(sql)}`
  const cached = CACHE.get(entry)
  if (cached !== undefined) return cached.key
  const template = templateOf(entry.slice(1))
  const known = template === null ? undefined : TEMPLATES.get(template.text)
  if (known !== undefined) return known
  const key = freshShapeKey(sql)
  CACHE.set(entry, { key })
  if (key !== null && template?.probes.every((probe) => freshShapeKey(probe) === key) === true)
    TEMPLATES.set(template.text, key)
  return key
}

/** True if all statements of this template are known to have one shape. */
export const hasOneShape = (template: Template): boolean =>
  TEMPLATES.get(template.text) !== undefined

/** The shape key by the grammar alone. */
export function freshShapeKey(sql: Uint8Array | string): string | null {
  const text = decoded(sql)
  return text.ok ? shapeOf(text.value) : null
}

function shapeOf(text: string): string | null {
  const trees = parsed(text)
  if (!trees.ok) return null
  try {
    const shape = trees.value.map((tree) => treeShape(tree['stmt']))
    return sha256(`countersign/shape/${STATEMENTS_VERSION}`, SEPARATOR, JSON.stringify(shape))
  } catch (thrown) {
    if (thrown instanceof RangeError || thrown instanceof TypeError) return null
    throw thrown
  }
}

/**
 * The treatment of literals: forgotten but for their type; kept; or exact, where a bound value would count as well and
 * is not in the text, so that a text with a parameter there has no shape.
 */
type Literals = 'forgotten' | 'kept' | 'exact'

/** Only queries have literals that a shape forgets; every utility statement stays exact. */
function treeShape(statement: unknown): unknown {
  const [kind = ''] = Object.keys(treeOf(statement) ?? {})
  return shaped(statement, QUERIES.has(kind) ? 'forgotten' : 'exact', false)
}

/** The tree without locations. `decides`: it stands where a truth value says which rows are read or changed. */
function shaped(value: unknown, literals: Literals, decides: boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => shaped(each, literals, decides))
  const tree = treeOf(value)
  if (tree === null) return value
  const constant = literals === 'forgotten' ? treeOf(tree['A_Const']) : null
  if (constant) return literalShape(constant)
  const inner = literals === 'forgotten' ? literalsIn(tree, decides) : literals
  if (inner === 'exact' && 'ParamRef' in tree) throw new TypeError('a parameter where values count')
  const out: Record<string, unknown> = {}
  for (const [field, each] of Object.entries(tree)) {
    if (LOCATIONS.has(field)) continue
    const below = EXACT_FIELDS.has(field) ? 'exact' : inner
    out[field] = shaped(each, below, CONDITIONS.has(field) || (decides && PASSED_ON.has(field)))
  }
  return out
}

/**
 * The treatment of the literals in a node, where they are forgotten otherwise. A condition of constants alone is true or
 * false for every row, so it stays. Limit: of a comparison of bound values alone, as in `$1 IS NULL OR id = $1`, only
 * the literals stay; the key covers values for which it is true and values for which it is not, as with all others.
 */
function literalsIn(tree: Tree, decides: boolean): Literals {
  const called = treeOf(tree['FuncCall'])
  if (called && !isHarmlessCall(called)) return 'exact'
  const fields = treeOf(tree['A_Indirection'])
  if (fields && !areHarmlessFields(fields)) return 'exact'
  if ('RangeTableSample' in tree) return 'exact'
  const cast = treeOf(tree['TypeCast'])
  if (cast && isBoolean(cast)) return decides && !reads(tree) ? 'exact' : 'kept'
  const compared = treeOf(tree['A_Expr'])
  if (compared && (decides || !COMPUTING.has(wordsAt(compared, 'name').at(-1) ?? '')))
    return reads(tree) ? 'forgotten' : 'kept'
  if (!decides || 'BoolExpr' in tree || 'NullTest' in tree) return 'forgotten'
  return isNode(tree) && !reads(tree) ? 'exact' : 'forgotten'
}

/** True if a node may have another value for every row. */
function reads(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(reads)
  const tree = treeOf(value)
  if (tree === null) return false
  if ('ColumnRef' in tree || 'SubLink' in tree || 'CurrentOfExpr' in tree) return true
  return Object.values(tree).some(reads)
}

const isNode = (tree: Tree): boolean => /^[A-Z]/.test(Object.keys(tree)[0] ?? '')

function isBoolean(cast: Tree): boolean {
  const words = wordsAt(treeOf(cast['typeName']) ?? {}, 'names')
  return words.at(-1) === 'bool' && (words.length === 1 || words.at(-2) === 'pg_catalog')
}

function literalShape(constant: Tree): unknown {
  const type = LITERALS.find((each) => each in constant) ?? 'null'
  // NULL and booleans decide, wherever they come from; numbers and strings are values.
  if (type === 'boolval')
    return ['literal', type, treeOf(constant['boolval'])?.['boolval'] === true]
  return ['literal', type]
}

function isHarmlessCall(body: Tree): boolean {
  const args = nodesAt(body, 'args').map((each: Node) => constantOf(each))
  return (
    callOf(wordsAt(body, 'funcname'), args, NO_NAMES).harmless &&
    !SETTING_READERS.has(wordsAt(body, 'funcname').at(-1) ?? '')
  )
}

/** `(42).f` is the call f(42), or a field; whether the target has such a function is not known here. */
const areHarmlessFields = (body: Tree): boolean =>
  nodesAt(body, 'indirection').every(
    ({ kind, body: field }) =>
      kind !== 'String' || callOf([textOf(field, 'sval')], [], NO_NAMES).harmless,
  )

/** Harmless with a plain argument only, so the argument stays. */
const SETTING_READERS: ReadonlySet<string> = new Set(['current_setting'])
const NO_NAMES = namesOf(EMPTY_CATALOG)
const SEPARATOR = '\n'
const QUERIES: ReadonlySet<string> = new Set([
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
])
const LITERALS = ['ival', 'fval', 'sval', 'bsval', 'boolval'] as const
const LOCATIONS: ReadonlySet<string> = new Set([
  'location',
  'stmt_location',
  'stmt_len',
  'list_start',
  'list_end',
  'name_location',
])
/** ORDER BY 1 and GROUP BY 1 name columns; type modifiers, type names and JSON paths are no values. */
const EXACT_FIELDS: ReadonlySet<string> = new Set([
  ...['limitCount', 'limitOffset', 'sortClause', 'groupClause', 'distinctClause', 'typeName'],
  ...['typmods', 'pathspec', 'repeatable', 'startOffset', 'endOffset'],
])
const CONDITIONS: ReadonlySet<string> = new Set([
  ...['whereClause', 'havingClause', 'quals', 'joinCondition', 'condition', 'agg_filter'],
])
/** The nodes and fields between a condition and the parts of its AND, OR and NOT. */
const PASSED_ON: ReadonlySet<string> = new Set(['BoolExpr', 'args'])
/** Operators that compute a value; every other one may compare. */
const COMPUTING: ReadonlySet<string> = new Set(['+', '-', '*', '/', '%', '||'])

const TEMPLATES = recentlyUsed<string>(10_000, 16 * 1024 * 1024)
const CACHE = recentlyUsed<{ readonly key: string | null }>(10_000, 16 * 1024 * 1024)
