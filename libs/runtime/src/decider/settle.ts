import { metrics } from '@opentelemetry/api'
import { messageOf } from '@countersign/kernel'
import type { LogRecord, Understood } from '@countersign/log'
import { traced } from '../traced.ts'
import { follow } from './follow.ts'
import type { Fault, Partition } from './partition.ts'
import { puttingAside } from '../put-aside.ts'
import { isMisplaced } from './misplaced.ts'
import { rejecting } from './reject.ts'
import type { Running } from './running.ts'

/**
 * Decides on a record, and on the records of its key that waited for it. One that could not be folded is put aside like one
 * that cannot be decided on: what follows would be decided without it.
 */
export type Settle<State> = (
  partition: Partition<State>,
  record: LogRecord,
  fault?: Fault | null,
) => Promise<void>

export function settling<State>(running: Running<State>): Settle<State> {
  const { service, isStopping } = running
  const reject = rejecting(running)
  const putAside = puttingAside(service.topology.service, running)
  const meter = metrics.getMeter('countersign')
  const decided = meter.createCounter('countersign_records_decided', {
    description: 'Records decided on.',
  })
  const durations = meter.createHistogram('countersign_decide_duration_ms', {
    description: 'From the delivery of a record to the acknowledgement of what follows from it.',
  })

  return async (partition, record, fault = null) => {
    if (fault !== null) return reject(partition, record, messageOf(fault.thrown), fault.thrown)
    if (record.status === 'unreadable') return reject(partition, record, record.problem.message)
    if (record.status === 'tombstone') return
    if (isMisplaced(record)) {
      await putAside(record, 'the record stands under another session')
      return
    }
    const waiting = [...(partition.parked.get(record.key) ?? []), record]
    partition.parked.delete(record.key)
    const still: Understood[] = []
    for (const one of waiting) {
      const isBehind = still.some((earlier) => earlier.position.topic === one.position.topic)
      if (isBehind || !(await settled(partition, one))) still.push(one)
    }
    if (still.length > 0) partition.parked.set(record.key, still.slice(0, PARKED_MAX))
    for (const dropped of still.slice(PARKED_MAX))
      await reject(partition, dropped, 'too many records of this session wait')
  }

  /** False where another record must arrive first. */
  async function settled(partition: Partition<State>, record: Understood): Promise<boolean> {
    const began = performance.now()
    try {
      const decision = await service.decide(partition.state, record)
      if (decision === 'wait') return false
      decided.add(1)
      // Most records have no consequences.
      if (decision.length === 0) return true
      const by = { key: record.key, cause: record.id, causation: record.position }
      const name = `${service.topology.service} ${record.message.type}`
      await traced(name, record.trace, () => follow(running, partition, decision, by))
      durations.record(performance.now() - began)
    } catch (cause) {
      if (isStopping()) return true
      await reject(partition, record, messageOf(cause), cause)
    }
    return true
  }
}

const PARKED_MAX = 1_000
