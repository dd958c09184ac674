import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EventId, Instant, InstanceId, uuidv7 } from '@countersign/kernel'
import { draftOf, type LogRecord } from '@countersign/log'
import { inMemoryLog } from '@countersign/log/in-memory'
import { startTelemetry } from './telemetry.ts'
import { traced } from './traced.ts'

describe('a trace', () => {
  it('goes on through the records that follow from each other, and never into those beside them', async () => {
    await using _telemetry = await startTelemetry('test')
    await using log = inMemoryLog({ source: 'test' })
    const appended = async () => void (await log.append([draft()]))
    const records = (): LogRecord[] => [...log.records('leases')]

    // Appended at the same moment, so that they share a batch.
    await Promise.all([appended(), traced('one', null, appended), traced('other', null, appended)])
    const [without, one, other] = records().map(({ trace }) => trace)
    assert.equal(without, null)
    assert.notEqual(traceIdOf(one), traceIdOf(other))

    await traced('what follows', one ?? null, appended)
    const following = records()
      .map(({ trace }) => trace)
      .at(-1)
    assert.equal(traceIdOf(following), traceIdOf(one))
    assert.notEqual(following?.traceparent, one?.traceparent)
  })
})

const traceIdOf = (trace: LogRecord['trace'] | undefined): string =>
  trace?.traceparent.split('-')[1] ?? assert.fail('there is no trace')

const instanceId = InstanceId(uuidv7(0))

const draft = () =>
  draftOf(
    { type: 'LeaseReleased', instanceId, at: Instant(0) },
    { id: EventId(uuidv7(0)), key: instanceId },
  )
