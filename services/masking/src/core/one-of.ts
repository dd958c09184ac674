import type { AnyMessage, MessageOf, MessageType } from '@countersign/contracts'

/** A guard for some of all messages, so that what is done with them can be exhaustive. */
export function oneOf<T extends MessageType>(...types: readonly T[]) {
  const names: ReadonlySet<string> = new Set(types)
  return (message: AnyMessage): message is MessageOf<T> => names.has(message.type)
}
