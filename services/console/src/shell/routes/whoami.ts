import { isoOf } from '@countersign/kernel'
import { mayApply, reviews } from '../../core/audience.ts'
import type { Projection } from '../projection.ts'
import type { Route } from '../route.ts'

/** Says who the caller is, from the same token that every decision about them uses. */
export const whoamiRoutes = (projection: Projection): readonly Route[] => [
  {
    method: 'get',
    path: '/v1/whoami',
    answer: ({ identity }) => ({
      status: 200,
      body: {
        name: identity.agent,
        isAgent: identity.isAgent,
        behalfOf: identity.behalfOf,
        groups: identity.groups,
        reviews: reviews(identity, projection.catalog()),
        mayApply: mayApply(identity),
        expiresAt: isoOf(identity.expiresAt),
      },
    }),
  },
]
