import type { ApprovalsMessage, CountersignatureRefused } from '@countersign/contracts'
import type { HeldRequest } from './held-request.ts'
import { isFullySigned } from './request-view.ts'

/** The outcome of a vote: it counted, or it was refused. */
export type VoteOutcome =
  | { readonly status: 'counted'; readonly request: HeldRequest }
  | { readonly status: 'refused'; readonly refusal: CountersignatureRefused }

/** Derives the outcome of a vote from the events that cite it; null while it is not known yet. */
export function voteOutcome(
  caused: readonly ApprovalsMessage[],
  request: HeldRequest | null,
): VoteOutcome | null {
  const refusal = caused.find((event) => event.type === 'CountersignatureRefused')
  if (refusal !== undefined) return { status: 'refused', refusal }
  if (request === null) return null
  // The last countersignature and the grant are two records; the second may arrive a moment later.
  const isGrantOnItsWay = request.status === 'pending' && isFullySigned(request)
  return caused.length === 0 || isGrantOnItsWay ? null : { status: 'counted', request }
}
