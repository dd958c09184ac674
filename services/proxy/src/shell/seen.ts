import type { Recording, TranscriptRecorded } from '@countersign/contracts'
import type { RequestId } from '@countersign/kernel'
import type { AppendOptions } from '@countersign/log'
import type { Unlinked } from '../core/chain.ts'
import { readInTime } from './large-rows.ts'
import { hasNoRoom, roomFor } from './room.ts'
import type { Session } from './session-state.ts'
import { takeWithheld } from './withheld.ts'

/** The request that a message to the agent answers; its recording counts, and without one that of the profile. */
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

/** The same for messages of the target, in order already. In the middle of a long row they wait for the end of that. */
export function tellNow(session: Session, bytes: Buffer, answered: Answered | null): void {
  if (session.behindRow === null) write(session, bytes, answered)
  else session.behindRow.push(() => write(session, bytes, answered))
}

/**
 * Tells the agent a long row, piece by piece, as it reads: encrypting it all at once would take its memory again, and the
 * loop from everybody. A session that ends meanwhile says no goodbye, which would stand in the middle of the row.
 */
export async function tellLong(
  session: Session,
  bytes: Buffer,
  answered: Answered | null,
): Promise<void> {
  const behind: (() => void)[] = []
  session.behindRow = behind
  for (let at = 0; at < bytes.length && !session.isEnding; at += PIECE_BYTES) {
    write(session, bytes.subarray(at, at + PIECE_BYTES), answered)
    if (at + PIECE_BYTES >= bytes.length || !hasNoRoom(session)) continue
    // A row that takes no shared memory only slows its target down.
    await (session.largeRow.held === null ? roomFor(session) : readInTime(session))
  }
  if (session.isEnding) return
  session.behindRow = null
  for (const told of behind) told()
}

function write(session: Session, bytes: Buffer, answered: Answered | null): void {
  session.client.write(bytes)
  transcribe(session, bytes, answered)
}

/** Records what the agent is told. */
export function transcribe(session: Session, bytes: Buffer, answered: Answered | null): void {
  if ((answered ?? session.profile).recording !== 'Full') return
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES)
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

/** The delay of a record that nobody waits for, to go with the next append. None while raised, as the broker waits. */
export const patienceOf = ({ raised }: Session, lingerMs: number): AppendOptions =>
  raised === null ? { lingerMs } : {}

/** The delay of the transcript: only somebody who watches a session live waits for it. */
const TRANSCRIPT_LINGER_MS = 25
const PIECE_BYTES = 256 * 1024
