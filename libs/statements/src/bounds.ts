import { all, any, type Formula, isAlwaysTrue, OUTCOMES, TRUE } from './formula.ts'
import {
  constantOf,
  type Node,
  nodeAt,
  nodesAt,
  textOf,
  type Tree,
  treeOf,
  wordsAt,
} from './tree.ts'

/** The relation that a statement changes, as its conditions may call it. */
export type Changed = {
  /** Its alias, or its name where it has none. */
  readonly alias: string
  /** Null where they are not known. */
  readonly columns: ReadonlySet<string> | null
  /** True if other relations stand beside it, as in UPDATE … FROM and DELETE … USING. */
  readonly hasOthers: boolean
  /** The aliases under which the relation stands beside itself. */
  readonly copies: readonly string[]
}

/**
 * True if a condition restricts which rows of the relation are changed.
 *
 * Purpose: to say "every row" of `delete from t where true` as of `delete from t`, and of all that has the same effect.
 * Method: the condition becomes a formula of NOT, AND and OR over its tests. Tests that look at no column of the relation
 * count as true, whatever they are, since they let all rows through or none. The others are brought into one form
 * (`1 > t.i` is `i < 1`, BETWEEN, IN and ANY of an array are their comparisons, `not like` is the negation of LIKE, IS TRUE
 * is the test itself), so that tests of the same thing are seen to be, also against several whole numbers: nothing is 1 and 2.
 * Where the relation stands beside itself (`delete from t using t o where t.id = o.id`), each row is its own partner, too. The
 * condition restricts unless the formula is true for all outcomes of its tests.
 * Known limits, each in a test: a condition that only the data or types decide (`id > 0`, `id is not null`, `id in (select id
 * from t)`, `i <= 1 or i >= 2`, `i` between the smallest and the largest number of its type) counts as a restriction, and so
 * does a CASE or a function of a column whatever it gives, but for a CASE whose results are all true. NULL takes part only in
 * IS NULL and the like: `i = i` counts as true.
 */
export function restricts(condition: Node | null, changed: Changed): boolean {
  if (condition === null) return false
  const isEvery = (readAs: Changed): boolean => {
    const reading = newReading(readAs)
    const formula = formulaOf(reading, condition, false)
    return isAlwaysTrue(formula, reading.ordered)
  }
  if (isEvery({ ...changed, copies: [] })) return false
  // Each row stands beside itself: what is true of every such pair chooses every row.
  return changed.copies.length === 0 || !isEvery(changed)
}

/** The findings about one condition so far: each part of the tree is looked at once. */
type Reading = {
  readonly changed: Changed
  /** The number of each test and expression, by its content; those that mean the same have the same. */
  readonly known: Map<string, number>
  /** The content of each part of the tree, and (`mentioning`) whether it looks at the relation. */
  readonly shapes: Map<Tree, string>
  readonly mentioning: Map<Tree, boolean>
  /** The constants that are numbers, by their own number, and the tests that compare something with one. */
  readonly constants: Map<number, number>
  readonly ordered: Map<number, { thing: number; value: number; isExchanged: boolean }>
}

const newReading = (changed: Changed): Reading => ({
  changed,
  // bound: as long as one statement
  known: new Map(),
  // bound: as long as one statement
  shapes: new Map(),
  // bound: as long as one statement
  mentioning: new Map(),
  // bound: as long as one statement
  constants: new Map(),
  // bound: as long as one statement
  ordered: new Map(),
})

/** The condition, or its negation, as a formula over its tests. */
function formulaOf(to: Reading, node: Node, isNegated: boolean): Formula {
  const { kind, body } = node
  const fixed = (value: boolean): Formula => value !== isNegated
  switch (kind) {
    case 'BoolExpr': {
      const operator = textOf(body, 'boolop')
      const isNot = operator === 'NOT_EXPR'
      const parts = nodesAt(body, 'args').map((arg) => formulaOf(to, arg, isNegated !== isNot))
      return (operator === 'OR_EXPR') === isNegated ? all(parts) : any(parts)
    }
    case 'NullTest': {
      const arg = nodeAt(body, 'arg')
      const asksNull = textOf(body, 'nulltesttype') === 'IS_NULL'
      if (arg !== null && isNeverNull(arg)) return fixed(!asksNull)
      return isNull(to, arg, isNegated === asksNull)
    }
    case 'BooleanTest': {
      const arg = nodeAt(body, 'arg')
      const asked = textOf(body, 'booltesttype')
      if (arg === null) return test(to, node, isNegated)
      if (asked.endsWith('UNKNOWN')) {
        const isUnknown = asked === 'IS_UNKNOWN'
        return isNeverNull(arg) ? fixed(!isUnknown) : isNull(to, arg, isNegated === isUnknown)
      }
      return formulaOf(to, arg, isNegated !== (asked === 'IS_NOT_TRUE' || asked === 'IS_FALSE'))
    }
    case 'CurrentOfExpr':
      return literal(to, kind, isNegated)
    case 'A_Const':
      return !isBoolean(node) || fixed(valueOf(node))
    case 'A_Expr':
      return comparison(to, node, isNegated)
    case 'CaseExpr': {
      const results = [
        ...nodesAt(body, 'args').map((when) => nodeAt(when.body, 'result')),
        nodeAt(body, 'defresult'),
      ]
      const isTrue = results.every(
        (result) => result !== null && formulaOf(to, result, isNegated) === true,
      )
      return isTrue || test(to, node, isNegated)
    }
    default:
      return test(to, node, isNegated)
  }
}

/** A comparison, or another test with an operator. */
function comparison(to: Reading, node: Node, isNegated: boolean): Formula {
  const { body } = node
  const operator = wordsAt(body, 'name').at(-1) ?? ''
  const [left, right] = [nodeAt(body, 'lexpr'), nodeAt(body, 'rexpr')]
  if (left === null || right === null) return test(to, node, isNegated)
  const compared = (sign: string, other: Node | undefined): Formula =>
    compare(to, { sign, left, right: other ?? right }, isNegated)
  const every = isNegated ? any : all
  const some = isNegated ? all : any
  const items = nodesAt(right.body, 'items')
  const [low, high] = items
  switch (textOf(body, 'kind')) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return compared(operator, right)
    case 'AEXPR_DISTINCT':
      return compared('<>', right)
    case 'AEXPR_NOT_DISTINCT':
      return compared('=', right)
    case 'AEXPR_IN':
      return (operator === '=' ? some : every)(items.map((item) => compared(operator, item)))
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL': {
      const elements = elementsOf(right)
      if (elements === null) return test(to, node, isNegated)
      const isAny = textOf(body, 'kind') === 'AEXPR_OP_ANY'
      return (isAny ? some : every)(elements.map((each) => compared(operator, each)))
    }
    case 'AEXPR_BETWEEN':
      return every([compared('>=', low), compared('<=', high)])
    case 'AEXPR_NOT_BETWEEN':
      return some([compared('<', low), compared('>', high)])
    case 'AEXPR_BETWEEN_SYM':
      return some([
        every([compared('>=', low), compared('<=', high)]),
        every([compared('>=', high), compared('<=', low)]),
      ])
    case 'AEXPR_NOT_BETWEEN_SYM':
      return every([
        some([compared('<', low), compared('>', high)]),
        some([compared('<', high), compared('>', low)]),
      ])
    default:
      return test(to, node, isNegated)
  }
}

/** The elements of an array that the text lists, with a cast or without. */
function elementsOf(node: Node): Node[] | null {
  if (node.kind === 'A_ArrayExpr') return nodesAt(node.body, 'elements')
  const inner = node.kind === 'TypeCast' ? nodeAt(node.body, 'arg') : null
  return inner?.kind === 'A_ArrayExpr' ? elementsOf(inner) : null
}

type Comparison = { readonly sign: string; readonly left: Node; readonly right: Node }

function compare(to: Reading, { sign, left, right }: Comparison, isNegated: boolean): Formula {
  if (!mentions(to, left) && !mentions(to, right)) return true
  const outcomes = COMPARED.get(sign)
  if (outcomes === undefined) {
    const positive = POSITIVE.get(sign)
    const isFalse = isNegated !== (positive !== undefined)
    if (matchesAll(positive ?? sign, right)) return !isFalse
    return literal(to, `${positive ?? sign} ${numberOf(to, left)} ${numberOf(to, right)}`, isFalse)
  }
  for (const [constant, other] of [
    [left, right],
    [right, left],
  ] as const)
    if (isBoolean(constant) && (sign === '=' || sign === '<>' || sign === '!='))
      return formulaOf(to, other, isNegated !== (valueOf(constant) !== (sign === '=')))
  const [one, two] = [numberOf(to, left), numberOf(to, right)]
  if (one === two) return ((outcomes & EQUAL) !== 0) !== isNegated
  const found = one < two ? outcomes : exchanged(outcomes)
  const test = known(to, `compare ${Math.min(one, two)} ${Math.max(one, two)}`)
  order(to, test, [Math.min(one, two), Math.max(one, two)])
  return { of: 'test', test, outcomes: isNegated ? OUTCOMES & ~found : found }
}

/** Notes that a test compares something with a number: it cannot be two numbers at once. */
function order(to: Reading, test: number, [one, two]: readonly [number, number]): void {
  const [left, right] = [to.constants.get(one), to.constants.get(two)]
  if ((left === undefined) === (right === undefined)) return
  const isExchanged = left !== undefined
  to.ordered.set(test, { thing: isExchanged ? two : one, value: left ?? right ?? 0, isExchanged })
}

/** The outcomes of a comparison whose sides change places. */
const exchanged = (outcomes: number): number =>
  (outcomes & EQUAL) | ((outcomes & 1) << 2) | (outcomes >> 2)

const EQUAL = 2
const COMPARED: ReadonlyMap<string, number> = new Map([
  ['<', 1],
  ['=', 2],
  ['<=', 3],
  ['>', 4],
  ['<>', 5],
  ['!=', 5],
  ['>=', 6],
])
/** The operators that are the negation of another one. */
const POSITIVE: ReadonlyMap<string, string> = new Map([
  ['!~~', '~~'],
  ['!~~*', '~~*'],
  ['!~', '~'],
  ['!~*', '~*'],
])

/** True if a pattern matches every value but NULL, as in `like '%'` and `~ '.*'`. Others than these are not seen. */
function matchesAll(operator: string, pattern: Node): boolean {
  if (operator.startsWith('~~')) return /^%+$/.test(constantOf(pattern) ?? '')
  if (!operator.startsWith('~')) return false
  const [escaped] =
    wordsAt(pattern.body, 'funcname').at(-1) === 'similar_to_escape'
      ? nodesAt(pattern.body, 'args')
      : []
  if (escaped !== undefined) return /^%+$/.test(constantOf(escaped) ?? '')
  const text = constantOf(pattern)
  return text !== null && (/^[\^$]?$/.test(text) || /^\^?(?:\(?\.\*\??\)?)+\$?$/.test(text))
}

const isNull = (to: Reading, arg: Node | null, isNegated: boolean): Formula =>
  arg === null || !mentions(to, arg) || literal(to, `null ${numberOf(to, arg)}`, isNegated)

const test = (to: Reading, node: Node, isNegated: boolean): Formula =>
  !mentions(to, node) || literal(to, `true ${numberOf(to, node)}`, isNegated)

const literal = (to: Reading, key: string, isNegated: boolean): Formula => ({
  of: 'test',
  test: known(to, key),
  outcomes: isNegated ? OUTCOMES & ~TRUE : TRUE,
})

/** True if an expression gives a value in every row. */
function isNeverNull({ kind, body }: Node): boolean {
  switch (kind) {
    case 'NullTest':
    case 'BooleanTest':
      return true
    case 'SubLink':
      return textOf(body, 'subLinkType') === 'EXISTS_SUBLINK'
    case 'A_Expr':
      return NULL_COMPARING.has(textOf(body, 'kind'))
    case 'BoolExpr':
      return nodesAt(body, 'args').every(isNeverNull)
    case 'ColumnRef':
      return SYSTEM_COLUMNS.has(wordsAt(body, 'fields').at(-1) ?? '')
    default:
      return false
  }
}

const NULL_COMPARING: ReadonlySet<string> = new Set(['AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT'])
const SYSTEM_COLUMNS: ReadonlySet<string> = new Set([
  ...['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'],
])

/** EXISTS restricts when its sub-select names the relation; IN and the like when their left side reads a column of it. */
function isRestrictingSubLink(to: Reading, body: Tree): boolean {
  const tested = nodeAt(body, 'testexpr')
  if (tested !== null) return mentions(to, tested)
  const inner = nodeAt(body, 'subselect')
  return inner !== null && mentionsByName(inner.body, to.changed.alias)
}

/** True if the expression looks at a column of the relation. */
function mentions(to: Reading, node: Node): boolean {
  const { kind, body } = node
  if (kind === 'ColumnRef') return isOwn(to.changed, wordsAt(body, 'fields'))
  const before = to.mentioning.get(body)
  if (before !== undefined) return before
  const found =
    kind === 'SubLink'
      ? isRestrictingSubLink(to, body)
      : innerNodes(body).some((inner) => mentions(to, inner))
  to.mentioning.set(body, found)
  return found
}

/** True if a name means a column of the relation. */
function isOwn({ alias, columns, hasOthers, copies }: Changed, words: readonly string[]): boolean {
  const column = words.at(-1) ?? ''
  // The same for all rows of a table; of heirs it says which table, and to say "every row" of those asks too much only.
  if (column === 'tableoid') return false
  const qualifier = words.at(-2)
  if (qualifier !== undefined) return qualifier === alias || copies.includes(qualifier)
  return !hasOthers || (columns?.has(column) ?? true) || column === alias
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

/** The number of an expression: the same for two that mean the same column, or are written alike. */
function numberOf(to: Reading, { kind, body }: Node): number {
  const words = kind === 'ColumnRef' ? wordsAt(body, 'fields') : []
  if (words.length > 0 && isOwn(to.changed, words))
    return known(to, `column ${JSON.stringify(words.at(-1))}`)
  const right = kind === 'A_Expr' ? nodeAt(body, 'rexpr') : null
  if (right !== null && !('lexpr' in body) && wordsAt(body, 'name').join() === '+')
    return numberOf(to, right)
  const number = known(to, `${kind} ${shapeOf(to, body)}`)
  const isNumber = kind === 'A_Const' && ('ival' in body || 'fval' in body)
  const value = isNumber ? Number(constantOf({ kind, body })) : NaN
  if (Number.isSafeInteger(value)) to.constants.set(number, value)
  return number
}

/** The content of a part of the tree, where each tree inside stands as its number, so that none is written twice. */
function shapeOf(to: Reading, value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((each) => shapeOf(to, each)).join()}]`
  const tree = treeOf(value)
  if (tree === null) return JSON.stringify(value)
  const before = to.shapes.get(tree)
  if (before !== undefined) return before
  const [kind = '', ...others] = Object.keys(tree)
  const body = treeOf(tree[kind])
  const isNode = others.length === 0 && body !== null && /^[A-Z]/.test(kind)
  const number = isNode
    ? numberOf(to, { kind, body })
    : known(
        to,
        Object.entries(tree)
          .filter(([field]) => !field.endsWith('location'))
          .map(([field, each]) => `${field}:${shapeOf(to, each)}`)
          .join(),
      )
  const shape = `#${number}`
  to.shapes.set(tree, shape)
  return shape
}

function known(to: Reading, key: string): number {
  const number = to.known.get(key) ?? to.known.size
  to.known.set(key, number)
  return number
}

const isBoolean = (node: Node): boolean =>
  node.kind === 'A_Const' && treeOf(node.body['boolval']) !== null

const valueOf = (node: Node): boolean => treeOf(node.body['boolval'])?.['boolval'] === true
