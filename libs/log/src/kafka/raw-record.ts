import type { KafkaMessage } from 'kafkajs'
import { recordOf } from '../envelope.ts'
import type { LogRecord } from '../log.ts'

/** A message of kafkajs as a record of the log. */
export const recordFrom = (topic: string, partition: number, message: KafkaMessage): LogRecord =>
  recordOf({
    position: { topic, partition, offset: Number(message.offset) },
    key: message.key?.toString('utf8') ?? '',
    timestampMs: Number(message.timestamp),
    headers: message.headers ?? {},
    value: message.value,
  })
