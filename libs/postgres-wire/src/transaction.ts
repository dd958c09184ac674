import type { Request } from './client-messages.ts'
import type { TransactionStatus } from './server-messages.ts'

/**
 * What a client sees of its requests between two ReadyForQuery. After an error in the extended protocol a server throws
 * away whatever comes, up to the next Sync; a client counts on that, so a refusal of ours does the same.
 */
export type Pipeline = { readonly status: 'running' | 'skippingToSync' }

/** What to do with a message: handle it, throw it away, or answer it with ReadyForQuery alone. */
export type Admission = 'handle' | 'discard' | 'answerReady'

/** Nothing was refused since the last Sync. */
export const RUNNING: Pipeline = { status: 'running' }

/** What becomes of the next message. While skipping, even a simple Query is thrown away: PostgreSQL does the same. */
export function admit(pipeline: Pipeline, tag: Request['tag']): [Pipeline, Admission] {
  if (pipeline.status === 'running' || tag === 'Terminate') return [pipeline, 'handle']
  return tag === 'Sync' ? [RUNNING, 'answerReady'] : [pipeline, 'discard']
}

/**
 * What follows the ErrorResponse that refuses a message: ReadyForQuery at once after a simple Query or a FunctionCall,
 * at the next Sync after everything else.
 */
export const refused = (tag: Request['tag']): [Pipeline, 'readyNow' | 'readyAtSync'] =>
  tag === 'Query' || tag === 'FunctionCall'
    ? [RUNNING, 'readyNow']
    : [{ status: 'skippingToSync' }, 'readyAtSync']

/**
 * The status that a client sees after a refusal: a transaction block has failed. The target does not know that, so
 * whoever refuses must also make the target's block fail, or a later COMMIT would keep half of the work.
 */
export const statusAfterRefusal = (status: TransactionStatus): TransactionStatus =>
  status === 'T' ? 'E' : status
