import type { AnyMessage } from '@countersign/contracts'

/** How far a session is from being archived. */
export type Ending = {
  /** What said that it is over; null while it lives. */
  readonly by: 'SessionEnded' | 'SessionRefused' | 'CredentialRevoked' | null
  /** Whether a role at the target still works. */
  readonly hasCredential: boolean
  /** How many transcript events there are in all, where the end said it. */
  readonly transcriptCount: number
  readonly transcriptSeen: number
}

export const notEnded: Ending = {
  by: null,
  hasCredential: false,
  transcriptCount: 0,
  transcriptSeen: 0,
}

/** The ending after one more message. A proxy's own word counts more than the broker's. */
export function evolved(ending: Ending, message: AnyMessage): Ending {
  if (message.type === 'CredentialIntended') return { ...ending, hasCredential: true }
  if (message.type === 'TranscriptRecorded')
    return { ...ending, transcriptSeen: ending.transcriptSeen + 1 }
  if (message.type === 'SessionRefused') return { ...ending, by: message.type }
  if (message.type === 'SessionEnded')
    return { ...ending, by: message.type, transcriptCount: message.transcriptCount }
  if (message.type === 'CredentialRevoked')
    return { ...ending, hasCredential: false, by: ending.by ?? message.type }
  return ending
}

/** Whether a session that has been quiet for so long can be archived. Nothing is waited for without a limit. */
export function isDue(ending: Ending, quietMs: number, graceMs: number): boolean {
  if (ending.by === null) return quietMs >= FORGOTTEN_MS
  const isWhole =
    ending.by !== 'CredentialRevoked' &&
    !ending.hasCredential &&
    ending.transcriptSeen >= ending.transcriptCount
  return quietMs >= (isWhole ? graceMs : graceMs * PATIENCE)
}

/** How many times longer a session is waited for whose end is not whole. */
const PATIENCE = 5
/** No session lives that long without a word; otherwise one lost session would hold back the group for ever. */
const FORGOTTEN_MS = 48 * 3_600_000
