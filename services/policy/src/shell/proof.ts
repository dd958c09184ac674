import type { SessionRequested } from '@countersign/contracts'
import {
  type Opener,
  patientVerifier,
  sessionAbout,
  thumbprintOf,
  type TokenVerifier,
} from '@countersign/identity'
import { type Clock, Problem } from '@countersign/kernel'
import { z } from 'zod'
import type { Proven } from '../core/admission.ts'

/** Reads who asks for a session, and for which settings, from what is sealed to policy. */
export type ProofReader = (requested: SessionRequested) => Promise<Proven>

/**
 * Opens the sealed token and verifies it. Anybody who may write to the topic of sessions can copy it: so it counts for
 * one session of one proxy process only, and for the key that this process has.
 */
export function proofReader(use: {
  open: Opener
  verify: TokenVerifier
  clock: Clock
}): ProofReader {
  const verify = patientVerifier(use.verify)
  return async (requested) => {
    try {
      const opened = await use.open(requested.proof, sessionAbout(requested))
      const { token, settings } = PROOF.parse(JSON.parse(opened.toString('utf8')))
      const keyThumbprint = await thumbprintOf(requested.sessionKey)
      const identity = await verify(token, use.clock.now() / 1000)
      return { identity, keyThumbprint, settings }
    } catch (cause) {
      if (cause instanceof Problem) return { refused: cause.code, reason: cause.message }
      return { refused: 'CS_AUTH_INVALID', reason: 'the proof is malformed' }
    }
  }
}

const PROOF = z.object({
  token: z.string(),
  settings: z.array(z.tuple([z.string(), z.string()])).default([]),
})
