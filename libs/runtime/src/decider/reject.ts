import { metrics } from '@opentelemetry/api'
import type { AnyMessage } from '@countersign/contracts'
import { EventId, Problem, systemClock, uuidv5 } from '@countersign/kernel'
import { draftOf, formatPosition, type LogRecord } from '@countersign/log'
import { appendUntilDone, follow } from './follow.ts'
import type { Partition } from './partition.ts'
import type { Running } from './running.ts'

/** Puts a record aside, with the reason. It is never dropped. */
export type Reject<State> = (
  partition: Partition<State>,
  record: LogRecord,
  reason: string,
  cause?: unknown,
) => Promise<void>

export function rejecting<State>(running: Running<State>): Reject<State> {
  const { service, logger } = running
  const name = service.topology.service
  const rejected = metrics.getMeter('countersign').createCounter('countersign_records_rejected', {
    description: 'Records put aside.',
  })
  return async (partition, record, reason, cause) => {
    const { position, key } = record
    const stack = cause instanceof Error ? { stack: cause.stack } : {}
    logger.error({ position: formatPosition(position), reason, ...stack }, 'a record is put aside')
    rejected.add(1)
    const id = EventId(uuidv5(REJECTIONS, `${name}/${formatPosition(position)}`))
    const message: AnyMessage = {
      type: 'MessageRejected',
      service: name,
      at: systemClock.now(),
      ...position,
      code: cause instanceof Problem ? cause.code : 'CS_MESSAGE_UNREADABLE',
      reason: reason.slice(0, REASON_CHARACTERS_MAX),
    }
    const topic = `${name}.rejected`
    await appendUntilDone(running, [draftOf(message, { id, key, topic, causation: position })])
    const ending = service.quarantine?.(partition.state, key, reason) ?? []
    await follow(running, partition, ending, { key, cause: id, causation: position })
  }
}

const REASON_CHARACTERS_MAX = 500
const REJECTIONS = '5d0f3a52-9f7c-5b8e-8a40-0c1c7a3d9e22'
