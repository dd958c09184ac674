import type { ApprovalRequested } from '@countersign/contracts'
import type { Instant } from '@countersign/kernel'

/** The approval of one held request: what its history says. */
export type Approval =
  | { readonly status: 'new' }
  | Pending
  | { readonly status: Ended }
  /** Its session is over, and how it ended is not remembered any more. */
  | { readonly status: 'over' }

/** The ways in which an approval may end. */
export type Ended = 'granted' | 'denied' | 'expired' | 'withdrawn' | 'superseded'

/** An approval that waits for people. */
export type Pending = {
  readonly status: 'pending'
  readonly requested: ApprovalRequested
  /** One entry for each chain, in the order of the chains. */
  readonly progress: readonly Progress[]
}

/** The progress of one chain: its current stage, and those who countersigned so far. */
export type Progress = {
  readonly chain: string
  /** The index of the current stage; past the last one, the chain has granted. */
  readonly stage: number
  /** The deadline of the current stage; null when the chain has granted. */
  readonly deadline: Instant | null
  /** Those who countersigned the current stage. */
  readonly signers: readonly Signer[]
  /** The names of those who countersigned the stages before it. */
  readonly earlier: readonly string[]
}

/** A person who countersigned, with those groups of the stage that they are in. */
export type Signer = { readonly by: string; readonly groups: readonly string[] }
