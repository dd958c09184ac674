import type { LogRecord } from '@countersign/log'
import { puttingAside } from '../put-aside.ts'
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
    const ending = service.quarantine?.(partition.state, key, reason) ?? []
    await follow(running, partition, ending, { key, cause: id, causation: position })
  }
}
