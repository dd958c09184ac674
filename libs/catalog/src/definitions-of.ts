import type { Catalog } from './catalog.ts'
import type { CatalogDefinition } from './kinds.ts'

/** Every definition in force: reviewers before the chains that name them; policy sets last, as they name others. */
export const definitionsOf = (catalog: Catalog): readonly CatalogDefinition[] => [
  ...catalog.reviewers.values(),
  ...catalog.chains.values(),
  ...catalog.maskingRules.values(),
  ...[...catalog.profiles.values()].map((profile) => ({
    type: 'ConnectionProfileDefined' as const,
    name: profile.name,
    version: profile.version,
    profile,
  })),
  ...catalog.policySets.values(),
]
