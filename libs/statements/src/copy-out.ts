import { namesOf, type TargetCatalog } from './catalog.ts'
import type { RelationRef } from './facts.ts'
import { onlyStatement } from './only-statement.ts'
import { madeOf } from './result-columns.ts'
import { constantOf, type Node, nodeAt, nodesAt, part, textOf, type Tree, wordsAt } from './tree.ts'

/** The rows of a COPY TO STDOUT, as far as their text can be taken apart by it. */
export type CopyOut = {
  readonly format: 'text' | 'csv'
  readonly header: boolean
  /** The columns in their order; a type that is not known counts as text. */
  readonly columns: readonly { readonly name: string; readonly typeOid: number }[]
}

/**
 * The rows of the COPY TO STDOUT that a text consists of; null where it is anything else, or writes them in another way than
 * by the format's own delimiter, quotes and NULL. It takes as long as parsing.
 */
export function copyOut(sql: string | null, catalog: TargetCatalog): CopyOut | null {
  const node = onlyStatement(sql, Infinity)
  if (node?.kind !== 'CopyStmt') return null
  const { body } = node
  if (body['is_from'] === true || body['is_program'] === true || 'filename' in body) return null
  const written = formatOf(nodesAt(body, 'options'))
  const query = nodeAt(body, 'query')
  const columns =
    query === null
      ? ofRelation(part(body, 'relation'), wordsAt(body, 'attlist'), catalog)
      : ofQuery(query, catalog)
  return written === null || columns === null ? null : { ...written, columns }
}

function formatOf(options: readonly Node[]): Omit<CopyOut, 'columns'> | null {
  let format = 'text'
  let header = false
  for (const { body } of options) {
    const value = (constantOf(nodeAt(body, 'arg')) ?? '').toLowerCase()
    const name = textOf(body, 'defname').toLowerCase()
    if (name === 'format') format = value
    else if (name === 'header') header = !FALSE_WORDS.has(value)
    else if (name !== 'force_quote') return null
  }
  return format === 'text' || format === 'csv' ? { format, header } : null
}

function ofRelation(
  range: Tree,
  columns: readonly string[],
  catalog: TargetCatalog,
): CopyOut['columns'] | null {
  const schema = textOf(range, 'schemaname')
  const relation = namesOf(catalog).relation(
    schema === '' ? null : schema,
    textOf(range, 'relname'),
  )
  return columns.length === 0
    ? columnsOf(catalog, relation)
    : columns.map((name) => ({ name, typeOid: typeOf(catalog, relation, name) }))
}

function ofQuery({ kind, body }: Node, catalog: TargetCatalog): CopyOut['columns'] | null {
  if (kind !== 'SelectStmt' || 'larg' in body) return null
  const targets = nodesAt(body, 'targetList')
  const all = ofAll(body, targets)
  if (all !== null) return ofRelation(all, [], catalog)
  const made = madeOf(body, catalog)
  return made.length !== targets.length
    ? null
    : targets.map(({ body: target }, index) => {
        const value = nodeAt(target, 'val')
        const [only, ...others] = made[index] ?? []
        const isColumn = value?.kind === 'ColumnRef' && only !== undefined && others.length === 0
        const name = textOf(target, 'name')
        return isColumn
          ? { name: name || only.column, typeOid: typeOf(catalog, only.relation, only.column) }
          : { name, typeOid: TEXT }
      })
}

/** The relation of which `SELECT * FROM x` shows all columns; null for any other query. */
function ofAll(body: Tree, targets: readonly Node[]): Tree | null {
  const [only, ...others] = nodesAt(body, 'fromClause')
  const fields = targets.flatMap(({ body: target }) =>
    nodesAt(nodeAt(target, 'val')?.body ?? {}, 'fields'),
  )
  const isAll = targets.length === 1 && fields.length === 1 && fields[0]?.kind === 'A_Star'
  const isNamed = only?.kind === 'RangeVar' && others.length === 0 && !('withClause' in body)
  return isAll && isNamed ? only.body : null
}

const columnsOf = (catalog: TargetCatalog, { oid }: RelationRef): CopyOut['columns'] | null =>
  catalog.relations
    .find((relation) => relation.oid === oid)
    ?.columns.map(({ name, typeOid = TEXT }) => ({ name, typeOid })) ?? null

const typeOf = (catalog: TargetCatalog, relation: RelationRef, column: string): number =>
  columnsOf(catalog, relation)?.find(({ name }) => name === column)?.typeOid ?? TEXT

const FALSE_WORDS: ReadonlySet<string> = new Set(['false', 'off', '0'])
const TEXT = 25
