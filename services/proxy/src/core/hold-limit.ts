import { afterMs, type Instant } from '@countersign/kernel'

/** A limit of a hold: its name, as whoever set it knows it, and the latest end of the hold by it. */
export type HoldLimit = { readonly name: string; readonly endsAt: Instant }

/** The state of the backend's open transaction that a hold would keep as it is. */
export type OpenTransaction = {
  /** Others wait for locks of it: it has written, locked rows, or changed a definition. */
  readonly keepsLocks: boolean
  /** It keeps its snapshot, so that nothing is cleaned up behind it. */
  readonly keepsSnapshot: boolean
  /** Timeouts by which the target itself would end the transaction. */
  readonly timeouts: readonly Timeout[]
}

/** A setting by which the target itself would end what is open, and milliseconds from now. */
export type Timeout = { readonly name: string; readonly ms: number }

/** The limits of the profile for holds inside transactions, in milliseconds. */
export type TransactionLimits = {
  readonly holdAfterWriteMaxMs: number
  readonly holdInTransactionMaxMs: number
}

/**
 * The limits of a hold inside a transaction. One that has only begun, set something, or read under READ COMMITTED keeps
 * nothing that others wait for: people may think as long as their chain says.
 */
export function transactionLimits(
  open: OpenTransaction,
  { limits, now }: { limits: TransactionLimits; now: Instant },
): readonly HoldLimit[] {
  const found = timeoutLimits(open.timeouts, now)
  if (open.keepsLocks)
    found.push({ name: 'holdAfterWriteMax', endsAt: afterMs(now, limits.holdAfterWriteMaxMs) })
  else if (open.keepsSnapshot)
    found.push({
      name: 'holdInTransactionMax',
      endsAt: afterMs(now, limits.holdInTransactionMaxMs),
    })
  return found
}

/** The limits that the target itself sets. */
export const timeoutLimits = (timeouts: readonly Timeout[], now: Instant): HoldLimit[] =>
  timeouts.map(({ name, ms }) => ({ name, endsAt: afterMs(now, ms) }))

/** The limit that comes first; of two at the same time the first one. */
export const firstLimit = (limits: readonly HoldLimit[]): HoldLimit | null =>
  limits.reduce<HoldLimit | null>(
    (first, limit) => (first === null || limit.endsAt < first.endsAt ? limit : first),
    null,
  )

/** The limit of a hold outside of a transaction by the target, which takes it for idle meanwhile. */
export const IDLE = 'idle_session_timeout'

/** The settings of the target by which a hold looks to it as if the session were idle. */
export const ENDS_IDLE: ReadonlySet<string> = new Set([
  ...[IDLE, 'idle_in_transaction_session_timeout'],
])

/** The reason and hint for an agent, by the limit of its transaction or session that ended the hold, or let none begin. */
export const WORDS: Readonly<Record<string, { reason: string; hint: string }>> = {
  holdAfterWriteMax: {
    reason:
      'The transaction has written or locked something, and others wait for it while people think.',
    hint: 'Run this statement outside of the transaction or before its first write, or commit what was written first. The profile allows holdAfterWriteMax.',
  },
  holdInTransactionMax: {
    reason: 'The transaction keeps its snapshot while people think.',
    hint: 'Run this statement outside of the transaction, or under READ COMMITTED. The profile allows holdInTransactionMax.',
  },
  [IDLE]: {
    reason: `The target ends the session by its setting ${IDLE}, as if it were idle while people think.`,
    hint: `Set ${IDLE} higher, or to 0, and send the statement again.`,
  },
}

/** The same for a limit that the target itself sets. */
export const targetLimitWords = (name: string): { reason: string; hint: string } => ({
  reason: `The target ends the transaction by its setting ${name}.`,
  hint: `Run this statement outside of the transaction, or set ${name} higher.`,
})
