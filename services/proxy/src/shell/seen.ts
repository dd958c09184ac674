import type { Recording, TranscriptRecorded } from '@countersign/contracts'
import type { RequestId } from '@countersign/kernel'
import type { AppendOptions } from '@countersign/log'
import type { Unlinked } from '../core/chain.ts'
import type { Session } from './session-state.ts'
import { takeWithheld } from './withheld.ts'

/** What a message to the agent answers: a request, whose recording counts, or nothing, which is up to the profile. */
export type Answered = { readonly requestId: RequestId; readonly recording: Recording }

/** Writes to the agent, behind what was kept back from it, and records what it saw. */
export function tell(session: Session, bytes: Buffer, answered: Answered | null): void {
  tellWithheld(session)
  tellNow(session, bytes, answered)
}

/** Tells the agent the end of an answer that was kept back. */
export function tellWithheld(session: Session): void {
  const { answered } = session.withheld
  const frames = takeWithheld(session.withheld)
  if (frames.length > 0) tellNow(session, Buffer.concat(frames), answered)
}

/** The same, of what the target says and is in order already. */
export function tellNow(session: Session, bytes: Buffer, answered: Answered | null): void {
  session.client.write(bytes)
  transcribe(session, bytes, answered)
}

/** Records what the agent is told. */
export function transcribe(session: Session, bytes: Buffer, answered: Answered | null): void {
  if ((answered ?? session.profile).recording !== 'Full') return
  for (let at = 0; at < bytes.length; at += TRANSCRIPT_CHUNK_BYTES) {
    const piece = bytes.subarray(at, at + TRANSCRIPT_CHUNK_BYTES)
    const seenAt = session.proxy.clock.now()
    const made = (): Unlinked<TranscriptRecorded> => ({
      type: 'TranscriptRecorded',
      at: seenAt,
      requestId: answered?.requestId ?? null,
      ciphertext: session.dataKey.encrypt(piece),
      sizeBytes: piece.length,
    })
    session.journal.recordTranscript(made, patienceOf(session, TRANSCRIPT_LINGER_MS))
  }
}

/** Nobody waits for an answer to be recorded, so it goes with the next append. While a privilege is raised the broker waits. */
export const patienceOf = ({ raised }: Session, lingerMs: number): AppendOptions =>
  raised === null ? { lingerMs } : {}

/** Nobody waits for the transcript but who watches a session live. */
const TRANSCRIPT_LINGER_MS = 25
const TRANSCRIPT_CHUNK_BYTES = 256 * 1024
