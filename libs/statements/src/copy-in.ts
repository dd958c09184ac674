import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { nodeAt, nodesAt, part, textOf, wordsAt } from './tree.ts'

/** A COPY FROM STDIN, as far as its CopyInResponse depends on its text. */
export type CopyIn = {
  /** The name of the relation, with its schema before it where the text has one. */
  readonly relation: readonly string[]
  /** How many columns the text lists; null where it lists none, which means all that can be written. */
  readonly columnCount: number | null
  readonly format: 'text' | 'binary'
}

/** The COPY FROM STDIN that a text consists of; null where it is anything else, or has more than this one statement. */
export function copyIn(sql: string | null): CopyIn | null {
  if (sql === null || sql.length > LOOP_BYTES_MAX) return null
  const trees = parsed(sql)
  const [only, ...others] = trees.ok ? trees.value : []
  const node = only === undefined || others.length > 0 ? null : nodeAt(only, 'stmt')
  if (node?.kind !== 'CopyStmt') return null
  const { body } = node
  if (body['is_from'] !== true || body['is_program'] === true || 'filename' in body) return null
  const range = part(body, 'relation')
  const columns = wordsAt(body, 'attlist')
  return {
    relation: [textOf(range, 'schemaname'), textOf(range, 'relname')].filter(Boolean),
    columnCount: columns.length === 0 ? null : columns.length,
    format: nodesAt(body, 'options').some(isBinary) ? 'binary' : 'text',
  }
}

/** `FORMAT binary`, which is also what the grammar makes of the old `BINARY`. */
const isBinary = ({ body }: { readonly body: Parameters<typeof textOf>[0] }): boolean =>
  textOf(body, 'defname') === 'format' &&
  textOf(nodeAt(body, 'arg')?.body ?? {}, 'sval') === 'binary'
