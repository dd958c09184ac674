import type { Catalog, CatalogDefinition } from '@countersign/catalog'

/** What becomes of a definition that was sent in. */
export type CatalogChange = {
  readonly kind: CatalogDefinition['type']
  readonly name: string
  readonly version: string
  readonly change: 'added' | 'changed' | 'unchanged'
}

/** What a definition changes in the catalog as it stands. */
export function changeOf(
  catalog: Catalog,
  { type, name, version }: CatalogDefinition,
): CatalogChange {
  const current = inForce(catalog, type).get(name)?.version
  const change = current === undefined ? 'added' : current === version ? 'unchanged' : 'changed'
  return { kind: type, name, version, change }
}

/** Everything in force of one kind. */
export function inForce(
  catalog: Catalog,
  type: CatalogDefinition['type'],
): ReadonlyMap<string, { readonly name: string; readonly version: string }> {
  switch (type) {
    case 'ConnectionProfileDefined':
      return catalog.profiles
    case 'ChainDefined':
      return catalog.chains
    case 'ReviewersDefined':
      return catalog.reviewers
    case 'PolicySetDefined':
      return catalog.policySets
    case 'MaskingRulesDefined':
      return catalog.maskingRules
  }
}

/** What is referred to comes before what refers to it, so that no reader sees a chain without its reviewers. */
export const APPLY_ORDER: readonly CatalogDefinition['type'][] = [
  'ReviewersDefined',
  'ChainDefined',
  'MaskingRulesDefined',
  'ConnectionProfileDefined',
  'PolicySetDefined',
]
