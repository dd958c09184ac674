import { firstWordOf, withoutComments } from './first-word.ts'
import { onlyStatement } from './only-statement.ts'
import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { type Node, nodeAt, textOf, type Tree } from './tree.ts'

/**
 * The effect of a text on the transaction that it runs in, as far as more may run behind its end before the target says
 * `ReadyForQuery`: none, it ends it last of all, something runs behind the end, or another one begins and stays open to
 * the sender of the next text (`AND CHAIN`, `BEGIN`). Null when it is longer than `bytesMax`: it is not parsed where others wait.
 */
export type TransactionTurn = 'None' | 'Ends' | 'GoesOn' | 'BeginsAnother'

export function transactionTurn(
  sql: string,
  bytesMax: number = LOOP_BYTES_MAX,
): TransactionTurn | null {
  if (sql.length > bytesMax) return null
  const trees = parsed(sql)
  // A text that does not parse does not run.
  if (!trees.ok) return 'None'
  let turn: TransactionTurn = 'None'
  for (const tree of trees.value) {
    const node = nodeAt(tree, 'stmt')
    if (node === null) continue
    const kind = kindOf(node)
    if (ENDS.has(kind) && !isChained(node.body)) turn = turn === 'None' ? 'Ends' : turn
    else if (ENDS.has(kind) || (turn !== 'None' && BEGINS.has(kind))) return 'BeginsAnother'
    else if (turn === 'Ends') turn = 'GoesOn'
  }
  return turn
}

/**
 * True if the first COMMIT or ROLLBACK that the target answers this text with is the end of its transaction. ROLLBACK TO
 * is answered with ROLLBACK too, so of a text with one in it, as of one longer than `bytesMax`, only `ReadyForQuery` tells.
 */
export function isEndTold(sql: string, bytesMax: number = LOOP_BYTES_MAX): boolean {
  const turn = transactionTurn(sql, bytesMax)
  if (turn === null || turn === 'None') return false
  const trees = parsed(sql)
  return (
    trees.ok &&
    trees.value.every((tree) => kindOf(nodeAt(tree, 'stmt')) !== 'TRANS_STMT_ROLLBACK_TO')
  )
}

/**
 * True if a text does nothing but set the mode of its transaction, which means the same under all settings and along every
 * path. PostgreSQL takes it only before the first query of the transaction (25001), so nothing may be asked in front of it.
 */
export function setsTransactionMode(sql: string | null): boolean {
  if (sql === null) return false
  const text =
    sql.length > MODE_CHARACTERS_MAX && SET.test(firstWordOf(sql)) ? withoutComments(sql) : sql
  if (text === null || text.length > MODE_CHARACTERS_MAX) return false
  const trees = parsed(text)
  return (
    trees.ok &&
    trees.value.length > 0 &&
    trees.value.every((tree) => {
      const node = nodeAt(tree, 'stmt')
      return node?.kind === 'VariableSetStmt' && MODES.has(textOf(node.body, 'name'))
    })
  )
}

/** True if a text is one SHOW, SET or RESET: it names a setting itself, and computes no name. */
export function isOfOneSetting(sql: string | null): boolean {
  if (sql === null || !OF_SETTING.test(firstWordOf(sql))) return false
  const kind = onlyStatement(sql)?.kind ?? ''
  return kind === 'VariableShowStmt' || kind === 'VariableSetStmt'
}

const kindOf = (node: Node | null): string =>
  node?.kind === 'TransactionStmt' ? textOf(node.body, 'kind') : ''

const isChained = (body: Tree): boolean => body['chain'] === true

const ENDS: ReadonlySet<string> = new Set([
  'TRANS_STMT_COMMIT',
  'TRANS_STMT_PREPARE',
  'TRANS_STMT_ROLLBACK',
])
const MODES: ReadonlySet<string> = new Set([
  'TRANSACTION',
  'TRANSACTION SNAPSHOT',
  'transaction_isolation',
])
const MODE_CHARACTERS_MAX = 1_000
const SET = /^set$/i
const OF_SETTING = /^(?:show|set|reset)$/i
const BEGINS: ReadonlySet<string> = new Set(['TRANS_STMT_BEGIN', 'TRANS_STMT_START'])
