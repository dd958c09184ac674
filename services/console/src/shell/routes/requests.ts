import { z } from 'zod'
import type { Caller } from '@countersign/contracts'
import { type Clock, isUuid, Problem, RequestId, sha256 } from '@countersign/kernel'
import { mayRead } from '../../core/audience.ts'
import type { HeldRequest } from '../../core/held-request.ts'
import { requestView } from '../../core/request-view.ts'
import { problemDetails } from '@countersign/runtime'
import { whenKnown } from '../patience.ts'
import type { Projection } from '../projection.ts'
import type { Route } from '../route.ts'

/** Reads requests that wait, or waited, for people. */
export function requestRoutes(projection: Projection, clock: Clock): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/v1/requests',
      answer: async ({ identity, query }) => {
        const read = QUERY.safeParse(query)
        if (!read.success) {
          const what = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
          return problemDetails(
            'CS_BAD_REQUEST',
            `The query is not as expected: ${what.join('; ')}.`,
          )
        }
        const asked = read.data
        const limitMs = asked.after === undefined ? 0 : asked.waitMs
        const answer = await whenKnown({ projection, clock, limitMs }, () => {
          const found = listOf(identity, asked)
          return found.etag === asked.after ? null : found
        })
        return { status: 200, body: answer ?? listOf(identity, asked) }
      },
    },
    {
      method: 'get',
      path: '/v1/requests/:id',
      answer: ({ identity, id }) => {
        const request = visibleRequest(projection, identity, id)
        if (request === null) throw unknownRequest(id)
        return { status: 200, body: requestView(request) }
      },
    },
  ]

  /** The requests that match the query and that the caller may see, oldest first; above the limit only the newest. */
  function listOf(identity: Caller, asked: Query) {
    const found = projection
      .requests()
      .filter(({ status }) => asked.status === 'all' || status === asked.status)
      .filter(({ requested }) => asked.profile === undefined || requested.profile === asked.profile)
      .filter(
        ({ requested: { requester } }) =>
          asked.agent === undefined || requester.agent === asked.agent,
      )
      .filter(
        ({ requested }) =>
          asked.since === undefined || requested.at >= Date.parse(asked.since) * 1_000,
      )
      .filter((request) => mayRead(identity, request, projection.catalog()))
      .sort((a, b) => a.requested.at - b.requested.at)
      .slice(-(asked.limit ?? LIMIT))
    const requests = found.map(requestView)
    const states = found.map(({ requested, revision }) => [requested.requestId, revision])
    return { requests, etag: sha256(JSON.stringify(states)).slice(0, 32) }
  }
}

const QUERY = z.object({
  status: z
    .enum(['pending', 'granted', 'denied', 'expired', 'withdrawn', 'superseded', 'all'])
    .default('pending'),
  profile: z.string().max(200).optional(),
  agent: z.string().max(200).optional(),
  since: z.iso.datetime().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).optional(),
  /** The etag of the list that the caller has: the answer waits until it is another one, at most `waitMs`. */
  after: z.string().max(64).optional(),
  waitMs: z.coerce.number().int().min(0).max(30_000).default(20_000),
})
type Query = z.infer<typeof QUERY>
const LIMIT = 1_000

/** The request with this id, or null. A request that somebody may not read does not exist for them. */
export function visibleRequest(
  projection: Projection,
  caller: Caller,
  id: string,
): HeldRequest | null {
  const request = isUuid(id) ? projection.request(RequestId(id)) : null
  return request !== null && mayRead(caller, request, projection.catalog()) ? request : null
}

export const unknownRequest = (id: string): Problem =>
  new Problem('CS_NOT_FOUND', `there is no held request ${id.slice(0, 80)} that you may see`, {
    hint: 'List those that wait with GET /v1/requests.',
  })
