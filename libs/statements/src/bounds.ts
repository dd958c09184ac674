import { type Node, nodeAt, nodesAt, textOf, type Tree, treeOf, wordsAt } from './tree.ts'

/** The relation that a statement changes, as its conditions may call it. */
export type Changed = {
  /** Its alias, or its name where it has none. */
  readonly alias: string
  /** Null where they are not known. */
  readonly columns: ReadonlySet<string> | null
  /** True if other relations stand beside it, as in UPDATE … FROM and DELETE … USING. */
  readonly hasOthers: boolean
}

/**
 * True if a condition restricts which rows of the relation are changed.
 *
 * Purpose: to say "every row" of `delete from t where true` as of `delete from t`, and of all that has the same effect.
 * Method: a condition restricts when it looks at a column of the relation and is not true for every value: AND needs one
 * that restricts, OR needs all, and no two of them that complete each other (`a is null or a is not null`, `a < 1 or
 * a >= 1`); a value compared with itself and `like '%'` restrict nothing.
 * Known limits, each in a test: a condition that only the data decide (`id > 0`, `id is not null`, `id in (select id from
 * t)`) counts as a restriction, and so does a CASE or a function of a column whatever it gives.
 */
export function restricts(condition: Node | null, changed: Changed): boolean {
  return condition !== null && holds(condition, changed, false)
}

function holds(node: Node, changed: Changed, isNegated: boolean): boolean {
  const { kind, body } = node
  switch (kind) {
    case 'BoolExpr': {
      const args = nodesAt(body, 'args')
      const operator = textOf(body, 'boolop')
      if (operator === 'NOT_EXPR') return args.every((arg) => holds(arg, changed, !isNegated))
      if ((operator === 'AND_EXPR') !== isNegated)
        return args.some((arg) => holds(arg, changed, isNegated))
      return args.every((arg) => holds(arg, changed, isNegated)) && !complete(args, isNegated)
    }
    case 'SubLink':
      return isRestrictingSubLink(body, changed)
    case 'CurrentOfExpr':
      return true
    case 'A_Expr': {
      const operator = wordsAt(body, 'name').at(-1) ?? ''
      const [left, right] = [nodeAt(body, 'lexpr'), nodeAt(body, 'rexpr')]
      const isSame = left !== null && right !== null && keyOf(left) === keyOf(right)
      if (isSame && !isNegated && REFLEXIVE.has(operator)) return false
      if (isSame && isNegated && IRREFLEXIVE.has(operator)) return false
      if (LIKE.has(operator) && !isNegated && isAnything(right)) return false
      return mentions(node, changed)
    }
    case 'CaseExpr': {
      const results = [
        ...nodesAt(body, 'args').map((when) => nodeAt(when.body, 'result')),
        nodeAt(body, 'defresult'),
      ]
      const constant = isNegated ? false : true
      if (results.every((result) => result !== null && isBoolean(result, constant))) return false
      return mentions(node, changed)
    }
    default:
      return mentions(node, changed)
  }
}

/** EXISTS restricts when its sub-select names the relation; IN and the like when their left side reads a column of it. */
function isRestrictingSubLink(body: Tree, changed: Changed): boolean {
  const test = nodeAt(body, 'testexpr')
  if (test !== null) return mentions(test, changed)
  const inner = nodeAt(body, 'subselect')
  return inner !== null && mentionsByName(inner.body, changed.alias)
}

/** True if the expression looks at a column of the relation. */
function mentions({ kind, body }: Node, changed: Changed): boolean {
  if (kind === 'ColumnRef') {
    const words = wordsAt(body, 'fields')
    const column = words.at(-1) ?? ''
    const qualifier = words.at(-2)
    if (qualifier !== undefined) return qualifier === changed.alias
    return !changed.hasOthers || (changed.columns?.has(column) ?? true) || column === changed.alias
  }
  if (kind === 'SubLink') return isRestrictingSubLink(body, changed)
  return innerNodes(body).some((node) => mentions(node, changed))
}

/** True if something inside names the relation: `x.id` where x is its alias, anywhere in a sub-select. */
function mentionsByName(value: unknown, alias: string): boolean {
  if (Array.isArray(value)) return value.some((each) => mentionsByName(each, alias))
  const tree = treeOf(value)
  if (tree === null) return false
  const reference = treeOf(tree['ColumnRef'])
  if (reference !== null) return wordsAt(reference, 'fields').at(-2) === alias
  return Object.values(tree).some((each) => mentionsByName(each, alias))
}

/** The nodes anywhere below that are not inside another one. */
function innerNodes(value: unknown): Node[] {
  if (Array.isArray(value)) return value.flatMap(innerNodes)
  const tree = treeOf(value)
  if (tree === null) return []
  return Object.entries(tree).flatMap(([field, each]) => {
    const body = treeOf(each)
    return body !== null && /^[A-Z]/.test(field) ? [{ kind: field, body }] : innerNodes(each)
  })
}

/** True if two parts of an OR are true for every value together. */
function complete(args: readonly Node[], isNegated: boolean): boolean {
  const seen = new Map<string, number>()
  for (const arg of args) {
    const [key, mask] = maskOf(arg)
    const all = (seen.get(key) ?? 0) | (isNegated ? ~mask & EVERYTHING : mask)
    if (all === EVERYTHING) return true
    seen.set(key, all)
  }
  return false
}

/** The key of the operands, and the outcomes for which a comparison is true, as bits: smaller 1, equal 2, greater 4. */
function maskOf({ kind, body }: Node): [string, number] {
  if (kind === 'NullTest') {
    const isNull = textOf(body, 'nulltesttype') === 'IS_NULL'
    return [`null ${keyOf(nodeAt(body, 'arg'))}`, isNull ? 2 : 5]
  }
  if (kind === 'BoolExpr' && textOf(body, 'boolop') === 'NOT_EXPR') {
    const [key, mask] = maskOf(nodesAt(body, 'args')[0] ?? { kind: '', body: {} })
    return [key, ~mask & EVERYTHING]
  }
  const mask = kind === 'A_Expr' ? MASKS.get(wordsAt(body, 'name').at(-1) ?? '') : undefined
  if (mask === undefined || textOf(body, 'kind') !== 'AEXPR_OP') return [keyOf({ kind, body }), 2]
  return [`${keyOf(nodeAt(body, 'lexpr'))} ${keyOf(nodeAt(body, 'rexpr'))}`, mask]
}

const isBoolean = (node: Node, value: boolean): boolean =>
  node.kind === 'A_Const' &&
  treeOf(node.body['boolval']) !== null &&
  (treeOf(node.body['boolval'])?.['boolval'] === true) === value

/** True if a pattern matches every value but NULL, as in `like '%'`. */
const isAnything = (node: Node | null): boolean =>
  node?.kind === 'A_Const' && /^%+$/.test(textOf(treeOf(node.body['sval']) ?? {}, 'sval'))

/** A key that is the same for two expressions that are written alike. */
const keyOf = (node: Node | null): string =>
  JSON.stringify(node, (field, value: unknown) => (field.endsWith('location') ? undefined : value))

const EVERYTHING = 7
const MASKS: ReadonlyMap<string, number> = new Map([
  ['<', 1],
  ['=', 2],
  ['<=', 3],
  ['>', 4],
  ['<>', 5],
  ['!=', 5],
  ['>=', 6],
])
const REFLEXIVE: ReadonlySet<string> = new Set(['=', '<=', '>='])
const IRREFLEXIVE: ReadonlySet<string> = new Set(['<>', '!=', '<', '>'])
const LIKE: ReadonlySet<string> = new Set(['~~', '~~*'])
