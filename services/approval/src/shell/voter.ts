import type { Caller, ReviewsMessage } from '@countersign/contracts'
import { type Opener, patientVerifier, type TokenVerifier, voteAbout } from '@countersign/identity'
import { type Clock, Problem } from '@countersign/kernel'
import { z } from 'zod'

/** Reads from the token of a vote who voted; else says why that cannot be told. */
export type VoterReader = (
  vote: ReviewsMessage,
) => Promise<Caller | { readonly unverified: string }>

/**
 * Opens the sealed token of a vote and verifies it. A sealed token counts for one vote only, with its exact content.
 */
export function voterReader(use: {
  open: Opener
  verify: TokenVerifier
  clock: Clock
}): VoterReader {
  const verify = patientVerifier(use.verify)
  return async (vote) => {
    try {
      const opened = await use.open(vote.proof, voteAbout(vote))
      const proof = PROOF.parse(JSON.parse(opened.toString('utf8')))
      return await verify(proof.token, use.clock.now() / 1000)
    } catch (cause) {
      return {
        unverified: cause instanceof Problem ? sentence(cause.message) : 'The proof is malformed.',
      }
    }
  }
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const PROOF = z.object({ token: z.string() })
