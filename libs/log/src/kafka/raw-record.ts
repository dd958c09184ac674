import type { KafkaMessage } from 'kafkajs'
import { type HeaderView, type RawRecord, viewOf } from '../envelope.ts'
import { headersOfRead } from './record.ts'

/** A message of kafkajs as a record of the log. */
export const rawRecordOf = (
  topic: string,
  partition: number,
  message: KafkaMessage,
): RawRecord => ({
  position: { topic, partition, offset: Number(message.offset) },
  key: message.key?.toString('utf8') ?? '',
  timestampMs: Number(message.timestamp),
  headers: headersIn(message),
  value: message.value,
})

/** The headers of a message; a message that kafkajs decoded itself has them ready. */
const headersIn = (message: KafkaMessage): HeaderView =>
  headersOfRead(message) ?? viewOf(message.headers ?? {})
