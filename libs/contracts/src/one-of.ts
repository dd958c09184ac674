import type { MessageOf, MessageType } from './codec.ts'
import type { AnyMessage } from './generated/registry.ts'

/** A guard for some of all messages, so that what is done with them can be exhaustive. */
export function oneOf<T extends MessageType>(...types: readonly T[]) {
  const names: ReadonlySet<string> = new Set(types)
  return (message: AnyMessage): message is MessageOf<T> => names.has(message.type)
}
