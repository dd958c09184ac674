import type { AnyMessage } from '@countersign/contracts'
import type { LogRecord, Topology, Understood } from '@countersign/log'

/** What follows from a record: a message, and its key where that is not the key of the record. */
export type Consequence = {
  readonly message: AnyMessage
  readonly key?: string
}

/** What `decide` says: what follows, or that something else of this key must arrive first. */
export type Decision = readonly Consequence[] | 'wait'

/**
 * A service that decides: it folds what it reads into a state for each partition, and says what follows from a record.
 * The host restores the state from the log, gives each record once and in order of its key, appends what follows and
 * cites the cause, so that after a crash nothing is decided twice and nothing is left out.
 */
export type DeciderService<State> = {
  readonly topology: Topology
  /** Topics with one partition that are read whole before anything is decided, such as the catalog. */
  readonly globals: readonly string[]
  /**
   * Inputs of which most records ask nothing of this service, and nobody waits for what the others ask: they are read
   * some milliseconds late and many at a time, so that a busy session does not wake every service for every statement.
   */
  readonly unhurried?: readonly string[]
  /** Whether somebody waits for them after all, as of now. Never by default. */
  isUrgent?(state: State): boolean
  /** How much later than at once the other inputs are read while nothing in them is heeded; see `ReadOptions`. */
  readonly slowDownMs?: number
  newState(partition: number): State
  /** Folds a record of a global topic. Throwing stops the service: a skipped rule would open the door. */
  applyGlobal?(record: Understood): void
  /** Folds a record of an input, or of the own output once it is in the log. */
  apply(state: State, record: Understood | Extract<LogRecord, { status: 'tombstone' }>): void
  /** What follows from a record that was folded before. Throwing puts the record aside as rejected. */
  decide(state: State, record: Understood): Decision | Promise<Decision>
  /** What follows from a record that cannot be read or handled; usually the end of that session. */
  quarantine?(state: State, key: string, reason: string): readonly Consequence[]
}
