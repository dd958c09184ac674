import {
  applied,
  type Catalog,
  emptyCatalog,
  isCatalogMessage,
  policyVersionOf,
  resolvedChain,
} from '@countersign/catalog'
import type { AnyMessage, ApprovalRequested, Chain, Identity } from '@countersign/contracts'
import { keepNewest, sha256 } from '@countersign/kernel'

/** The part of the catalog that approval needs, kept current. */
export type Rules = {
  apply(message: AnyMessage): void
  /** The environments in which somebody is a reviewer. */
  environmentsOf(identity: Identity): readonly string[]
  /**
   * The reason that a request was decided by earlier rules: its policy version, or one of its chains with the reviewers, was in
   * force before and is not now. Null otherwise: what was never in force here is newer, since policy may have read further.
   */
  outdated(requested: Pick<ApprovalRequested, 'policyVersion' | 'chains'>): string | null
}

export function newRules(): Rules {
  let catalog: Catalog = emptyCatalog
  let version = policyVersionOf(catalog)
  // bound: one per chain of the catalog
  let chains: ReadonlyMap<string, string> = new Map()
  // bound: OUTDATED_MAX
  const outdated = new Set<string>()
  return {
    apply(message) {
      if (!isCatalogMessage(message)) return
      catalog = applied(catalog, message)
      const before = [version, ...chains.values()]
      version = policyVersionOf(catalog)
      chains = chainsIn(catalog)
      const now = new Set([version, ...chains.values()])
      for (const each of before) if (!now.has(each)) outdated.add(each)
      for (const each of now) outdated.delete(each)
      keepNewest(outdated, OUTDATED_MAX)
    },
    environmentsOf: ({ groups }) => [
      ...new Set(
        [...catalog.reviewers.values()]
          .filter((reviewers) => reviewers.groups.some((group) => groups.includes(group)))
          .map(({ environment }) => environment),
      ),
    ],
    outdated(requested) {
      if (outdated.has(requested.policyVersion)) return 'the policy changed'
      const chain = requested.chains.find((each) => outdated.has(textOf(each)))
      return chain === undefined ? null : `the chain ${chain.name} or its reviewers changed`
    },
  }
}

/** The chains that can be asked, by name, each with its reviewers as one text. */
function chainsIn(catalog: Catalog): ReadonlyMap<string, string> {
  const found = [...catalog.chains.keys()].flatMap((name) => {
    const chain = resolvedChain(catalog, name)
    return chain.ok ? [[name, textOf(chain.value)] as const] : []
  })
  return new Map(found)
}

/**
 * A chain as one text. Its version stays when only its reviewers change, and changes where none of its stages does, so it
 * does not count.
 */
const textOf = ({ name, stages, holdsCopyData }: Chain): string =>
  sha256(
    JSON.stringify([
      ...[name, holdsCopyData],
      // Field by field: a chain that was read from the log has its fields in another order than one that was put together.
      ...stages.map((stage) => [
        ...[stage.name, stage.reviewers, stage.environment, stage.groups, stage.mode, stage.quorum],
        ...[stage.deadlineMs, stage.distinctFrom],
      ]),
    ]),
  )

/** Above this many outdated versions of policies and chains the oldest is forgotten: no request waits while the catalog changes so often. */
const OUTDATED_MAX = 100_000
