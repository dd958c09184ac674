import type { LogRecord } from '@countersign/log'
import { countFault } from '../net.ts'
import { puttingAside } from '../put-aside.ts'
import type { Consequence } from './decider-service.ts'
import { follow } from './follow.ts'
import type { Partition } from './partition.ts'
import type { Running } from './running.ts'

/** Puts a record aside, and appends the consequences for its key. */
export type Reject<State> = (
  partition: Partition<State>,
  record: LogRecord,
  reason: string,
  cause?: unknown,
) => Promise<void>

export function rejecting<State>(running: Running<State>): Reject<State> {
  const { service } = running
  const putAside = puttingAside(service.topology.service, running)
  return async (partition, record, reason, cause) => {
    const { position, key } = record
    const id = await putAside(record, reason, cause)
    const ending = quarantined(running, partition, key, reason)
    await follow(running, partition, ending, { key, cause: id, causation: position })
  }
}

/**
 * The consequences for a key of which something could not be handled. Where even these cannot be made, that is told and
 * counted, and whoever waits for the key is refused when its time is over.
 */
export function quarantined<State>(
  { service, logger }: Running<State>,
  partition: Partition<State>,
  key: string,
  reason: string,
): readonly Consequence[] {
  try {
    return service.quarantine?.(partition.state, key, reason) ?? []
  } catch (cause) {
    countFault(logger, 'quarantine', cause)
    return []
  }
}
