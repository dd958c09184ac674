import type { AnyMessage } from '@countersign/contracts'
import type { EventId } from '@countersign/kernel'
import type { Position } from './position.ts'

/**
 * The proof that a message is in the log: acknowledged by all in-sync replicas, at this position.
 * Only the log makes one; a function that takes a `Recorded` cannot be called with anything that was not recorded.
 */
export class Recorded<M extends AnyMessage = AnyMessage> {
  readonly #message: M
  readonly id: EventId
  readonly position: Position
  /** The hash that the next event of its chain cites. */
  readonly hash: string

  constructor(permit: typeof PERMIT, message: M, id: EventId, position: Position, hash: string) {
    if (permit !== PERMIT) throw new TypeError('only the log makes a Recorded')
    this.#message = message
    this.id = id
    this.position = position
    this.hash = hash
  }

  get message(): M {
    return this.#message
  }
}

/** The permit to make a `Recorded`. Only the implementations of the log hold it; the package does not export it. */
export const PERMIT: unique symbol = Symbol('the log')
