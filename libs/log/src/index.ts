export { oversize } from './appending.ts'
export { consequenceId, type Draft, type DraftOptions, draftOf } from './draft.ts'
export type {
  AppendOptions,
  Heeds,
  Log,
  LogRecord,
  Reader,
  ReadOptions,
  ReadToEndOptions,
  Span,
  TraceContext,
  Understood,
} from './log.ts'
export { formatPosition, parsePosition, type Position } from './position.ts'
export { Recorded } from './recorded.ts'
export { connectKafkaLog, type KafkaSettings } from './kafka/kafka-log.ts'
export type { Topology } from './topology.ts'
