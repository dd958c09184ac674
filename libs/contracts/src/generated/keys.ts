// Generated from schemas/keys by libs/contracts/generate.ts; do not edit.
import type { Instant, SessionId } from '@countersign/kernel'
import type { SealedFor } from './common.ts'

/** The data key of a session, sealed for each reader. A tombstone for the key erases the content of the session. */
export type SessionKeySealed = {
  readonly type: 'SessionKeySealed'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it was made. */
  readonly at: Instant
  /** The key, once for each reader. */
  readonly recipients: readonly SealedFor[]
}

/** Everything that may stand in the topic `keys`. */
export type KeysMessage =
  | SessionKeySealed
