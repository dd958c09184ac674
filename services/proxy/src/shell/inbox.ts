import { after } from '@countersign/kernel'
import { FRONTEND_LIMITS, type Request } from '@countersign/postgres-wire'
import { isRequest } from './client.ts'
import { over, type Session } from './session-state.ts'

/** The next request of the agent, without waiting; undefined when there is none. Any other message ends the session. */
export function taken(session: Session): Request | undefined {
  const { untaken } = session
  if (untaken !== null) {
    session.untaken = null
    return untaken
  }
  const message = session.client.take()
  if (message === undefined || isRequest(message)) return message
  const isTooLarge = message.tag === 'Violation' && message.reason === 'FrameTooLarge'
  return over(session, {
    reason: 'ProtocolViolation',
    code: isTooLarge ? 'CS_FRAME_TOO_LARGE' : 'CS_PROTOCOL_VIOLATION',
    words: isTooLarge
      ? tooLarge(session)
      : message.tag === 'Violation'
        ? message.detail
        : 'an unexpected message',
  })
}

/**
 * The next message of a COPY FROM STDIN, without waiting; undefined when none has arrived. PostgreSQL ignores Flush and Sync while
 * data flow in, and ends the connection at anything else.
 */
export function takenOfCopy(session: Session): CopyMessage | undefined {
  for (let message = taken(session); message !== undefined; message = taken(session)) {
    const kind = message.tag === 'Malformed' ? message.of : message.tag
    if (kind === 'Flush' || kind === 'Sync') {
      session.client.done(message)
      continue
    }
    if (message.tag === 'Terminate') gone(session)
    if (isOfCopy(message)) return message
    const words = `${kind} came during COPY`
    return over(session, { reason: 'ProtocolViolation', code: 'CS_PROTOCOL_VIOLATION', words })
  }
  return undefined
}

export type CopyMessage = Extract<Request, { tag: 'CopyData' | 'CopyFail' }> | CopyDone
type CopyDone = { readonly tag: 'CopyDone'; readonly raw: Buffer }

const isOfCopy = (message: Request): message is Request & CopyMessage =>
  message.tag === 'CopyData' || message.tag === 'CopyDone' || message.tag === 'CopyFail'

/** Ends the session of an agent that left: what runs for it is cancelled. */
export function gone(session: Session): never {
  const reason = session.client.hasSaidGoodbye() ? 'ClientTerminated' : 'ClientDisconnected'
  return over(session, { reason, code: null, words: 'the agent disconnected' })
}

const tooLarge = ({ proxy }: Session): string =>
  `a message is too large: statements and data may have ${proxy.config.CS_FRAME_BYTES_MAX} bytes ` +
  `(CS_FRAME_BYTES_MAX of the proxy), others ${FRONTEND_LIMITS.smallFrameBytesMax}`

/** Gives a request back that belongs to what is served next. */
export function putBack(session: Session, request: Request): void {
  session.untaken = request
}

/**
 * Waits for more of the agent, but not longer than this while nothing large is on its way; says whether something may have
 * arrived. Where the messages that are here are large, it waits for no memory for more.
 */
export async function arrives({ client }: Session, limitMs: number): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  using _limit = after(limitMs, () => late.resolve(false))
  const arrival = client.follows().then(() => true)
  const isThere =
    (await Promise.race([arrival, late.promise])) || (client.isArriving() && (await arrival))
  if (!isThere) client.rest()
  return isThere && !client.isFull()
}
