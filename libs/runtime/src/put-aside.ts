import { metrics } from '@opentelemetry/api'
import { EventId, Problem, systemClock, uuidv5 } from '@countersign/kernel'
import { draftOf, formatPosition, type LogRecord } from '@countersign/log'
import { type Appender, appendUntilDone } from './append-until-done.ts'

/**
 * Writes to `<service>.rejected` which record the service cannot handle, and why; a record is never dropped. Gives the id
 * of the rejection, which is the same each time that any process of the service meets the record.
 */
export type PutAside = (record: LogRecord, reason: string, cause?: unknown) => Promise<EventId>

export function puttingAside(service: string, appender: Appender): PutAside {
  const rejected = metrics.getMeter('countersign').createCounter('countersign_records_rejected', {
    description: 'Records put aside.',
  })
  return async (record, reason, cause) => {
    const { position, key } = record
    const stack = cause instanceof Error ? { stack: cause.stack } : {}
    const fields = { position: formatPosition(position), reason, ...stack }
    appender.logger.error(fields, 'a record is put aside')
    rejected.add(1)
    const id = EventId(uuidv5(REJECTIONS, `${service}/${formatPosition(position)}`))
    const message = {
      type: 'MessageRejected',
      service,
      at: systemClock.now(),
      ...position,
      code: cause instanceof Problem ? cause.code : 'CS_MESSAGE_UNREADABLE',
      reason: reason.slice(0, REASON_CHARACTERS_MAX),
    } as const
    const topic = `${service}.rejected`
    await appendUntilDone(appender, [draftOf(message, { id, key, topic, causation: position })])
    return id
  }
}

const REASON_CHARACTERS_MAX = 500
const REJECTIONS = '5d0f3a52-9f7c-5b8e-8a40-0c1c7a3d9e22'
