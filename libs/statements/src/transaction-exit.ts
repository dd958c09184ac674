import { parsed } from './parser.ts'
import { nodeAt, textOf } from './tree.ts'

/**
 * Whether PostgreSQL refuses this text in a failed transaction, whatever follows its first statement: only what ends the
 * transaction runs there. False for what does not parse, or is empty: what is said of that is another matter.
 */
export function failsInFailedTransaction(sql: string | null): boolean {
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
