import type { Catalog } from './catalog.ts'
import type { CatalogDefinition } from './kinds.ts'

/** Every definition that is in force, what is referred to first. */
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
