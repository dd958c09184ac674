import type { AnyMessage } from '@countersign/contracts'
import type { Position } from '@countersign/log/records'

/** How far a session is from being archived. */
export type Ending = {
  /** What said that it is over; null while it lives. */
  readonly by: 'SessionEnded' | 'SessionRefused' | 'CredentialRevoked' | null
  /** Policy rejected it: the broker takes that for the end too. */
  readonly isGivenUp: boolean
  /** Whether a role at the target still works. */
  readonly hasCredential: boolean
  /** How many transcript events there are in all, where the end said it. */
  readonly transcriptCount: number
  readonly transcriptSeen: number
  /** The broker says that the session ended, and its end is not here: where that stands. */
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
