import { maskingRulesFor } from '@countersign/catalog'
import type { Projection } from '../projection.ts'
import type { Route } from '../route.ts'

/** Lists the profiles that one can connect to. Addresses and secrets of targets are never shown. */
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
          /** Null where no rules are for the environment, so that everything is masked. */
          maskingRules: maskingRulesFor(projection.catalog(), profile.environment)?.name ?? null,
          sessionMaxMs: profile.sessionMaxMs,
          rowsMax: profile.rowsMax,
        })),
      },
    }),
  },
]
