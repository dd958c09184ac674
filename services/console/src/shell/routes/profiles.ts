import type { Projection } from '../projection.ts'
import type { Route } from '../route.ts'

/** Says to what one can connect. Where targets are, and their secrets, are nobody's business here. */
export const profileRoutes = (projection: Projection): readonly Route[] => [
  {
    method: 'get',
    path: '/v1/profiles',
    answer: () => ({
      status: 200,
      body: {
        profiles: [...projection.catalog().profiles.values()].map((profile) => ({
          name: profile.name,
          version: profile.version,
          environment: profile.environment,
          protocol: 'postgres',
          recording: profile.recording,
          sessionMaxMs: profile.sessionMaxMs,
          rowsMax: profile.rowsMax,
        })),
      },
    }),
  },
]
