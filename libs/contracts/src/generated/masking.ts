// Generated from schemas/masking by libs/contracts/generate.ts; do not edit.
import type { Instant, SessionId } from '@countersign/kernel'
import type { DetectorRule, MaskedColumn, MaskingMethod, PlannedRelation } from './common.ts'

/** How the results of a session are masked; without it nothing is released. */
export type MaskingPlanned = {
  readonly type: 'MaskingPlanned'
  /** The session; also the key of the record. */
  readonly sessionId: SessionId
  /** When it happened, by the clock of the writer. */
  readonly at: Instant
  /** SHA-256 of the plan. */
  readonly planVersion: string
  /** The description of the target that it was made from. */
  readonly targetVersion: string
  /** The version of the masking rules. */
  readonly rulesVersion: string
  /** The tagged columns. */
  readonly columns: readonly MaskedColumn[]
  /** What happens to columns without a tag, before the detectors. */
  readonly untagged: 'Pass' | 'Redact'
  /** How computed columns of a tainted statement are masked. */
  readonly tainted: MaskingMethod
  /** The content detectors. */
  readonly detectors: readonly DetectorRule[]
  /** How columns with password-like names are masked; null leaves them. */
  readonly passwordLike: MaskingMethod | null
  /** Everything that the plan knows of the target; columns of other relations are masked whole, but for those of PostgreSQL itself. */
  readonly relations: readonly PlannedRelation[]
  /** The rules mask nothing and the target has no labels: whatever comes passes, also of relations that nobody described. */
  readonly masksNothing: boolean
}

/** Everything that may stand in the topic `masking`. */
export type MaskingMessage =
  | MaskingPlanned
