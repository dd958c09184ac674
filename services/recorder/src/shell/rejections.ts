import { metrics } from '@opentelemetry/api'
import { type Clock, type ErrorCode, EventId, type SessionId, uuidv5 } from '@countersign/kernel'
import { draftOf, formatPosition, type Log } from '@countersign/log'
import type { Logger } from '@countersign/runtime'
import type { Finding } from '../core/citations.ts'
import { REJECTED, topology } from '../topology.ts'

/** Puts on record what is wrong with the log. Without an acknowledgement it throws, and the record is read again after a restart. */
export type Rejections = {
  unreadable(sessionId: SessionId, code: ErrorCode, finding: Finding): Promise<void>
  broken(sessionId: SessionId, finding: Finding): Promise<void>
}

export function rejectionsInto(options: { log: Log; logger: Logger; clock: Clock }): Rejections {
  const { log, logger, clock } = options
  const broken = metrics.getMeter('countersign').createCounter('countersign_chains_broken', {
    description: 'Events that do not follow from what was before, or cite what is not there.',
  })
  return {
    unreadable: reject,
    async broken(sessionId, finding) {
      const { position, reason } = finding
      broken.add(1)
      logger.error({ sessionId, position: formatPosition(position) }, reason)
      await reject(sessionId, 'CS_CHAIN_BROKEN', finding)
    },
  }

  async function reject(sessionId: SessionId, code: ErrorCode, finding: Finding): Promise<void> {
    const { position, reason } = finding
    const message = {
      type: 'MessageRejected',
      service: topology.service,
      at: clock.now(),
      ...position,
      code,
      reason: reason.slice(0, REASON_CHARACTERS_MAX),
    } as const
    const draft = draftOf(message, {
      id: EventId(uuidv5(REJECTIONS, formatPosition(position))),
      key: sessionId,
      topic: REJECTED,
      causation: position,
    })
    await log.append([draft], { limitMs: REJECT_LIMIT_MS })
  }
}

const REJECT_LIMIT_MS = 10_000
const REASON_CHARACTERS_MAX = 500
const REJECTIONS = '0c7c3b0e-93a4-5d0b-8c0a-5f6a1de1f0b7'
