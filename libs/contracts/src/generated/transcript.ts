// Generated from schemas/transcript by libs/contracts/generate.ts; do not edit.
import type { Instant, RequestId, SessionId } from '@countersign/kernel'

/** What the agent saw, masked, in order. */
export type TranscriptRecorded = {
  readonly type: 'TranscriptRecorded'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** The place of the event in the transcript chain of the session, from 0. */
  readonly sequence: number
  /** The hash of the event before it in this chain, in hex; empty for the first. */
  readonly previousHash: string
  /** When it happened, by the clock of the proxy. */
  readonly at: Instant
  /** The request that it answers; null for what belongs to none. */
  readonly requestId: RequestId | null
  /** The masked bytes as they went to the agent, encrypted like the content of a request. */
  readonly ciphertext: Buffer
  /** The length of the plain bytes. */
  readonly sizeBytes: number
}

/** Everything that may stand in the topic `transcript`. */
export type TranscriptMessage =
  | TranscriptRecorded
