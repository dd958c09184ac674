import { type Catalog, type CatalogDefinition, kindOfType } from '@countersign/catalog'
import type { DefinitionRemoved } from '@countersign/contracts'
import type { Instant } from '@countersign/kernel'

/** A definition that is in force. */
export type InForce = {
  readonly kind: CatalogDefinition['type']
  readonly name: string
  readonly version: string
}

/** The change to one definition: to one that was sent in, or to one that was not sent and is pruned. */
export type CatalogChange = {
  readonly kind: CatalogDefinition['type']
  readonly name: string
  readonly version: string
  readonly change: 'added' | 'changed' | 'unchanged' | 'removed'
}

/** The change that a definition makes to the catalog as it stands. */
export function changeOf(
  catalog: Catalog,
  { type, name, version }: CatalogDefinition,
): CatalogChange {
  const current = inForce(catalog, type).get(name)?.version
  const change = current === undefined ? 'added' : current === version ? 'unchanged' : 'changed'
  return { kind: type, name, version, change }
}

/** The definitions in force that were not sent, in an order for removal: each comes before those that it refers to. */
export function unmentioned(
  catalog: Catalog,
  definitions: readonly CatalogDefinition[],
): readonly InForce[] {
  const sent = new Set(definitions.map(({ type, name }) => `${type}/${name}`))
  return allInForce(catalog)
    .filter(({ kind, name }) => !sent.has(`${kind}/${name}`))
    .toReversed()
}

/** Takes a definition out of force. */
export const removalOf = (
  { kind, name, version }: InForce,
  author: string,
  at: Instant,
): DefinitionRemoved => ({
  type: 'DefinitionRemoved',
  kind: kindOfType(kind),
  name,
  version,
  author,
  at,
  signature: null,
})

/** All definitions in force; each comes after those that it refers to. */
export const allInForce = (catalog: Catalog): readonly InForce[] =>
  APPLY_ORDER.flatMap((kind) =>
    [...inForce(catalog, kind).values()].map(({ name, version }) => ({ kind, name, version })),
  )

/** Everything in force of one kind. */
function inForce(
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

/** Kinds in the order to apply them: a kind follows those it refers to, so no reader sees a chain without reviewers. */
export const APPLY_ORDER: readonly CatalogDefinition['type'][] = [
  'ReviewersDefined',
  'ChainDefined',
  'MaskingRulesDefined',
  'ConnectionProfileDefined',
  'PolicySetDefined',
]
