import { firstTokensOf } from './first-word.ts'
import { LOOP_BYTES_MAX, parsed } from './parser.ts'
import { nodeAt, textOf } from './tree.ts'

/**
 * True if PostgreSQL refuses this text in a failed transaction, whatever follows its first statement: only a statement
 * that ends the transaction runs there. False for a text that does not parse or is empty, which gets another answer.
 */
export function failsInFailedTransaction(sql: string | null): boolean {
  // A text too long to be parsed where others wait begins with one of these words, or ends nothing.
  if (sql !== null && sql.length > LOOP_BYTES_MAX)
    return !WORDS.test(firstTokensOf(sql, 2).join(' '))
  const trees = sql === null ? null : parsed(sql)
  const [first] = trees?.ok === true ? trees.value : []
  const node = first === undefined ? null : nodeAt(first, 'stmt')
  return node !== null && !(node.kind === 'TransactionStmt' && EXITS.has(textOf(node.body, 'kind')))
}

/** As `IsTransactionExitStmt` of PostgreSQL. */
const EXITS: ReadonlySet<string> = new Set([
  'TRANS_STMT_COMMIT',
  'TRANS_STMT_PREPARE',
  'TRANS_STMT_ROLLBACK',
  'TRANS_STMT_ROLLBACK_TO',
])

const WORDS = /^(?:(?:(?:commit|end|rollback|abort)(?: .*)?|prepare(?: transaction)?)?)$/is
