import type { AnyMessage } from '@countersign/contracts'
import { messageOf, Problem, rested } from '@countersign/kernel'
import type { Draft, Log, Recorded } from '@countersign/log'
import type { Logger } from './logger.ts'

/** The log, the logger and the end of an owner whose appends are repeated until they succeed. */
export type Appender = {
  readonly log: Log
  readonly logger: Logger
  /** True if the owner is being disposed: a failure is then thrown, not repeated. */
  isStopping(): boolean
}

/** Appends, however long that takes. A failed append is repeated with the same ids: a repeat is harmless. */
export async function appendUntilDone<M extends AnyMessage>(
  { log, logger, isStopping }: Appender,
  drafts: readonly Draft<M>[],
): Promise<Recorded<M>[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await log.append(drafts)
    } catch (cause) {
      if (isStopping() || (cause instanceof Problem && !cause.retriable)) throw cause
      logger.warn({ attempt, reason: messageOf(cause) }, 'the log does not answer; trying again')
      await rested(Math.min(50 * attempt, 1_000))
    }
  }
}
