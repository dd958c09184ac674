import type { SessionRequested } from '@countersign/contracts'
import { type Opener, sessionAbout, thumbprintOf, type TokenVerifier } from '@countersign/identity'
import { type Clock, messageOf, Problem, rested } from '@countersign/kernel'
import { z } from 'zod'
import type { Proven } from '../core/admission.ts'

/** What the token of an agent is sealed for. */
export const AGENT_TOKEN = 'countersign/agent-token'

/** Reads who asks for a session from the token that is sealed to policy. */
export type ProofReader = (requested: SessionRequested) => Promise<Proven>

/**
 * Opens the sealed token and verifies it. Who may write to the topic of sessions can copy it: so it counts for one session
 * of one proxy process only, and for the key that this process has.
 */
export function proofReader(use: {
  open: Opener
  verify: TokenVerifier
  clock: Clock
}): ProofReader {
  return async (requested) => {
    try {
      const opened = await use.open(requested.proof, sessionAbout(requested))
      const { token } = PROOF.parse(JSON.parse(opened.toString('utf8')))
      const keyThumbprint = await thumbprintOf(requested.sessionKey)
      const identity = await patiently(() => use.verify(token, use.clock.now() / 1000))
      return { identity, keyThumbprint }
    } catch (cause) {
      if (cause instanceof Problem) return { refused: cause.code, reason: cause.message }
      return { refused: 'CS_AUTH_INVALID', reason: 'the proof is malformed' }
    }
  }
}

/** The keys of the issuer may be out of reach for a moment. */
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

const PROOF = z.object({ token: z.string() })
const ATTEMPTS_MAX = 4
const PAUSE_MS = 200
