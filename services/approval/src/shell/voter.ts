import type { Caller, ReviewsMessage } from '@countersign/contracts'
import { type Opener, type TokenVerifier, voteAbout } from '@countersign/identity'
import { type Clock, messageOf, Problem, rested } from '@countersign/kernel'
import { z } from 'zod'

/** What the sealed token of a vote is sealed for. */
export const REVIEW_TOKEN = 'countersign/review-token'

/** Who voted, as their token says; or why that cannot be told. */
export type VoterReader = (
  vote: ReviewsMessage,
) => Promise<Caller | { readonly unverified: string }>

/** Opens the sealed token of a vote and verifies it. A sealed token counts for one vote only, with what that vote says. */
export function voterReader(use: {
  open: Opener
  verify: TokenVerifier
  clock: Clock
}): VoterReader {
  return async (vote) => {
    try {
      const opened = await use.open(vote.proof, voteAbout(vote))
      const proof = PROOF.parse(JSON.parse(opened.toString('utf8')))
      return await patiently(() => use.verify(proof.token, use.clock.now() / 1000))
    } catch (cause) {
      return {
        unverified: cause instanceof Problem ? sentence(cause.message) : 'The proof is malformed.',
      }
    }
  }
}

/** The keys of the issuer may be out of reach for a moment; a vote is not lost to that. */
async function patiently<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (cause) {
      const isHopeless = !(cause instanceof Problem) || !cause.retriable || attempt === ATTEMPTS_MAX
      if (isHopeless) throw cause instanceof Error ? cause : new Error(messageOf(cause))
      await rested(PAUSE_MS * attempt)
    }
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const PROOF = z.object({ token: z.string() })
const ATTEMPTS_MAX = 4
const PAUSE_MS = 200
