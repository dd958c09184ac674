import type { AnyMessage } from '@countersign/contracts'
import type { Position } from '@countersign/log/records'

/** The facts that decide when a session can be archived. */
export type Ending = {
  /** The type of the message that said that it is over; null while it lives. */
  readonly by: 'SessionEnded' | 'SessionRefused' | 'CredentialRevoked' | null
  /** Policy rejected it: the broker takes that for the end too. */
  readonly isGivenUp: boolean
  /** True if a role at the target still works. */
  readonly hasCredential: boolean
  /** The number of transcript events in all, as SessionEnded says; 0 without one. */
  readonly transcriptCount: number
  readonly transcriptSeen: number
  /** The position at which the broker says that the session ended, while that end is not here; else null. */
  readonly unseenEnd: Position | null
}

export const notEnded: Ending = {
  by: null,
  isGivenUp: false,
  hasCredential: false,
  transcriptCount: 0,
  transcriptSeen: 0,
  unseenEnd: null,
}

/** The ending after one more message. A proxy's own word counts more than the broker's. */
export function evolved(ending: Ending, message: AnyMessage, position: Position): Ending {
  switch (message.type) {
    case 'CredentialIntended':
      return { ...ending, hasCredential: true }
    case 'TranscriptRecorded':
      return { ...ending, transcriptSeen: ending.transcriptSeen + 1 }
    case 'SessionRefused':
      return { ...ending, by: message.type, unseenEnd: null }
    case 'SessionEnded': {
      const { type, transcriptCount } = message
      return { ...ending, by: type, transcriptCount, unseenEnd: null }
    }
    case 'SessionRejected':
      return { ...ending, isGivenUp: true, unseenEnd: null }
    case 'CredentialRevoked': {
      const isUnseen = message.reason === 'SessionOver' && ending.by === null && !ending.isGivenUp
      const unseenEnd = isUnseen ? position : ending.unseenEnd
      return { ...ending, hasCredential: false, by: ending.by ?? message.type, unseenEnd }
    }
    default:
      return ending
  }
}

/** True if a session that has been quiet for this time can be archived. Every wait has a limit. */
export function isDue(ending: Ending, quietMs: number, graceMs: number): boolean {
  if (ending.by === null) return quietMs >= FORGOTTEN_MS
  const isWhole =
    ending.by !== 'CredentialRevoked' &&
    !ending.hasCredential &&
    ending.transcriptSeen >= ending.transcriptCount
  return quietMs >= (isWhole ? graceMs : graceMs * PATIENCE)
}

/** A session whose end is not whole must be quiet this many times longer. */
const PATIENCE = 5
/** A session without an end is archived after this time: none is quiet so long, and a lost one would hold all back. */
const FORGOTTEN_MS = 48 * 3_600_000
