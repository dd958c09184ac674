import { keepNewest, type RequestId } from '@countersign/kernel'

/**
 * Votes that approval has not answered yet. Each uses up one of the refusals that its person has left on the request,
 * so that votes at the same time are limited like votes one after the other.
 */
export type VotesUnderWay = {
  /** The number of this person's votes on the request that are under way. */
  count(requestId: RequestId, by: string): number
  /** Begins a vote. It is under way until it fails unsent, or until `isAnswered` is true for its place in the log. */
  begin(requestId: RequestId, by: string): VoteUnderWay
}

export type VoteUnderWay = { sent(position: string): void; failed(): void }

export function votesUnderWay(isAnswered: (position: string) => boolean): VotesUnderWay {
  // bound: VOTERS_MAX; a vote leaves it with its answer
  const votes = new Map<string, Set<{ position: string | null }>>()
  const keyOf = (requestId: RequestId, by: string): string => `${requestId}/${by}`
  const count: VotesUnderWay['count'] = (requestId, by) => {
    const key = keyOf(requestId, by)
    const own = votes.get(key)
    if (own === undefined) return 0
    for (const vote of own)
      if (vote.position !== null && isAnswered(vote.position)) own.delete(vote)
    if (own.size === 0) votes.delete(key)
    return own.size
  }
  return {
    count,
    begin(requestId, by) {
      const key = keyOf(requestId, by)
      const own = votes.get(key) ?? new Set()
      votes.set(key, own)
      keepNewest(votes, VOTERS_MAX)
      const vote: { position: string | null } = { position: null }
      own.add(vote)
      return {
        sent: (position) => void (vote.position = position),
        failed: () => void (vote.position === null && own.delete(vote)),
      }
    },
  }
}

const VOTERS_MAX = 10_000
