import type {
  ApprovalRequested,
  ApprovalsMessage,
  Caller,
  Countersigned,
} from '@countersign/contracts'
import type { Instant } from '@countersign/kernel'

/** A request that waits, or waited, for people: what the topic `approvals` says of it. */
export type HeldRequest = {
  /** The number of events that changed the request; a new number is a new answer for those who wait for a change. */
  readonly revision: number
  readonly requested: ApprovalRequested
  readonly status: RequestStatus
  readonly signatures: readonly Countersigned[]
  /** A limit that may end the hold before the deadlines of the stages do; null for none. */
  readonly limit: { readonly endsAt: Instant; readonly name: string } | null
  /** The names of those whose votes were refused while it waited, one entry for each vote. */
  readonly refusedVoters: readonly string[]
  /** The time at which it stopped waiting; null while it waits. */
  readonly endedAt: Instant | null
  /** The last signer, or who denied it (`countersign` where nobody could ever grant it); null for other ends. */
  readonly endedBy: string | null
  /** The words of a denial, for the agent, or the reason of another end; null while pending or granted. */
  readonly words: string | null
}

export type RequestStatus =
  'pending' | 'granted' | 'denied' | 'expired' | 'withdrawn' | 'superseded'

/** The request after one more event; null while it was not asked about. */
export function evolved(before: HeldRequest | null, event: ApprovalsMessage): HeldRequest | null {
  if (event.type === 'ApprovalRequested') return before ?? begun(event)
  if (before === null || before.status !== 'pending') return before
  const request = { ...before, revision: before.revision + 1 }
  const ended = { ...request, endedAt: event.at }
  switch (event.type) {
    case 'CountersignatureRefused':
      return { ...request, refusedVoters: [...request.refusedVoters, event.by] }
    case 'ApprovalLimited':
      return { ...request, limit: { endsAt: event.endsAt, name: event.limit } }
    case 'Countersigned':
      return { ...request, signatures: [...request.signatures, event] }
    case 'ApprovalGranted':
      return { ...ended, status: 'granted', endedBy: event.signers.at(-1) ?? null }
    case 'ApprovalDenied':
      return { ...ended, status: 'denied', endedBy: event.by, words: event.words }
    case 'ApprovalExpired':
      return {
        ...ended,
        status: 'expired',
        words: `nobody countersigned the stage ${event.stage} in time`,
      }
    case 'ApprovalWithdrawn':
      return { ...ended, status: 'withdrawn', words: event.reason }
    case 'ApprovalSuperseded':
      return { ...ended, status: 'superseded', words: event.reason }
  }
}

/** The number of votes of this person on the request that were refused. */
export const refusedVotesOf = ({ refusedVoters }: HeldRequest, { agent }: Caller): number =>
  refusedVoters.filter((by) => by === agent).length

const begun = (requested: ApprovalRequested): HeldRequest => ({
  revision: 0,
  requested,
  status: 'pending',
  signatures: [],
  limit: null,
  refusedVoters: [],
  endedAt: null,
  endedBy: null,
  words: null,
})
