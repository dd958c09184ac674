import { sha256 } from '@countersign/kernel'
import { recentlyUsed } from './cache.ts'
import { EMPTY_CATALOG, namesOf } from './catalog.ts'
import { callOf } from './functions.ts'
import { decoded, latin1Of, parsed, STATEMENT_BYTES_MAX } from './parser.ts'
import { type Template, templateOf } from './template.ts'
import { constantOf, type Node, nodesAt, textOf, type Tree, treeOf, wordsAt } from './tree.ts'

/** The version of what this package understands; keys of other versions never match. */
export const STATEMENTS_VERSION = '3'

/** The key under which exactly these bytes are covered. */
export function exactKey(sql: Uint8Array | string): string {
  return sha256(`countersign/exact/${STATEMENTS_VERSION}`, SEPARATOR, sql)
}

/**
 * The key of all statements that differ only in harmless literals. Null for what does not parse, and where a bound
 * parameter stands for a value that counts, as in `LIMIT $1` or `set_config($1, …)`.
 */
export function shapeKey(sql: Uint8Array | string): string | null {
  if (sql.length > STATEMENT_BYTES_MAX) return null
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

/** Whether all statements of this template are known to have one shape. */
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

/** Only queries have literals that a shape forgets; every utility statement stays exact. */
function treeShape(statement: unknown): unknown {
  const [kind = ''] = Object.keys(treeOf(statement) ?? {})
  return shaped(statement, QUERIES.has(kind), false)
}

/**
 * The tree without locations. `forgets`: literals are only their type here. `inCondition`: a boolean
 * literal decides what is read or changed, so it stays.
 */
function shaped(value: unknown, forgets: boolean, inCondition: boolean): unknown {
  if (Array.isArray(value)) return value.map((each) => shaped(each, forgets, inCondition))
  const tree = treeOf(value)
  if (tree === null) return value
  const constant = forgets ? treeOf(tree['A_Const']) : null
  if (constant) return literalShape(constant, inCondition)
  // A bound value that would have to stay exact is not in the text, so such a text has no shape.
  if (!forgets && 'ParamRef' in tree) throw new TypeError('a parameter where values count')
  const called = treeOf(tree['FuncCall'])
  const fields = treeOf(tree['A_Indirection'])
  const counts = (called && !isHarmlessCall(called)) || (fields && !areHarmlessFields(fields))
  const inner = forgets && counts !== true
  const out: Record<string, unknown> = {}
  for (const [field, each] of Object.entries(tree)) {
    if (LOCATIONS.has(field)) continue
    const exact = EXACT_FIELDS.has(field)
    out[field] = shaped(each, inner && !exact, inCondition || CONDITIONS.has(field))
  }
  return out
}

function literalShape(constant: Tree, inCondition: boolean): unknown {
  const type = LITERALS.find((each) => each in constant) ?? 'null'
  // NULL and booleans decide, numbers and strings are values.
  if (type === 'boolval' && inCondition)
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

const TEMPLATES = recentlyUsed<string>(10_000, 16 * 1024 * 1024)
const CACHE = recentlyUsed<{ readonly key: string | null }>(10_000, 16 * 1024 * 1024)
