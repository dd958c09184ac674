import type { MessageOf, MessageType } from './codec.ts'
import type { AnyMessage } from './generated/registry.ts'

/** A type guard for some of all messages, so that a switch over them can be exhaustive. */
export function oneOf<T extends MessageType>(...types: readonly T[]) {
  const names: ReadonlySet<string> = new Set(types)
  return (message: AnyMessage): message is MessageOf<T> => names.has(message.type)
}
