import type { Names } from './catalog.ts'
import { type Node, nodeAt, nodesAt, part, textOf, type Tree, treeOf, wordsAt } from './tree.ts'

/** The column names of the results of queries that have a name, by that name. */
export type Results = ReadonlyMap<string, ReadonlySet<string>>

/**
 * The columns that the result of a CTE has for certain: `x.f` is a call only where x has no column f.
 * Method: names that the text itself gives, and `*` over relations that the catalog knows. Limit, on the safe side:
 * names that are inferred otherwise, such as that of CASE, are left out.
 */
export function namesOfResult(names: Names, cte: Node, ctes: Results): ReadonlySet<string> {
  const renamed = wordsAt(cte.body, 'aliascolnames')
  if (renamed.length > 0) return new Set(renamed)
  const query = nodeAt(cte.body, 'ctequery')
  return query === null ? NONE : namesOfQuery(names, query.body, ctes)
}

/** The columns that a sub-select or function in FROM has for certain, without the new names that its alias may give. */
export function namesOfRange(
  names: Names,
  { kind, body }: Node,
  ctes: Results,
): ReadonlySet<string> {
  if (kind === 'RangeSubselect') {
    const query = nodeAt(body, 'subquery')
    return query === null ? NONE : namesOfQuery(names, query.body, ctes)
  }
  const field = COLUMN_LISTS.get(kind)
  if (field === undefined) return NONE
  const columns = nodesAt(body, field).map((node) =>
    textOf(node.body, COLUMN_NAMES[kind] ?? 'colname'),
  )
  return new Set(columns.filter((name) => name !== ''))
}

const COLUMN_LISTS: ReadonlyMap<string, string> = new Map([
  ['RangeFunction', 'coldeflist'],
  ['RangeTableFunc', 'columns'],
  ['JsonTable', 'columns'],
])
const COLUMN_NAMES: Readonly<Record<string, string>> = { JsonTable: 'name' }

function namesOfQuery(names: Names, body: Tree, outer: Results): ReadonlySet<string> {
  // The first branch of a set operation names its columns.
  const first = treeOf(body['larg'])
  if (first !== null) return namesOfQuery(names, first, outer)
  // A name that its own WITH defines may hide a table that `*` would be looked up in.
  if (treeOf(body['withClause']) !== null) return explicitNames(targetsOf(body))
  const found = explicitNames(targetsOf(body))
  // Each star once: in a sub-select of a sub-select a second one would double the work at each level.
  // bound: as long as one statement
  const stars = new Set<string | null>()
  for (const target of targetsOf(body)) {
    const value = nodeAt(target.body, 'val')
    if (value?.kind !== 'ColumnRef') continue
    if (!nodesAt(value.body, 'fields').some(({ kind }) => kind === 'A_Star')) continue
    stars.add(wordsAt(value.body, 'fields').at(-2) ?? null)
  }
  // `*` stands for all that `x.*` stands for.
  for (const of of stars.has(null) ? [null] : stars)
    for (const source of nodesAt(body, 'fromClause'))
      for (const name of namesOfStar(names, source, of, outer)) found.add(name)
  return found
}

const targetsOf = (body: Tree): Node[] => [
  ...nodesAt(body, 'targetList'),
  ...nodesAt(part(body, 'returningClause'), 'exprs'),
]

function explicitNames(targets: readonly Node[]): Set<string> {
  const found = new Set<string>()
  for (const { body } of targets) {
    const value = nodeAt(body, 'val')
    const fields = value?.kind === 'ColumnRef' ? nodesAt(value.body, 'fields') : []
    const last = fields.at(-1)
    const inferred = last?.kind === 'String' ? textOf(last.body, 'sval') : ''
    const name = textOf(body, 'name') || inferred
    if (name !== '') found.add(name)
  }
  return found
}

function namesOfStar(
  names: Names,
  source: Node,
  of: string | null,
  ctes: Results,
): ReadonlySet<string> {
  if (source.kind === 'JoinExpr') {
    const sides = ['larg', 'rarg'].map((side) => nodeAt(source.body, side))
    return new Set(
      sides.flatMap((side) => (side === null ? [] : [...namesOfStar(names, side, of, ctes)])),
    )
  }
  const alias = part(source.body, 'alias')
  const name = textOf(alias, 'aliasname') || textOf(source.body, 'relname')
  if ((of !== null && of !== name) || 'colnames' in alias) return NONE
  if (source.kind !== 'RangeVar') return namesOfRange(names, source, ctes)
  const schema = textOf(source.body, 'schemaname')
  const relname = textOf(source.body, 'relname')
  const cte = schema === '' ? ctes.get(relname) : undefined
  return cte ?? names.columnsOf(names.relation(schema === '' ? null : schema, relname)) ?? NONE
}

const NONE: ReadonlySet<string> = new Set()
