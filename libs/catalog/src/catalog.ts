import {
  type CatalogMessage,
  type Chain,
  type ChainDefined,
  type DefinitionRemoved,
  type MaskingRulesDefined,
  oneOf,
  type PolicySetDefined,
  type Profile,
  type ReviewersDefined,
} from '@countersign/contracts'
import { failed, ok, type Result, sha256 } from '@countersign/kernel'

/** Everything that was applied, as it stands now: the fold of the topic `catalog`. */
export type Catalog = {
  readonly profiles: ReadonlyMap<string, Profile>
  readonly chains: ReadonlyMap<string, ChainDefined>
  readonly reviewers: ReadonlyMap<string, ReviewersDefined>
  readonly policySets: ReadonlyMap<string, PolicySetDefined>
  readonly maskingRules: ReadonlyMap<string, MaskingRulesDefined>
}

export const emptyCatalog: Catalog = {
  // bound: one per name in the catalog
  profiles: new Map(),
  // bound: one per name in the catalog
  chains: new Map(),
  // bound: one per name in the catalog
  reviewers: new Map(),
  // bound: one per name in the catalog
  policySets: new Map(),
  // bound: one per name in the catalog
  maskingRules: new Map(),
}

/** The catalog after one more definition, or after one was taken away. */
export function applied(catalog: Catalog, defined: CatalogMessage): Catalog {
  switch (defined.type) {
    case 'ConnectionProfileDefined':
      return { ...catalog, profiles: withEntry(catalog.profiles, defined.name, defined.profile) }
    case 'ChainDefined':
      return { ...catalog, chains: withEntry(catalog.chains, defined.name, defined) }
    case 'ReviewersDefined':
      return { ...catalog, reviewers: withEntry(catalog.reviewers, defined.name, defined) }
    case 'PolicySetDefined':
      return { ...catalog, policySets: withEntry(catalog.policySets, defined.name, defined) }
    case 'MaskingRulesDefined':
      return { ...catalog, maskingRules: withEntry(catalog.maskingRules, defined.name, defined) }
    case 'DefinitionRemoved':
      return removed(catalog, defined)
  }
}

/** True if a message changes the catalog. */
export const isCatalogMessage = oneOf(
  'ConnectionProfileDefined',
  'ChainDefined',
  'PolicySetDefined',
  'MaskingRulesDefined',
  'ReviewersDefined',
  'DefinitionRemoved',
)

/** A chain with its reviewers written out, as a decision carries it. */
export function resolvedChain(catalog: Catalog, name: string): Result<Chain> {
  const chain = catalog.chains.get(name)
  if (chain === undefined) return failed(`there is no chain ${name}`)
  const stages = []
  for (const stage of chain.stages) {
    const reviewers = catalog.reviewers.get(stage.reviewers)
    if (reviewers === undefined)
      return failed(`chain ${name}: there are no reviewers ${stage.reviewers}`)
    stages.push({ ...stage, environment: reviewers.environment, groups: reviewers.groups })
  }
  return ok({ name, version: chain.version, stages, holdsCopyData: chain.holdsCopyData })
}

/** The version of all policy sets together: SHA-256 of their canonical text (D7). */
export function policyVersionOf(catalog: Catalog): string {
  const sets = [...catalog.policySets.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  return sha256(JSON.stringify(sets.map((set) => [set.name, set.version])))
}

/** The masking rules of an environment; those for named environments come first. Null when there are none. */
export function maskingRulesFor(catalog: Catalog, environment: string): MaskingRulesDefined | null {
  const all = [...catalog.maskingRules.values()]
  return (
    all.find((rules) => rules.environments.includes(environment)) ??
    all.find((rules) => rules.environments.length === 0) ??
    null
  )
}

/** The version of the masking rules of an environment. */
export const maskingRulesVersion = (catalog: Catalog, environment: string): string =>
  maskingRulesFor(catalog, environment)?.version ?? NO_RULES

/** The version of the rules where none are in force. */
export const NO_RULES = 'none'

function removed(catalog: Catalog, { kind, name }: DefinitionRemoved): Catalog {
  switch (kind) {
    case 'ConnectionProfile':
      return { ...catalog, profiles: withoutEntry(catalog.profiles, name) }
    case 'Chain':
      return { ...catalog, chains: withoutEntry(catalog.chains, name) }
    case 'Reviewers':
      return { ...catalog, reviewers: withoutEntry(catalog.reviewers, name) }
    case 'PolicySet':
      return { ...catalog, policySets: withoutEntry(catalog.policySets, name) }
    case 'MaskingRules':
      return { ...catalog, maskingRules: withoutEntry(catalog.maskingRules, name) }
  }
}

function withoutEntry<V>(map: ReadonlyMap<string, V>, name: string): ReadonlyMap<string, V> {
  const rest = new Map(map)
  rest.delete(name)
  return rest
}

function withEntry<V>(map: ReadonlyMap<string, V>, name: string, value: V): ReadonlyMap<string, V> {
  return new Map(map).set(name, value)
}
