import { type AnyMessage, encode, fingerprintOf, hashOf, topicOf } from '@countersign/contracts'
import { type EventId, uuidv5 } from '@countersign/kernel'
import type { Position } from './position.ts'

/** A message that is ready to be appended. Its bytes are made once, so that the hash is of what is written. */
export type Draft<M extends AnyMessage = AnyMessage> = {
  readonly message: M
  readonly id: EventId
  readonly topic: string
  readonly key: string
  /** Null lets the key choose the partition. */
  readonly partition: number | null
  readonly fingerprint: string
  readonly value: Buffer
  /** The record that caused this one. */
  readonly causation: Position | null
  /** The hash that the next event of the chain cites. */
  readonly hash: string
}

export type DraftOptions = {
  id: EventId
  key: string
  /** Only for `MessageRejected`, which stands in `<service>.rejected`. */
  topic?: string
  partition?: number
  causation?: Position | null
}

/** Makes a draft of a message. */
export function draftOf<M extends AnyMessage>(message: M, options: DraftOptions): Draft<M> {
  const fingerprint = fingerprintOf(message.type)
  const value = encode(message)
  return {
    message,
    id: options.id,
    topic: options.topic ?? topicOf(message.type),
    key: options.key,
    partition: options.partition ?? null,
    fingerprint,
    value,
    causation: options.causation ?? null,
    hash: hashOf(message.type, fingerprint, value),
  }
}

/** The id of an event that follows from another: a repeat of the same consequence has the same id (D5). */
export const consequenceId = (cause: EventId, type: string, index: number): EventId =>
  // Version 5 UUIDs are UUIDs; the constructor would only parse it again.
  uuidv5(cause, `${type}/${index}`) as EventId
