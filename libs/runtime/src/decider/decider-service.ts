import type { AnyMessage } from '@countersign/contracts'
import type { LogRecord, Topology, Understood } from '@countersign/log'

/** A consequence of a record: a message, and its key where that is not the key of the record. */
export type Consequence = {
  readonly message: AnyMessage
  readonly key?: string
}

/** The result of `decide`: the consequences, or that another record of this key must arrive first. */
export type Decision = readonly Consequence[] | 'wait'

/**
 * A service that decides: it folds its inputs into a state for each partition, and gives the consequences of a record.
 * The host restores the state from the log, delivers each record once and in the order of its key, appends the
 * consequences and cites the cause, so that after a crash nothing is decided twice and nothing is left out.
 */
export type DeciderService<State> = {
  readonly topology: Topology
  /** Topics with one partition that are read whole before anything is decided, such as the catalog. */
  readonly globals: readonly string[]
  /**
   * Inputs whose records mostly ask nothing of this service, and never something that somebody waits for: they are read
   * some milliseconds late and many at a time, so that a busy session does not wake every service for every statement.
   */
  readonly unhurried?: readonly string[]
  /** True if somebody waits for the unhurried inputs at this moment after all. Never by default. */
  isUrgent?(state: State): boolean
  /** The longest rest between fetches of the other inputs while nothing in them is heeded, in ms; see `ReadOptions`. */
  readonly slowDownMs?: number
  newState(partition: number): State
  /** Folds a record of a global topic. Throwing stops the service: a skipped rule would open the door. */
  applyGlobal?(record: Understood): void
  /** Folds a record of an input, or of the own output once it is in the log. Throwing puts the record aside as rejected. */
  apply(state: State, record: Understood | Extract<LogRecord, { status: 'tombstone' }>): void
  /** The consequences of a record that was folded before. Throwing puts the record aside as rejected. */
  decide(state: State, record: Understood): Decision | Promise<Decision>
  /** The consequences of a record that cannot be read or handled; usually the end of that session. */
  quarantine?(state: State, key: string, reason: string): readonly Consequence[]
}
