import {
  applied,
  type Catalog,
  emptyCatalog,
  isCatalogMessage,
  policyVersionOf,
} from '@countersign/catalog'
import type { AnyMessage, Identity } from '@countersign/contracts'
import { keepNewest } from '@countersign/kernel'

/** The part of the catalog that approval needs, kept current. */
export type Rules = {
  apply(message: AnyMessage): void
  /** The environments in which somebody is a reviewer. */
  environmentsOf(identity: Identity): readonly string[]
  /** True if a policy version was in force before the one that is now. Versions never seen are not. */
  isOutdated(policyVersion: string): boolean
}

export function newRules(): Rules {
  let catalog: Catalog = emptyCatalog
  let version = policyVersionOf(catalog)
  // bound: OUTDATED_MAX
  const outdated = new Set<string>()
  return {
    apply(message) {
      if (!isCatalogMessage(message)) return
      catalog = applied(catalog, message)
      outdated.add(version)
      version = policyVersionOf(catalog)
      outdated.delete(version)
      keepNewest(outdated, OUTDATED_MAX)
    },
    environmentsOf: ({ groups }) => [
      ...new Set(
        [...catalog.reviewers.values()]
          .filter((reviewers) => reviewers.groups.some((group) => groups.includes(group)))
          .map(({ environment }) => environment),
      ),
    ],
    isOutdated: (policyVersion) => outdated.has(policyVersion),
  }
}

/** Above this many outdated versions the oldest is forgotten: no request waits while the catalog changes so often. */
const OUTDATED_MAX = 100_000
