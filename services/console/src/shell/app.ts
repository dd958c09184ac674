import express, { type ErrorRequestHandler, type Request, type Response } from 'express'
import type { TokenVerifier } from '@countersign/identity'
import { isUuid, messageOf, Problem, Secret } from '@countersign/kernel'
import type { Logger } from '@countersign/runtime'
import { problemDetails, problemOf } from '@countersign/runtime'
import type { Route } from './route.ts'
import type { Answer } from '@countersign/runtime'

/** The HTTP API: each operation verifies the token first, and ends with one answer or problem. */
export function consoleApp(use: {
  routes: readonly Route[]
  verify: TokenVerifier
  logger: Logger
}) {
  const { verify, logger } = use
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  for (const route of use.routes) {
    const limit = route.method === 'put' ? CATALOG_BYTES_MAX : BODY_BYTES_MAX
    // The token comes first, so that an unknown caller cannot make the console read a body.
    app[route.method](route.path, async (request, response) => {
      try {
        const token = bearerOf(request)
        const identity = await verify(token.expose())
        await parsed(request, response, limit)
        const { id } = request.params
        const call = {
          identity,
          token,
          id: typeof id === 'string' ? id : '',
          query: request.query,
          body: bodyOf(request),
        }
        send(response, await route.answer(call))
      } catch (thrown) {
        report(thrown)
        send(response, problemOf(thrown))
      }
    })
  }
  // The hint of a held request links here. There is no web page yet, so a text says how to go on.
  app.get(['/', '/requests/:id'], (request, response) => {
    const { id } = request.params
    const wanted = typeof id === 'string' && isUuid(id) ? id : '<request>'
    response.set('cache-control', 'no-store').type('text/plain').send(welcome(wanted))
  })
  app.use((request, response) => {
    const what = `${request.method} ${request.path.slice(0, 200)}`
    send(response, problemDetails('CS_NOT_FOUND', `There is no operation ${what}.`))
  })
  const onError: ErrorRequestHandler = (thrown: unknown, _request, response, _next) => {
    report(thrown)
    send(response, problemOf(thrown))
  }
  app.use(onError)
  return app

  function report(thrown: unknown): void {
    if (thrown instanceof Problem && !thrown.retriable) return
    logger.warn({ reason: messageOf(thrown) }, 'a call failed')
  }
}

function bearerOf(request: Request): Secret<string> {
  const found = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(request.get('authorization') ?? '')?.[1]
  if (found !== undefined) return new Secret(found)
  throw new Problem('CS_AUTH_REQUIRED', 'the call has no bearer token', {
    hint: 'Send the header "Authorization: Bearer <access token>".',
  })
}

const parsed = (request: Request, response: Response, limit: number): Promise<void> =>
  new Promise((resolve, reject) => {
    express.json({ limit })(request, response, (thrown?: unknown) => {
      if (thrown === undefined) resolve()
      else reject(thrown instanceof Error ? thrown : new Error(messageOf(thrown)))
    })
  })

/** Express gives bodies as any. */
const bodyOf = (request: Request): unknown => request.body

function send(response: Response, { status, body, type }: Answer): void {
  if (status === 401) response.set('www-authenticate', 'Bearer')
  response.set('cache-control', 'no-store')
  response
    .status(status)
    .type(type ?? 'application/json')
    .send(JSON.stringify(body))
}

const welcome = (
  request: string,
): string => `Countersign: the console, an HTTP API (there is no web page yet).

countersign requests                    what waits for a countersignature
countersign show ${request}
countersign approve ${request}
countersign deny ${request} --words "why not"

With --as <name> at a development identity provider, else with CS_TOKEN. "countersign --help" says more.
`

const BODY_BYTES_MAX = 64 * 1024
const CATALOG_BYTES_MAX = 2 * 1024 * 1024
