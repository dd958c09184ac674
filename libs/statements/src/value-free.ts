import type { Names } from './catalog.ts'
import { children, type Node, nodeAt, nodesAt, textOf, type Tree, wordsAt } from './tree.ts'

/**
 * Finds the parts of an output that hold no value of a column that they name, so that they are made of nothing: counts, EXISTS,
 * the bits of GROUPING, types, and tests of a column for NULL. Each node is looked at once, however often it is asked about.
 *
 * Known limits, all on the safe side: a comparison (`email = 'x'`) tells what is in the column, whatever stands around it, and
 * so does a test for NULL of anything but a column as it is: `nullif(email, 'x') is null` is such a comparison.
 */
export type ValueFree = { is(node: Node): boolean; below(node: Node): boolean }

export function valueFree(names: Names, isColumn: (node: Node) => boolean): ValueFree {
  const known = new WeakMap<Tree, boolean>()
  const found = new WeakMap<Tree, boolean>()
  // In a sub-select other columns have the names, so a test for NULL counts only outside.
  const isOfCounts = remembered(
    found,
    (node) => isCounted(node, names) || isOfOutputs(node, isOfNothing),
  )
  const isOfNothing = (node: Node): boolean =>
    isOfCounts(node) || (!READING.has(node.kind) && children(node).every(isOfNothing))
  const is = (node: Node): boolean => isOfCounts(node) || isNullTest(node, names, isColumn)
  const below = remembered(known, (node) => is(node) || children(node).some(below))
  return { is, below }
}

const remembered =
  (known: WeakMap<Tree, boolean>, find: (node: Node) => boolean) =>
  (node: Node): boolean => {
    const before = known.get(node.body)
    if (before !== undefined) return before
    const found = find(node)
    known.set(node.body, found)
    return found
  }

/** True for a sub-select whose outputs are all made of nothing: they may name columns of the query around it. */
function isOfOutputs({ kind, body }: Node, isOfNothing: (node: Node) => boolean): boolean {
  if (kind !== 'SubLink' || body['subLinkType'] !== 'EXPR_SUBLINK') return false
  const query = nodeAt(body, 'subselect')
  const outputs = query?.kind === 'SelectStmt' ? nodesAt(query.body, 'targetList') : []
  return outputs.length > 0 && !('larg' in (query?.body ?? {})) && outputs.every(isOfNothing)
}

function isCounted(node: Node, names: Names): boolean {
  const { kind, body } = node
  if (kind === 'GroupingFunc' || kind === 'MergeSupportFunc') return true
  if (kind === 'SubLink') return body['subLinkType'] === 'EXISTS_SUBLINK'
  // The expression that it counts may call anything; the statement as a whole is unknown then.
  return COUNTING.has(ownFunction(node, names) ?? '')
}

function isNullTest(node: Node, names: Names, isColumn: (node: Node) => boolean): boolean {
  const { kind, body } = node
  const tests = (field: string): boolean => {
    const arg = nodeAt(body, field)
    return arg !== null && isColumn(arg)
  }
  switch (kind) {
    case 'NullTest':
      return tests('arg')
    case 'BooleanTest':
      return textOf(body, 'booltesttype').endsWith('UNKNOWN') && tests('arg')
    case 'FuncCall': {
      const args = nodesAt(body, 'args')
      if (!NULL_COUNTING.has(ownFunction(node, names) ?? '') || body['func_variadic'] === true)
        return false
      return args.length > 0 && args.every(isColumn)
    }
    default:
      return false
  }
}

/** The name of a function of PostgreSQL itself, where the target has none of that name. */
function ownFunction({ kind, body }: Node, names: Names): string | null {
  if (kind !== 'FuncCall') return null
  const words = wordsAt(body, 'funcname')
  const name = words.at(-1) ?? ''
  if (words.length > 1 && words[0] !== 'pg_catalog') return null
  return names.hasRoutine(name) ? null : name
}

/** Functions whose results are the same for all values of an argument that are not NULL. */
const COUNTING: ReadonlySet<string> = new Set(['count', 'pg_typeof', 'pg_collation_for'])
const NULL_COUNTING: ReadonlySet<string> = new Set(['num_nulls', 'num_nonnulls'])
/** Parts that read a column, or rows. */
export const READING: ReadonlySet<string> = new Set(['ColumnRef', 'SubLink'])
