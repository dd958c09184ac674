import type { Effect, RequestAllowed, ReviewRequired } from '@countersign/contracts'
import { turnOf } from '../core/told-text.ts'
import type { RequestRefusal } from './refuse.ts'
import type { Pending, RequestDecision } from './requests.ts'
import type { Session } from './session-state.ts'

/**
 * Refuses a request that would keep a raised privilege. That is taken back when the target says that no transaction is
 * open, so nothing that ends one and begins the next before that runs while a privilege is raised, or would be.
 */
export function keepsRaised(
  session: Session,
  { ask }: Pick<Pending, 'ask'>,
  decision: RequestAllowed | ReviewRequired,
): RequestRefusal | null {
  const isRaising = decision.type === 'ReviewRequired' && decision.raise.length > 0
  const isRaised = session.raised !== null
  if (ask.sql === null || !(isRaised || isRaising)) return null
  if (ask.kind === 'Prepare') return null
  const turn = turnOf(ask.sql, decision)
  // It is only known that it has to do with transactions.
  const isKept =
    turn === null
      ? decision.effects.some(controlsTransaction)
      : turn === 'BeginsAnother' || (isRaised && turn === 'GoesOn')
  if (!isKept && !(isRaised && session.hasEndedRaised)) return null
  return { ...KEPT, decisionId: null }
}

/**
 * Refuses what would make or change something without people in a transaction in which a privilege is raised: all that is made
 * there becomes the owner's, functions that run with its rights too, and people approved only what was lent to them.
 */
export function makesUnreviewed(
  { raised, profile }: Session,
  decision: RequestDecision,
): RequestRefusal | null {
  const isMade =
    raised !== null &&
    profile.mayCreate &&
    decision.type === 'RequestAllowed' &&
    decision.effects.some(changesSchema)
  return isMade ? { ...UNREVIEWED, decisionId: null } : null
}

/** True if it may make or change objects of the schema; code that nobody looked into may do so too. */
export const changesSchema = ({ effect }: Effect): boolean =>
  effect === 'schema-change' || effect === 'opaque'

/** Notes, before it runs, that a request ends the transaction of a privilege: the pipeline runs on behind that end. */
export function noteEnd(
  session: Session,
  { ask }: Pick<Pending, 'ask'>,
  decision: RequestAllowed | ReviewRequired,
): void {
  if (session.raised === null || ask.kind === 'Prepare' || ask.sql === null) return
  const turn = turnOf(ask.sql, decision)
  if (turn === null ? decision.effects.some(controlsTransaction) : turn !== 'None')
    session.hasEndedRaised = true
}

/** True if it begins or ends a transaction, or has to do with its savepoints. */
export const controlsTransaction = ({ effect }: Effect): boolean => effect === 'transaction'

const UNREVIEWED = {
  code: 'CS_PRIVILEGE_MISMATCH',
  reason:
    'What is made while a privilege is raised belongs to the owner role afterwards, and nobody approved this statement.',
  hint: 'End the transaction first, with COMMIT or ROLLBACK, and send it in the next one.',
} as const

const KEPT = {
  code: 'CS_PRIVILEGE_MISMATCH',
  reason:
    'A raised privilege ends with its transaction, so nothing runs behind that end before it is taken back: no AND CHAIN, no BEGIN.',
  hint: 'Send COMMIT or ROLLBACK by itself, wait for its answer, and begin the next transaction then.',
} as const
