import { z } from 'zod'
import type { Caller } from '@countersign/contracts'
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
      const request = visibleRequest(projection, identity, id)
      if (request === null) throw unknownRequest(id)
      return { status: 200, body: requestView(request) }
    },
  },
]

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
