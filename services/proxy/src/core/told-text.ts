import type { RequestAllowed } from '@countersign/contracts'
import { isEndTold, type TransactionTurn, transactionTurn } from '@countersign/statements'

/** Facts about a text that policy tells with its decision where the text is too long to be parsed here; null where it does not. */
export type Told = Pick<RequestAllowed, 'redefines' | 'longText'>

/** The effect of a text on its transaction; null for a long text of which policy tells nothing. */
export const turnOf = (sql: string, { longText }: Pick<Told, 'longText'>): TransactionTurn | null =>
  longText?.turn ?? transactionTurn(sql)

/** True if the first COMMIT or ROLLBACK that answers a text ends its transaction; false for a long text of which policy tells nothing. */
export const isEndToldBy = (sql: string, { longText }: Pick<Told, 'longText'>): boolean =>
  longText?.endTold ?? isEndTold(sql)

/** Stands for a text of which policy tells nothing, as it is short. */
export const NOTHING_TOLD: Told = { redefines: null, longText: null }
