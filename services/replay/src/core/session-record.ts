import type { AnyMessage } from '@countersign/contracts'
import type { Position, Understood } from '@countersign/log/records'
import { oneOf } from '@countersign/contracts'

/** The part of a record of a session that replay needs. */
export type SessionRecord = {
  readonly position: Position
  readonly id: string
  readonly causation: Position | null
  readonly message: SessionMessage
  /** About how much memory it takes. */
  readonly bytes: number
}

/** The messages that tell about a session. */
export const isSessionMessage = oneOf(
  'SessionRequested',
  'SessionOpened',
  'SessionRefused',
  'SessionEnded',
  'RequestIntercepted',
  'RequestPart',
  'RequestReleased',
  'RequestRefused',
  'RequestHeld',
  'RequestWithdrawn',
  'RequestCompleted',
  'TranscriptRecorded',
  'SessionAdmitted',
  'SessionRejected',
  'RequestAllowed',
  'RequestBlocked',
  'ReviewRequired',
  'ApprovalRequested',
  'Countersigned',
  'CountersignatureRefused',
  'ApprovalDenied',
  'ApprovalGranted',
  'ApprovalExpired',
  'ApprovalWithdrawn',
  'ApprovalSuperseded',
  'CredentialIssued',
  'CredentialFailed',
  'PrivilegeRaised',
  'PrivilegeLowered',
  'CredentialRevoked',
  'MaskingPlanned',
)

export type SessionMessage = Narrowed<typeof isSessionMessage>

type Narrowed<F> = F extends ((message: AnyMessage) => message is infer M extends AnyMessage)
  ? M
  : never

/** True of a message after which nothing more is told of its request. */
export const endsRequest = oneOf('RequestCompleted', 'RequestRefused', 'RequestWithdrawn')

/** True of a message that is told by itself: parts of a request and the transcript are told with others, and nothing cites them. */
export const isEntry = ({ type }: SessionMessage): boolean =>
  type !== 'TranscriptRecorded' && type !== 'RequestPart'

/** The record of the session, or null where it tells nothing about one. */
export function sessionRecord(record: Understood): SessionRecord | null {
  const { message, position, id, causation, value } = record
  if (!isSessionMessage(message)) return null
  return { position, id, causation, message, bytes: value.length + RECORD_OVERHEAD_BYTES }
}

/** The records without repeats: of records with the same id the lowest offset counts. */
export function withoutRepeats<R extends Pick<SessionRecord, 'position' | 'id'>>(
  records: readonly R[],
): R[] {
  const first = new Map<string, R>()
  for (const record of records) takeFirst(first, record)
  return [...first.values()]
}

/** Takes a record, unless it repeats one. */
export function takeFirst<R extends Pick<SessionRecord, 'position' | 'id'>>(
  first: Map<string, R>,
  record: R,
): void {
  const name = `${record.position.topic}/${record.id}`
  const known = first.get(name)
  if (known === undefined || known.position.offset > record.position.offset) first.set(name, record)
}

/** The memory that a record takes beside its bytes, about. */
const RECORD_OVERHEAD_BYTES = 1_000
