import type { MessageType } from '@countersign/contracts'
import type { ReadOptions } from './log.ts'

/** The types of message that a reader heeds, by topic; a topic that is not in it is heeded whole. */
export const heededOf = ({ heeds }: ReadOptions): ReadonlyMap<string, ReadonlySet<MessageType>> =>
  new Map(Object.entries(heeds ?? {}).map(([topic, types]) => [topic, new Set(types)]))
