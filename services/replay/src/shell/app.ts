import express, { type ErrorRequestHandler, type Request, type Response } from 'express'
import type { Caller } from '@countersign/contracts'
import type { TokenVerifier } from '@countersign/identity'
import { after, messageOf, Problem } from '@countersign/kernel'
import type { Logger } from '@countersign/runtime'
import { ASK_TOPICS, type Asked, isAskOf, newSearch } from '../core/asked.ts'
import { readableBy } from '../core/audience.ts'
import { isComplete, type Overview } from '../core/overview.ts'
import type { Entry } from '../core/entry.ts'
import type { SessionRecord } from '../core/session-record.ts'
import { isAnswered, neededOf, newStory, type Ready } from '../core/story.ts'
import { type Telling, telling } from '../core/telling.ts'
import { headOf, summaryOf } from '../core/timeline.ts'
import { listenerOf } from './listener.ts'
import { follow } from './live.ts'
import { type Answer, netOn, problemDetails, problemOf } from '@countersign/runtime'
import type { Projection } from './projection.ts'
import { turnsOf } from './turns.ts'
import type { Vault } from './vault.ts'
import { askedAsJson, asJson, asLines, JSON_LINES } from './written.ts'

export type AppOptions = {
  projection: Projection
  vault: Vault
  verify: TokenVerifier
  logger: Logger
}

/** The HTTP API of replay. It only reads. */
export function replayApp({ projection, vault, verify, logger }: AppOptions) {
  const app = express()
  const net = netOn(logger)
  const lists = turnsOf(LISTS)
  const tellings = turnsOf(TELLINGS)
  const streams = turnsOf(STREAMS)
  const asks = turnsOf(ASKS)
  app.disable('x-powered-by')
  app.disable('etag')

  app.get('/v1/sessions', async (request, response) => {
    const { gone, rest } = listenerOf(response, net)
    const { agent } = await readerOf(request)
    const limit = limitOf(request)
    using _turn = await lists.taken(agent, gone)
    const mayRead = readableBy(await readerOf(request), projection.catalog())
    const sessions: object[] = []
    for (const session of projection.overviews()) {
      await rest()
      if (!isAsked(request.query['profile'], session.profile)) continue
      if (!isAsked(request.query['agent'], session.agent) || !mayRead(session)) continue
      sessions.push({ ...summaryOf(session), complete: isComplete(session) })
      if (sessions.length === limit) break
    }
    send(response, { status: 200, body: { sessions } })
  })

  app.get('/v1/sessions/:id', async (request, response) => {
    const { gone, write, end } = listenerOf(response, net)
    const { id } = request.params
    const reader = await readerOf(request)
    found(id, reader)
    const isLines = request.accepts(['json', JSON_LINES]) === JSON_LINES
    using _turn = await tellings.taken(reader.agent, gone)
    using _limit = after(TELLING_MS_MAX, () => response.destroy())
    const session = found(id, await readerOf(request))
    const told = await toldOf(session, gone)
    const head = headOf(session, told.mayHaveRun)
    response.set('cache-control', 'no-store').type(isLines ? JSON_LINES : 'json')
    const written = isLines ? asLines(head, told.entries()) : asJson(head, told.entries())
    for await (const text of written) await write(text)
    await end()
  })

  app.get('/v1/sessions/:id/requests/:request', async (request, response) => {
    const { gone, write, end } = listenerOf(response, net)
    const reader = await readerOf(request)
    await foundSoon(request.params.id, reader)
    using _turn = await asks.taken(reader.agent, gone)
    using _limit = after(ASK_MS_MAX, () => response.destroy())
    const known = await asked(request.params, await readerOf(request), gone)
    response.set('cache-control', 'no-store').type('json')
    for (const text of askedAsJson(known)) await write(text)
    await end()
  })

  app.get('/v1/sessions/:id/live', async (request, response) => {
    const listener = listenerOf(response, net)
    const { id } = request.params
    const reader = await readerOf(request)
    const { sessionId } = found(id, reader)
    using _stream = await streams.taken(reader.agent, listener.gone)
    // Above the token there is a little time for an end in order.
    using _token = listener.leaveAt(reader.expiresAt / 1_000 + END_MS_MAX)
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    let isNeeded = neededOf(new Set())
    using followed = projection.followed(sessionId, {
      caller: reader.agent,
      gone: listener.gone,
      before: (record) => isNeeded(record),
      fresh: ({ message }) => message.type !== 'RequestPart' || !message.stream,
      onCutOff: () => response.destroy(),
    })
    let story = newStory(isAnswered)
    async function* past(): AsyncGenerator<readonly Entry[]> {
      using _turn = await tellings.taken(reader.agent, listener.gone)
      using _limit = after(TELLING_MS_MAX, () => response.destroy())
      const session = found(id, await readerOf(request))
      const told = await toldOf(session, listener.gone, isAnswered)
      isNeeded = neededOf(told.open)
      story = newStory(isAnswered, told.lastEnd)
      yield* told.entries()
    }
    await follow(listener, {
      past: past(),
      next: async () => {
        const { session, records } = await followed.next()
        if (!isTheirs(session, reader)) throw missing()
        const entries = story.told(session, records, await vault.decrypterOf(sessionId))
        return { complete: isComplete(session), entries }
      },
      changed: followed.changed,
      untilMs: reader.expiresAt / 1_000,
    })
    await listener.end()
  })

  app.use((request, response) => {
    const what = `${request.method} ${request.path.slice(0, 200)}`
    send(response, problemDetails('CS_NOT_FOUND', `There is no operation ${what}.`))
  })
  const onError: ErrorRequestHandler = (thrown: unknown, _request, response, _next) => {
    if (!(thrown instanceof Problem) || thrown.retriable)
      logger.warn({ reason: messageOf(thrown) }, 'a call failed')
    // Half an answer must not look like a whole one, so the connection is broken off.
    if (response.headersSent) response.destroy()
    else send(response, problemOf(thrown))
  }
  app.use(onError)
  return app

  async function toldOf(session: Overview, gone: AbortSignal, isReady?: Ready): Promise<Telling> {
    const { sessionId, endedAt, transcriptSeen } = session
    return telling({
      read: (onRecord) => projection.read(sessionId, onRecord, { gone }),
      decrypt: await vault.decrypterOf(sessionId),
      isOver: endedAt !== null,
      ...(isReady === undefined ? {} : { isReady: (message) => isReady(message, transcriptSeen) }),
    })
  }

  /** Waits for a session: a reader may hear of a hold before we do. One that may not be seen is waited for as well. */
  async function foundSoon(id: string, reader: Caller): Promise<void> {
    const late = Promise.withResolvers<null>()
    using _limit = after(KNOWN_LIMIT_MS, () => late.resolve(null))
    for (;;) {
      const nothing = { before: () => false, fresh: () => false }
      using heard = projection.followed(id, { caller: reader.agent, ...nothing })
      if (isTheirs(projection.overview(id), reader)) return
      if ((await Promise.race([heard.changed(), late.promise])) === null) throw missing()
    }
  }

  async function asked(
    wanted: { id: string; request: string },
    reader: Caller,
    gone: AbortSignal,
  ): Promise<Asked> {
    const isWanted = ({ message }: SessionRecord) => isAskOf(message, wanted.request)
    const late = Promise.withResolvers<null>()
    using _limit = after(KNOWN_LIMIT_MS, () => late.resolve(null))
    using followed = projection.followed(wanted.id, {
      caller: reader.agent,
      gone,
      topics: ASK_TOPICS,
      before: isWanted,
      fresh: isWanted,
    })
    const search = newSearch(wanted.id, wanted.request)
    for (;;) {
      found(wanted.id, reader)
      const { records } = await followed.next()
      const known = search.next(records, await vault.decrypterOf(wanted.id))
      found(wanted.id, reader)
      if (known !== null) return known
      if ((await Promise.race([followed.changed(), late.promise])) === null) throw missing()
    }
  }

  /** The session, or CS_NOT_FOUND: a reader who may not see a session is not told that it exists. */
  function found(id: string, reader: Caller): Overview {
    const session = projection.overview(id)
    if (isTheirs(session, reader)) return session
    throw missing()
  }

  function isTheirs(session: Overview | null, reader: Caller): session is Overview {
    return session !== null && readableBy(reader, projection.catalog())(session)
  }

  async function readerOf(request: Request): Promise<Caller> {
    const header = request.get('authorization') ?? ''
    const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1]
    if (token !== undefined) return verify(token)
    throw new Problem('CS_AUTH_REQUIRED', 'the call has no bearer token', {
      hint: 'Send the header "Authorization: Bearer <access token>".',
    })
  }
}

const missing = (): Problem =>
  new Problem('CS_NOT_FOUND', 'there is no session that you may see with this id')

const isAsked = (wanted: unknown, value: string): boolean =>
  wanted === undefined || wanted === value

function limitOf(request: Request): number {
  const { limit } = request.query
  if (limit === undefined) return LIMIT
  const wanted = typeof limit === 'string' && /^\d{1,5}$/.test(limit) ? Number(limit) : 0
  if (wanted >= 1 && wanted <= LIMIT_MAX) return wanted
  throw new Problem('CS_BAD_REQUEST', `limit is a number from 1 to ${LIMIT_MAX}`)
}

function send(response: Response, { status, body, type }: Answer): void {
  if (status === 401) response.set('www-authenticate', 'Bearer')
  response.set('cache-control', 'no-store')
  response
    .status(status)
    .type(type ?? 'application/json')
    .send(JSON.stringify(body))
}

const LISTS = { atOnceMax: 4, ownMax: 1, ownWaitingMax: 20 }
/** Each takes some tens of megabytes: a piece of a session, or one request. */
const TELLINGS = { atOnceMax: 4, ownMax: 1, ownWaitingMax: 10 }
const ASKS = { atOnceMax: 4, ownMax: 2, ownWaitingMax: 20 }
const STREAMS = { atOnceMax: 200, ownMax: 10, ownWaitingMax: 0 }
/** A reader that takes longer is cut off, to make room for others. */
const TELLING_MS_MAX = 600_000
const ASK_MS_MAX = 60_000
/** The time that the end of a stream may take. */
const END_MS_MAX = 5_000
/** The time for which a request that is not known yet is waited for. */
const KNOWN_LIMIT_MS = 2_000
const LIMIT = 100
const LIMIT_MAX = 1_000
