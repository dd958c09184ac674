import type { Coverage, RequestAllowed } from '@countersign/contracts'
import type { EventId } from '@countersign/kernel'

/** A decision that covers later requests of its session. */
export type Cover = {
  readonly decisionId: EventId
  readonly decisionHash: string
  readonly coverage: Exclude<Coverage, 'None'>
  readonly decision: RequestAllowed
}

/** What the earlier decisions of a session cover, by coverage key. */
export type Covers = Map<string, Cover>

/** Remembers a decision, where it covers anything. The oldest goes when there are too many. */
export function remember(
  covers: Covers,
  decision: RequestAllowed,
  id: EventId,
  hash: string,
): void {
  if (decision.coverage === 'None' || decision.coverageKey === null) return
  if (covers.size >= COVERS_MAX) {
    const [oldest] = covers.keys()
    if (oldest !== undefined) covers.delete(oldest)
  }
  covers.set(decision.coverageKey, {
    decisionId: id,
    decisionHash: hash,
    coverage: decision.coverage,
    decision,
  })
}

/** The conditions under which a cover is good. */
export type CoverConditions = { policyVersion: string; stateVersion: number }

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
    return cover
  }
  return null
}

/** How many decisions a session remembers. */
const COVERS_MAX = 1_000
