import type { Coverage, RequestAllowed } from '@countersign/contracts'
import { type EventId, keepNewest } from '@countersign/kernel'

/** A decision that covers later requests of its session. */
export type Cover = {
  readonly decisionId: EventId
  readonly decisionHash: string
  readonly coverage: Exclude<Coverage, 'None'>
  readonly decision: RequestAllowed
  /** The catalog offset that policy had last reported when it decided, or a moment before. */
  readonly catalogOffset: number
}

/** The earlier decisions of a session that cover later requests, by coverage key. */
export type Covers = Map<string, Cover>

/** Remembers a decision, where it covers anything. The oldest goes when there are too many. */
export function remember(
  covers: Covers,
  decision: RequestAllowed,
  of: { id: EventId; hash: string; catalogOffset: number },
): void {
  if (decision.coverage === 'None' || decision.coverageKey === null) return
  covers.set(decision.coverageKey, {
    decisionId: of.id,
    decisionHash: of.hash,
    coverage: decision.coverage,
    decision,
    catalogOffset: of.catalogOffset,
  })
  keepNewest(covers, COVERS_MAX)
}

/**
 * The conditions under which a cover is good. A catalog offset that has moved since may mean new masking rules, under
 * which the statement is tainted.
 */
export type CoverConditions = { policyVersion: string; stateVersion: number; catalogOffset: number }

/** The decision that covers one of these keys now, if any does. */
export function coverOf(
  covers: Covers,
  keys: Iterable<string>,
  now: CoverConditions,
): Cover | null {
  for (const key of keys) {
    const cover = covers.get(key)
    if (cover === undefined) continue
    if (cover.decision.policyVersion !== now.policyVersion) continue
    if (cover.decision.stateVersion !== now.stateVersion) continue
    if (cover.catalogOffset !== now.catalogOffset) continue
    return cover
  }
  return null
}

/** The most decisions that a session remembers. */
const COVERS_MAX = 1_000
