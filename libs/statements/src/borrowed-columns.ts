import { firstWordOf } from './first-word.ts'
import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { nodeAt } from './tree.ts'

/**
 * True if the columns that PostgreSQL describes for a portal of this text depend on what a name means at that moment, as
 * for EXECUTE and FETCH. The rows that are left in the portal may be of another statement by then. A text that is too long
 * to be parsed where others wait is judged by its first word alone.
 */
export function borrowsColumns(sql: string | null): boolean {
  if (sql === null) return true
  if (!WORDS.test(sql)) return false
  if (sql.length > LOOP_BYTES_MAX) return FIRST.test(firstWordOf(sql))
  const trees = parsed(sql)
  return !trees.ok || trees.value.some((tree) => BORROWING.has(nodeAt(tree, 'stmt')?.kind ?? ''))
}

const WORDS = /execute|fetch/i
/** An empty word is one that is not known. */
const FIRST = /^(?:|execute|fetch)$/i
const BORROWING: ReadonlySet<string> = new Set(['ExecuteStmt', 'FetchStmt'])
