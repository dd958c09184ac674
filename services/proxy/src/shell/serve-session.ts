import { type ErrorCode, messageOf, Problem, type SessionId } from '@countersign/kernel'
import {
  authenticated,
  type BackendKey,
  type ErrorFields,
  type Request,
  type Startup,
  toClient,
} from '@countersign/postgres-wire'
import { turns } from '@countersign/runtime'
import { errorOf } from '../core/refusal.ts'
import { machineFields } from '../core/refusal.ts'
import { NOTICES } from '../core/sql-states.ts'
import { takeFrames } from './answers.ts'
import { newCancelKey } from './cancel-key.ts'
import type { Client } from './client.ts'
import { memoryForCopies } from './copies.ts'
import { endInTime } from './expiry.ts'
import { fatal, finish } from './finish-session.ts'
import { arrives, putBack, taken } from './inbox.ts'
import { askedSession, type Asked, minorOf, openSession, settingsOf } from './open-session.ts'
import { agentInTime } from './raised-idle.ts'
import { namesWithinLimits } from './name-limits.ts'
import { refuseCancelled, servePipeline } from './pipeline.ts'
import { ownQuery } from './own-query.ts'
import { actAsItself, privilegesConfirmed } from './privileges.ts'
import type { ProxyContext, SessionHandle } from './proxy-context.ts'
import { hasNoRoom, roomFor } from './room.ts'
import { tell, tellWithheld } from './seen.ts'
import {
  cancel,
  CANCELLED,
  during,
  type Ending,
  type EndReason,
  endSession,
  type Raised,
  type Session,
  SESSION_ENDED,
} from './session-state.ts'

/** Serves one agent from its StartupMessage to the end of its session. Never rejects. */
export async function serveSession(
  proxy: ProxyContext,
  client: Client,
  startup: Startup,
): Promise<void> {
  const asked = askedSession(proxy, client)
  const ended = Promise.withResolvers<void>()
  let cancelKey: BackendKey | null = null
  let session: Session | null = null
  let isIdle = true
  const handle: SessionHandle = {
    get cancelKey() {
      return cancelKey
    },
    deliver: (record) => asked.mailbox.deliver(record),
    cancel: () => {
      if (session !== null && !isIdle) cancel(session)
    },
    end: (code) => {
      if (session === null) client.end(fatal(asked.id, code, TOLD[code].words))
      else endSession(session, { code, ...TOLD[code] })
    },
    isIdle: () => isIdle,
    ended: ended.promise,
  }
  proxy.sessions.set(asked.id, handle)
  try {
    session = await openSession(asked, startup)
    proxy.metrics.sessions.add(1)
    const running = session
    // From here on it is open, and whatever happens ends it at both sides and in the log.
    const ending = await run(running, {
      greet: () => {
        const { processId } = running.target
        cancelKey = newCancelKey(processId, minorOf(startup), proxy.sessions)
        greet(running, startup, cancelKey)
      },
      setIdle: (idle) => (isIdle = idle),
    })
    await finish(running, ending)
    proxy.metrics.sessions.add(-1)
  } catch (cause) {
    refuseSession(asked, cause)
  } finally {
    proxy.sessions.delete(asked.id)
    asked.mailbox.close()
    ended.resolve()
  }
}

const TOLD = {
  CS_LEASE_LOST: { reason: 'LeaseLost', words: 'the proxy could not renew its lease' },
  CS_SHUTTING_DOWN: { reason: 'Drained', words: 'the proxy is shutting down; connect again' },
  CS_MESSAGE_UNREADABLE: {
    reason: 'Failed',
    words: 'a record about this session cannot be read, so it cannot go on; connect again',
  },
} as const

/** Sends everything that a client waits for before its first request. */
function greet(session: Session, startup: Startup, cancelKey: BackendKey): void {
  const statuses = [...session.target.parameters].map(([name, value]) =>
    toClient.parameterStatus(name, value),
  )
  // Bytes that came before are a violation, which is the first thing that is taken.
  session.client.advance(authenticated)
  session.client.admit(session.agent, session.proxy.intake)
  session.target.onFrames((frames) => takeFrames(session, frames))
  session.client.write(
    Buffer.concat([
      toClient.authenticationOk(),
      ...statuses,
      toClient.parameterStatus(SESSION_ID, session.id),
      toClient.backendKeyData(cancelKey),
    ]),
  )
  const { otherEncoding } = settingsOf(startup)
  if (otherEncoding !== null)
    tell(session, toClient.noticeResponse(encodingNotice(otherEncoding, session.id)), null)
  session.client.write(toClient.readyForQuery('I'))
}

const encodingNotice = (asked: string, sessionId: string): ErrorFields => ({
  severity: 'WARNING',
  code: NOTICES.otherEncoding,
  message: 'countersign: this session speaks UTF8',
  detail: `The client asked for the encoding ${asked}.`,
  hint: 'Set PGCLIENTENCODING=UTF8, or a locale with UTF-8.',
  ...machineFields({ code: 'CS_OTHER_ENCODING', requestId: null, sessionId }),
})

/** Lets the agent in, and serves its requests until something ends the session; says what ended it. */
async function run(
  session: Session,
  { greet, setIdle }: { greet(): void; setIdle(idle: boolean): void },
): Promise<Ending> {
  const { client, target, journal, proxy } = session
  using _limit = endInTime(session)
  const turn = turns(proxy.clock.monotonicMs)
  const onTargetClosed = target.closed.then(() =>
    endSession(session, {
      reason: 'TargetClosed',
      code: 'CS_TARGET_FAILED',
      words: 'the target closed the connection',
    }),
  )
  proxy.net.detached('end of a target', onTargetClosed)
  const onStalled = client.stalled.then((why) => endSession(session, STALLED[why]))
  proxy.net.detached('a message that stopped', onStalled)
  journal.failed.catch((cause: unknown) =>
    endSession(session, {
      reason: 'LogUnavailable',
      code: 'CS_LOG_UNAVAILABLE',
      words: messageOf(cause),
    }),
  )
  try {
    greet()
    for (;;) {
      await turn.next()
      if (hasNoRoom(session)) await during(session, roomFor(session))
      setIdle(true)
      const pipeline = await during(session, agentInTime(session, nextPipeline(session)))
      setIdle(false)
      if (!Array.isArray(pipeline)) return pipeline
      session.isCancelled = false
      const isCancelled = (await memoryForCopies(session)) === CANCELLED
      // Behind an error of the target all is skipped as it is.
      if (isCancelled && !session.exchange.skipping) await refuseCancelled(session, pipeline)
      else await servePipeline(session, pipeline)
      client.done(...pipeline)
      if (pipeline.some(({ tag }) => tag === 'Parse' || tag === 'Bind')) namesWithinLimits(session)
      await lowered(session)
    }
  } catch (cause) {
    if (cause === SESSION_ENDED) return await session.ending.promise
    return endingOf(session, cause)
  } finally {
    session.isEnding = true
  }
}

/** The messages up to where the client waits for answers, or why there are no more. */
async function nextPipeline(session: Session): Promise<Request[] | Ending> {
  const { client } = session
  const messages: Request[] = []
  let bytes = 0
  for (;;) {
    const message = taken(session)
    if (message === undefined) {
      if (client.isGone())
        return { reason: 'ClientDisconnected', code: null, words: 'the agent disconnected' }
      if (messages.length === 0) await client.arrival()
      // PostgreSQL looks at each message as it comes, and its errors wait for no Sync.
      else if (!(await arrives(session, PIPELINE_PAUSE_MS))) return messages
      continue
    }
    if (message.tag === 'Terminate')
      return { reason: 'ClientTerminated', code: null, words: 'the agent said goodbye' }
    if (session.isSkipping && message.tag !== 'Sync') {
      client.done(message)
      continue
    }
    session.isSkipping = false
    if (message.tag === 'CopyData' || message.tag === 'CopyDone' || message.tag === 'CopyFail') {
      // Data that arrives when nobody asked for it belongs to a COPY that failed; PostgreSQL drops it too.
      if (messages.length === 0) {
        client.done(message)
        continue
      }
      // A client that knows what it asked for sends the data without having waited for the target.
      putBack(session, message)
      return messages
    }
    if (message.tag === 'Query' && messages.length > 0) {
      messages.push(message)
      return messages
    }
    messages.push(message)
    bytes += message.raw.length
    const waits =
      message.tag === 'Query' ||
      message.tag === 'Sync' ||
      message.tag === 'Flush' ||
      message.tag === 'FunctionCall' ||
      message.tag === 'Malformed'
    if (waits || messages.length >= PIPELINE_MESSAGES_MAX || bytes >= PIPELINE_BYTES_MAX)
      return messages
    // A request begins with the next message, so nothing is torn apart.
    if (message.tag === 'Execute' && isSlice(messages.length, bytes)) return messages
  }
}

/** Waits until a privilege is taken back, before anything else of the session runs; the backend itself is asked. */
async function lowered(session: Session): Promise<void> {
  const { raised, proxy } = session
  // A client that waits for an answer before it sends Sync gets it.
  if (raised === null || session.status !== 'I' || session.isPipelineOpen)
    return tellWithheld(session)
  const roles = new Set<string>()
  for (let one: Raised | null = raised; one !== null; one = one.earlier) {
    const name = `lower/${one.raiseId}`
    const limitMs = proxy.config.CS_CREDENTIAL_LIMIT_MS
    await during(session, session.mailbox.next(name, limitMs, 'CS_BROKER_UNAVAILABLE'))
    session.mailbox.forget(name)
    for (const role of one.roles) roles.add(role)
  }
  // A cursor WITH HOLD outlives its transaction, and would go on to deliver what only the privilege could read.
  const isClosed = (await ownQuery(session, 'close all')) !== null
  // A transaction that was rolled back has undone the `set role` of the raise.
  await actAsItself(session, true)
  if (!isClosed || (await privilegesConfirmed(session, [...roles])) !== 'none') {
    endSession(session, {
      reason: 'PrivilegeMismatch',
      code: 'CS_PRIVILEGE_MISMATCH',
      words: 'the target still lends the raised privilege',
    })
    throw SESSION_ENDED
  }
  await actAsItself(session, false)
  session.raised = null
  // The roles may have let it use schemas that are passed over now.
  session.isPathInDoubt = true
  tellWithheld(session)
}

function endingOf(session: Session, cause: unknown): Ending {
  if (!(cause instanceof Problem)) {
    session.proxy.logger.error(
      {
        sessionId: session.id,
        reason: messageOf(cause),
        stack: cause instanceof Error ? cause.stack : '',
      },
      'a session failed',
    )
    return { reason: 'Failed', code: 'CS_INTERNAL', words: 'an internal error' }
  }
  const hint = cause.hint === null ? '' : ` ${cause.hint}`
  return {
    reason: REASONS[cause.code] ?? 'Failed',
    code: cause.code,
    words: `${cause.message}.${hint}`,
  }
}

const REASONS: Readonly<Partial<Record<ErrorCode, EndReason>>> = {
  CS_LOG_UNAVAILABLE: 'LogUnavailable',
  CS_LEASE_LOST: 'LeaseLost',
  CS_PRIVILEGE_MISMATCH: 'PrivilegeMismatch',
}

/** The session never opened: the agent is told why, and so is the log. */
function refuseSession(asked: Asked, cause: unknown): void {
  const { proxy, client, journal } = asked
  const problem =
    cause instanceof Problem ? cause : new Problem('CS_INTERNAL', 'an internal error', { cause })
  if (!(cause instanceof Problem))
    proxy.logger.error(
      { reason: messageOf(cause), stack: cause instanceof Error ? cause.stack : '' },
      'a session failed to open',
    )
  proxy.metrics.refusedSessions.add(1, { code: problem.code })
  proxy.logger.info(
    { sessionId: asked.id, code: problem.code, reason: problem.message },
    'session refused',
  )
  client.end(refusalOf(asked.id, problem))
  // Refused before anything is on record: after the first ones of an address they are summed up.
  if (!proxy.logins.refused(client.address, problem, asked.wish)) return
  const at = proxy.clock.now()
  const written = journal.finish(() => ({
    type: 'SessionRefused',
    at,
    code: problem.code,
    reason: problem.message,
    clientAddress: client.address,
    logins: 1,
  }))
  proxy.net.detached('refusal of a session', written)
}

/** The refusal of a session for the agent; one of the target itself keeps its SQLSTATE. */
function refusalOf(sessionId: SessionId, problem: Problem): Buffer {
  const { code, message, hint, cause } = problem
  const fields = errorOf({ code, reason: message, hint, requestId: null, sessionId }, 'FATAL')
  const isTheirs = typeof cause === 'object' && cause !== null && 'sqlState' in cause
  return toClient.errorResponse(
    isTheirs && typeof cause.sqlState === 'string' ? { ...fields, code: cause.sqlState } : fields,
  )
}

const stalled = (words: string): Ending => ({
  reason: 'LimitReached',
  code: 'CS_SESSION_LIMIT',
  words: `${words} (CS_MEMORY_BYTES_MAX of the proxy)`,
})

const STALLED = {
  stopped: stalled(
    'hardly anything of a large message arrived for 10 s while others wait for memory',
  ),
  'kept waiting': stalled('for five minutes there was no memory for a large message'),
} as const
/** The parameter status with the session id, which drivers give to whoever has the connection. */
const SESSION_ID = 'countersign.session_id'
/** A long pipeline is served in slices, so that planning one of them keeps nobody waiting. */
const isSlice = (messages: number, bytes: number): boolean =>
  messages >= PIPELINE_SLICE_MESSAGES || bytes >= PIPELINE_SLICE_BYTES
const PIPELINE_SLICE_MESSAGES = 200
const PIPELINE_SLICE_BYTES = 256 * 1024
const PIPELINE_MESSAGES_MAX = 2_000
/** A client that says nothing for so long in the middle of a pipeline may wait for an error. */
const PIPELINE_PAUSE_MS = 200
const PIPELINE_BYTES_MAX = 8 * 1024 * 1024
