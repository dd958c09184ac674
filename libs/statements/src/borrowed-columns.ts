import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { nodeAt } from './tree.ts'

/**
 * Whether PostgreSQL describes the columns of a portal of this text by what a name in it stands for when it is asked:
 * EXECUTE and FETCH. What a portal has left of its rows may be of another statement by then. A text that is not looked at may.
 */
export function borrowsColumns(sql: string | null): boolean {
  if (sql !== null && !WORDS.test(sql)) return false
  if (sql === null || sql.length > LOOP_BYTES_MAX) return true
  const trees = parsed(sql)
  return !trees.ok || trees.value.some((tree) => BORROWING.has(nodeAt(tree, 'stmt')?.kind ?? ''))
}

const WORDS = /execute|fetch/i
const BORROWING: ReadonlySet<string> = new Set(['ExecuteStmt', 'FetchStmt'])
