import type { SessionsMessage, TranscriptRecorded } from '@countersign/contracts'
import { EventId, type SessionId, uuidv5 } from '@countersign/kernel'
import { type Draft, draftOf } from '@countersign/log/records'

/**
 * One of the two hash chains of a session: control (`sessions`) or transcript. Each event has a place and the hash of
 * the one before it, so that nothing can be left out, added or reordered unseen.
 */
export type Chain = {
  readonly sessionId: SessionId
  readonly name: 'control' | 'transcript'
  /** The number of events in the chain. */
  count: number
  /** The hash of the last event; empty before the first. */
  head: string
}

export const newChain = (sessionId: SessionId, name: Chain['name']): Chain => ({
  sessionId,
  name,
  count: 0,
  head: '',
})

/** The fields of an event that the chain itself fills in. */
type Linked = 'sessionId' | 'sequence' | 'previousHash'
/** An event without its links. */
export type Unlinked<M> = M extends unknown ? Omit<M, Linked> : never

/** Links the next event to the chain. The chain moves on: what is made here must be appended, in this order. */
export function linked<M extends SessionsMessage | TranscriptRecorded>(
  chain: Chain,
  event: Unlinked<M>,
): Draft<M> {
  const sequence = chain.count
  // The three links complete the event; TypeScript cannot see that for a union.
  const message = {
    ...event,
    sessionId: chain.sessionId,
    sequence,
    previousHash: chain.head,
  } as unknown as M
  const draft = draftOf(message, {
    id: EventId(uuidv5(chain.sessionId, `${chain.name}/${sequence}`)),
    key: chain.sessionId,
  })
  chain.count = sequence + 1
  chain.head = draft.hash
  return draft
}
