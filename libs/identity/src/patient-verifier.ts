import { messageOf, Problem, rested } from '@countersign/kernel'
import type { TokenVerifier } from './token.ts'

/** Tries again while the keys of the issuer cannot be reached for a moment, so that no sealed token is lost to that. */
export const patientVerifier =
  (verify: TokenVerifier): TokenVerifier =>
  async (token, nowMs) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await verify(token, nowMs)
      } catch (cause) {
        const isHopeless =
          !(cause instanceof Problem) || !cause.retriable || attempt === ATTEMPTS_MAX
        if (isHopeless) throw cause instanceof Error ? cause : new Error(messageOf(cause))
        await rested(PAUSE_MS * attempt)
      }
    }
  }

const ATTEMPTS_MAX = 4
const PAUSE_MS = 200
