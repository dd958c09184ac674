import type { ApprovalsMessage, CountersignatureRefused } from '@countersign/contracts'
import type { HeldRequest } from './held-request.ts'
import { isFullySigned } from './request-view.ts'

/** What became of a vote. */
export type VoteOutcome =
  | { readonly status: 'counted'; readonly request: HeldRequest }
  | { readonly status: 'refused'; readonly refusal: CountersignatureRefused }

/** What became of a vote, from the events that cite it; null while that cannot be said yet. */
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
