import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Secret } from '@countersign/kernel'
import { draft, logContract } from '../log.contract.ts'
import type { LogRecord } from '../log.ts'
import { createTopics } from '../provision.ts'
import type { Recorded } from '../recorded.ts'
import { connectKafkaLog } from './kafka-log.ts'
import { type KafkaUnderTest, kafkaUnderTest } from './kafka-under-test.ts'

logContract('Kafka', kafkaUnderTest)

describe('the log on Kafka', () => {
  let kafka: KafkaUnderTest
  before(async () => {
    kafka = await kafkaUnderTest()
  })
  afterEach(() => kafka.thaw()) // Where a test failed in the cold, the next still finds a Kafka.
  after(() => kafka[Symbol.asyncDispose]())

  it('appends again soon after a freeze that outlasted every limit', async () => {
    const topic = await kafka.topic()
    await using log = await kafka.connect()
    await log.append([draft(topic, 'a', 0)])
    await kafka.freeze()
    await assert.rejects(log.append([draft(topic, 'a', 1)], { limitMs: 3_000 }), {
      code: 'CS_LOG_UNAVAILABLE',
    })
    await kafka.thaw()
    await log.append([draft(topic, 'a', 2)], { limitMs: SOON_MS })
  })

  it('never writes what was given up before it was sent', async () => {
    const topic = await kafka.topic()
    await using log = await kafka.connect()
    await log.append([draft(topic, 'a', 0)])
    await kafka.freeze()
    const sent = log.append([draft(topic, 'a', 1)], { limitMs: 200 })
    await assert.rejects(sent, { code: 'CS_LOG_UNAVAILABLE' })
    const waiting = draft(topic, 'a', 2)
    await assert.rejects(log.append([waiting], { limitMs: 200 }), { code: 'CS_LOG_UNAVAILABLE' })
    await kafka.thaw()
    await log.append([draft(topic, 'a', 3)])
    const ids: string[] = []
    await log.readToEnd({
      topic,
      onRecord: (record) => void (record.status === 'understood' && ids.push(record.id)),
    })
    assert.ok(!ids.includes(waiting.id))
  })

  it('goes on after Kafka was killed: readers miss nothing, and it says whether it is healthy', async () => {
    const topic = await kafka.topic()
    await using log = await kafka.connect()
    const group: LogRecord[] = []
    const alone: LogRecord[] = []
    await using _group = await log.read({
      topics: [topic],
      from: 'end',
      group: 'outage',
      onRecords: (records) => void group.push(...records),
    })
    await using _alone = await log.read({
      topics: [topic],
      from: 'end',
      onRecords: (records) => void alone.push(...records),
    })
    const acknowledged: Recorded[] = []
    for (let sequence = 0; sequence < 20; sequence++)
      acknowledged.push(...(await log.append([draft(topic, 'a', sequence)])))
    await kafka.kill()
    await assert.rejects(log.append([draft(topic, 'a', 20)], { limitMs: 300 }), {
      code: 'CS_LOG_UNAVAILABLE',
    })
    await eventually('it is unhealthy', () => !log.healthy())
    await kafka.restart()
    for (let sequence = 21; sequence < 40; sequence++) {
      acknowledged.push(...(await log.append([draft(topic, 'a', sequence)], { limitMs: 10_000 })))
    }
    const last = acknowledged.at(-1)?.position.offset ?? -1
    for (const records of [group, alone]) {
      await eventually(
        'the reader is at the end',
        () => (records.at(-1)?.position.offset ?? -1) >= last,
      )
      assert.deepEqual(
        records.map(({ position }) => position.offset),
        [...Array(last + 1).keys()],
      )
    }
    await eventually('it is healthy', () => log.healthy())
  })

  it('says clearly what the Kafka user is not permitted', async () => {
    const forbidden = { name: 'forbidden.sessions', partitions: 1, settings: {} }
    await createTopics(kafka.admin(), [forbidden])
    await using log = await kafka.connect()
    const denied = {
      code: 'CS_LOG_UNAVAILABLE',
      retriable: false,
      hint: /user test .*forbidden\.sessions/,
    }
    await assert.rejects(log.append([draft('forbidden.sessions', 'a', 0)]), denied)
    await assert.rejects(
      log.read({ topics: ['forbidden.sessions'], from: 'end', onRecords: () => undefined }),
      denied,
    )
    await assert.rejects(connectKafkaLog({ ...kafka.settings(), password: new Secret('wrong') }), {
      code: 'CS_LOG_UNAVAILABLE',
      retriable: false,
    })
  })

  it('waits for a Kafka that is slow when it connects first', async () => {
    await kafka.freeze()
    const connecting = kafka.connect()
    const early = connecting.then(() => 'connected')
    // Longer than the client waits for an answer.
    assert.equal(await Promise.race([early, delay(5_000, 'waiting')]), 'waiting')
    await kafka.thaw()
    await using log = await connecting
    assert.ok(log.healthy())
  })

  it('closes quickly, even while Kafka is frozen', async () => {
    const topic = await kafka.topic()
    const log = await kafka.connect()
    await log.read({ topics: [topic], from: 'end', onRecords: () => undefined })
    await log.append([draft(topic, 'a', 0)])
    await kafka.freeze()
    const late = delay(SOON_MS, 'late', { ref: false })
    assert.notEqual(await Promise.race([log[Symbol.asyncDispose](), late]), 'late')
    await kafka.thaw()
  })
})

/** A wait for a timeout of the client or the broker takes longer; a machine that stands still for a while does not. */
const SOON_MS = 10_000

async function eventually(what: string, isSo: () => boolean): Promise<void> {
  const until = performance.now() + 20_000
  while (!isSo()) {
    assert.ok(performance.now() < until, `not in time: ${what}`)
    await delay(50)
  }
}
