import { onlyStatement } from './only-statement.ts'
import { LOOP_BYTES_MAX } from './parser.ts'
import { nodeAt, nodesAt, part, textOf, type Tree, wordsAt } from './tree.ts'

/** A COPY FROM STDIN, as far as its CopyInResponse depends on its text. */
export type CopyIn = {
  /** The name of the relation, with its schema before it where the text has one. */
  readonly relation: readonly string[]
  /** The number of columns that the text lists; null where it lists none, which means all that can be written. */
  readonly columnCount: number | null
  readonly format: 'text' | 'binary'
}

/**
 * The COPY FROM STDIN that a text consists of; null where it is anything else, has more than this one statement, or reads its
 * data in another encoding than UTF-8.
 */
export function copyIn(sql: string | null): CopyIn | null {
  const body = copyFromStdin(sql)
  // In another encoding people would read other rows than the target.
  if (body === null || nodesAt(body, 'options').some(isOfOtherEncoding)) return null
  const range = part(body, 'relation')
  const columns = wordsAt(body, 'attlist')
  return {
    relation: [textOf(range, 'schemaname'), textOf(range, 'relname')].filter(Boolean),
    columnCount: columns.length === 0 ? null : columns.length,
    format: nodesAt(body, 'options').some(isBinary) ? 'binary' : 'text',
  }
}

/** A hint how to change a COPY so that it can be held with its data; null where a change of the text alone does not help. */
export function copyInHint(sql: string | null): string | null {
  if (sql === null) return null
  if (sql.length > LOOP_BYTES_MAX)
    return `The text of a COPY that is held with its data may have ${LOOP_BYTES_MAX} characters; this one has ${sql.length}.`
  const body = copyFromStdin(sql)
  const isOther = body !== null && nodesAt(body, 'options').some(isOfOtherEncoding)
  return isOther ? 'People see the data as UTF-8: send them so, without the option encoding.' : null
}

function copyFromStdin(sql: string | null): Tree | null {
  const node = onlyStatement(sql)
  if (node?.kind !== 'CopyStmt') return null
  const { body } = node
  const isStdin = body['is_from'] === true && body['is_program'] !== true && !('filename' in body)
  return isStdin ? body : null
}

/** True if the option is `FORMAT binary`; the grammar turns the old `BINARY` into it too. */
const isBinary = (option: Option): boolean =>
  nameOf(option) === 'format' && valueOf(option) === 'binary'

const isOfOtherEncoding = (option: Option): boolean =>
  nameOf(option) === 'encoding' &&
  !UTF8_NAMES.has(
    valueOf(option)
      .toLowerCase()
      .replace(/[^a-z0-9]/g, ''),
  )

type Option = { readonly body: Tree }
const nameOf = ({ body }: Option): string => textOf(body, 'defname').toLowerCase()
const valueOf = ({ body }: Option): string => textOf(nodeAt(body, 'arg')?.body ?? {}, 'sval')

/** The names of UTF-8, as PostgreSQL reads the name of an encoding: small letters and digits alone count. */
const UTF8_NAMES: ReadonlySet<string> = new Set(['utf8', 'unicode'])
