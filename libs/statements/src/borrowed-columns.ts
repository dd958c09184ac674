import { firstWordOf } from './first-word.ts'
import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { nodeAt } from './tree.ts'

/**
 * Whether PostgreSQL describes the columns of a portal of this text by what a name in it stands for when it is asked:
 * EXECUTE and FETCH. What a portal has left of its rows may be of another statement by then. A text that is too long to be
 * parsed where others wait begins with one of these words, or does not.
 */
export function borrowsColumns(sql: string | null): boolean {
  if (sql === null) return true
  if (!WORDS.test(sql)) return false
  if (sql.length > LOOP_BYTES_MAX) return FIRST.test(firstWordOf(sql))
  const trees = parsed(sql)
  return !trees.ok || trees.value.some((tree) => BORROWING.has(nodeAt(tree, 'stmt')?.kind ?? ''))
}

const WORDS = /execute|fetch/i
/** Empty: it is not known. */
const FIRST = /^(?:|execute|fetch)$/i
const BORROWING: ReadonlySet<string> = new Set(['ExecuteStmt', 'FetchStmt'])
