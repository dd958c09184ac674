import { z } from 'zod'
import { isUuid, Problem, RequestId } from '@countersign/kernel'
import { mayRead } from '../../core/audience.ts'
import type { HeldRequest } from '../../core/held-request.ts'
import { requestView } from '../../core/request-view.ts'
import { problemDetails } from '@countersign/runtime'
import type { Projection } from '../projection.ts'
import type { Route } from '../route.ts'

/** Reads requests that wait, or waited, for people. */
export const requestRoutes = (projection: Projection): readonly Route[] => [
  {
    method: 'get',
    path: '/v1/requests',
    answer: ({ identity, query }) => {
      const status = z.enum(['pending', 'all']).default('pending').safeParse(query['status'])
      if (!status.success) return problemDetails('CS_BAD_REQUEST', 'The status is pending or all.')
      const requests = projection
        .requests()
        .filter((request) => status.data === 'all' || request.status === 'pending')
        .filter((request) => mayRead(identity, request, projection.catalog()))
        .sort((a, b) => a.requested.at - b.requested.at)
      return { status: 200, body: { requests: requests.map(requestView) } }
    },
  },
  {
    method: 'get',
    path: '/v1/requests/:id',
    answer: ({ identity, id }) => {
      const request = heldRequest(projection, id)
      // What somebody may not read does not exist for them.
      if (!mayRead(identity, request, projection.catalog())) throw unknown(id)
      return { status: 200, body: requestView(request) }
    },
  },
]

/** The request with this id, or a problem. */
export function heldRequest(projection: Projection, id: string): HeldRequest {
  const request = requestWith(projection, id)
  if (request === null) throw unknown(id)
  return request
}

/** The request with this id, or null. */
export const requestWith = (projection: Projection, id: string): HeldRequest | null =>
  isUuid(id) ? projection.request(RequestId(id)) : null

const unknown = (id: string): Problem =>
  new Problem('CS_NOT_FOUND', `there is no held request ${id.slice(0, 80)} that you may see`, {
    hint: 'List those that wait with GET /v1/requests.',
  })
