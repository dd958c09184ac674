import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { codecOf, type RequestCompleted, SCHEMAS } from '@countersign/contracts'
import { EventId, Instant, Problem, RequestId, SessionId, uuidv7 } from '@countersign/kernel'
import { type Draft, draftOf } from './draft.ts'
import type { RawHeaders } from './envelope.ts'
import type { Log, LogRecord, Reader, ReadOptions, Understood } from './log.ts'
import type { Recorded } from './recorded.ts'
import { published } from './schemas.ts'

/** The means that the suite needs of an implementation, besides the log. */
export type LogUnderTest = AsyncDisposable & {
  /** A new connection, as another instance of the same service has. */
  connect(): Promise<Log>
  /** A new, empty topic with four partitions, whose name ends with `.sessions`. */
  topic(recordBytesMax?: number): Promise<string>
  /** Puts anything into the log, as a foreign writer could. */
  put(record: {
    topic: string
    partition: number
    key: string
    headers: RawHeaders
    value: Buffer | null
  }): Promise<void>
  /** Publishes schemas, as provisioning does. */
  publish(schemas: readonly Draft[]): Promise<void>
  freeze(): Promise<void>
  thaw(): Promise<void>
}

/** The contract of the log: what every implementation of it must do. */
export function logContract(name: string, open: () => Promise<LogUnderTest>): void {
  describe(`the log (${name})`, () => {
    let under: LogUnderTest
    let log: Log
    before(async () => {
      under = await open()
      log = await under.connect()
    })
    after(async () => {
      await log?.[Symbol.asyncDispose]()
      await under?.[Symbol.asyncDispose]()
    })

    it('keeps the records of a key in the order of their appends', async () => {
      const topic = await under.topic()
      const keys = Array.from({ length: 5 }, newKey)
      await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          log.append([draft(topic, keyAt(keys, index), index)]),
        ),
      )
      const records = understood(await all(log, topic))
      assert.equal(records.length, 200)
      for (const key of keys) {
        const sequences = records.filter((record) => record.key === key).map(sequenceOf)
        assert.deepEqual(
          sequences,
          [...sequences].sort((a, b) => a - b),
        )
        assert.equal(
          new Set(records.filter((r) => r.key === key).map((r) => r.position.partition)).size,
          1,
        )
      }
    })

    it('gives a Recorded whose position is where the record stands', async () => {
      const topic = await under.topic()
      const drafts = Array.from({ length: 20 }, (_, index) => draft(topic, newKey(), index))
      const recorded = await log.append(drafts)
      assert.deepEqual(
        recorded.map(({ id, hash }) => ({ id, hash })),
        drafts.map(({ id, hash }) => ({ id, hash })),
      )
      await assertInLog(log, topic, recorded)
    })

    it('says to a reader who wrote what, and why', async () => {
      const topic = await under.topic()
      const causation = { topic: 'decisions', partition: 3, offset: 42 }
      const written = { ...draft(topic, newKey(), 1), causation }
      await log.append([written])
      const [record] = understood(await all(log, topic))
      assert.deepEqual(record?.message, written.message)
      assert.deepEqual(record?.causation, causation)
      assert.equal(record?.id, written.id)
      assert.equal(record?.fingerprint, written.fingerprint)
      assert.deepEqual(record?.value, written.value)
      const { ce_time: time, ce_source: source, ...headers } = { ...record?.headers }
      assert.ok(!Number.isNaN(Date.parse(time ?? '')))
      assert.equal(source, record?.source)
      assert.deepEqual(headers, {
        'content-type': 'application/avro',
        ce_specversion: '1.0',
        ce_id: written.id,
        ce_type: 'countersign.sessions.RequestCompleted',
        ce_subject: written.key,
        ce_dataschema: `countersign:${written.fingerprint}`,
        causation: 'decisions/3/42',
      })
    })

    it('appends nothing when it is given nothing', async () => {
      assert.deepEqual(await log.append([]), [])
    })

    it('reads from the beginning what was appended before and after', async () => {
      const topic = await under.topic()
      await log.append([draft(topic, 'a', 0)])
      await using collected = await collect(log, { topics: [topic], from: 'beginning' })
      await log.append([draft(topic, 'a', 1)])
      await collected.until((records) => records.length === 2)
      assert.deepEqual(understood(collected.records).map(sequenceOf), [0, 1])
    })

    it('reads from the end everything that is appended after read() resolved, and nothing before', async () => {
      const topic = await under.topic()
      const keys = Array.from({ length: 8 }, newKey)
      await log.append(keys.map((key) => draft(topic, key, 0)))
      await using collected = await collect(log, { topics: [topic], from: 'end' })
      await log.append(keys.map((key) => draft(topic, key, 1)))
      await collected.until((records) => records.length >= keys.length)
      assert.deepEqual(
        understood(collected.records).map(sequenceOf),
        keys.map(() => 1),
      )
    })

    it('reads from a moment on, and says what it has since then', async () => {
      const topic = await under.topic()
      const key = newKey()
      await log.append([draft(topic, key, 0), draft(topic, key, 1)])
      const [last] = (await all(log, topic)).slice(-1)
      assert.ok(last)
      while (Date.now() <= last.timestampMs) await setImmediate()
      const sinceMs = Date.now()
      const empty = await log.spansSince(topic, sinceMs)
      await log.append([draft(topic, key, 2), draft(topic, key, 3)])
      const { partition } = last.position
      assert.deepEqual(empty.get(partition), { first: 0, since: 2, end: 2 })
      assert.deepEqual((await log.spansSince(topic, sinceMs)).get(partition), {
        first: 0,
        since: 2,
        end: 4,
      })
      await using reader = await collect(log, { topics: [topic], from: { sinceMs } })
      await reader.until((records) => records.length >= 2)
      assert.deepEqual(understood(reader.records).map(sequenceOf), [2, 3])
      assert.ok((await log.topics()).includes(topic))
    })

    it('gives two readers the same records', async () => {
      const topic = await under.topic()
      await using one = await collect(log, { topics: [topic], from: 'end' })
      await using two = await collect(log, { topics: [topic], from: 'end' })
      await log.append([draft(topic, 'a', 0), draft(topic, 'a', 1)])
      await one.until((records) => records.length === 2)
      await two.until((records) => records.length === 2)
      assert.deepEqual(
        understood(one.records).map(sequenceOf),
        understood(two.records).map(sequenceOf),
      )
    })

    it('reads only the lanes that are asked for', async () => {
      const topic = await under.topic()
      await using collected = await collect(log, {
        topics: [topic],
        from: 'end',
        partitions: [1, 3],
      })
      await log.append(
        [0, 1, 2, 3].map((partition) => ({ ...draft(topic, newKey(), partition), partition })),
      )
      await collected.until((records) => records.length === 2)
      assert.deepEqual(collected.records.map(({ position }) => position.partition).sort(), [1, 3])
    })

    it('reads several topics without one waiting for another', async () => {
      const slow = await under.topic()
      const quick = await under.topic()
      const gate = Promise.withResolvers<void>()
      const arrived = Promise.withResolvers<void>()
      await using _reader = await log.read({
        topics: [slow, quick],
        from: 'end',
        onRecords: async ([record]) => {
          if (record?.position.topic === slow) return gate.promise
          arrived.resolve()
        },
      })
      await log.append([draft(slow, 'a', 0)])
      await log.append([draft(quick, 'a', 0)])
      await arrived.promise
      gate.resolve()
    })

    it('gives a slow reader everything, in order', async () => {
      const topic = await under.topic()
      const padding = 'x'.repeat(20_000)
      for (let at = 0; at < 160; at += 20) {
        await log.append(
          Array.from({ length: 20 }, (_, index) => draft(topic, 'a', at + index, padding)),
        )
      }
      const seen: number[] = []
      const done = Promise.withResolvers<void>()
      await using _reader = await log.read({
        topics: [topic],
        from: 'beginning',
        onRecords: async (records) => {
          await new Promise((resolve) => setTimeout(resolve, 10))
          seen.push(...understood(records).map(sequenceOf))
          if (seen.length >= 160) done.resolve()
        },
      })
      await done.promise
      assert.deepEqual(
        seen,
        Array.from({ length: 160 }, (_, index) => index),
      )
    })

    it('passes over what a reader does not heed, but not what nobody can read, and says how far it is', async () => {
      const topic = await under.topic()
      const at = (sequence: number) => ({ ...draft(topic, 'a', sequence), partition: 0 })
      await log.append([at(0), at(1)])
      const [record] = await all(log, topic)
      const { headers } = record ?? assert.fail('the record is missing')
      const put = (type: string) =>
        under.put({
          topic,
          partition: 0,
          key: 'a',
          headers: { ...headers, ce_type: `countersign.sessions.${type}` },
          value: Buffer.from('not Avro'),
        })
      await put('RequestWithdrawn')
      await put('ComesLater')
      await log.append([at(2), at(3)])
      const seen: LogRecord[] = []
      const done = Promise.withResolvers<void>()
      await using _reader = await log.read({
        topics: [topic],
        from: 'beginning',
        heeds: { [topic]: ['RequestWithdrawn'] },
        slowDownMs: 10,
        onRecords: (records, next) => {
          seen.push(...records)
          assert.equal(next.topic, topic)
          if (next.partition === 0 && next.offset === 6) done.resolve()
        },
      })
      await done.promise
      assert.deepEqual(
        seen.map(({ status, position }) => [status, position.offset]),
        [
          ['unreadable', 2],
          ['unreadable', 3],
        ],
      )
    })

    it('understands what a later version wrote, once its compatible schema is published', async () => {
      const topic = await under.topic()
      const { schema } = SCHEMAS.RequestCompleted
      const more = { name: 'words', type: 'string', default: '', doc: 'Words.' }
      const later = { ...schema, fields: [...schema.fields, more] }
      const lesser = { ...schema, fields: schema.fields.slice(1) }
      const written = draft(topic, 'a', 7)
      await log.append([{ ...written, partition: 0 }])
      const [record] = await all(log, topic)
      const { headers } = record ?? assert.fail('the record is missing')
      const seen: LogRecord[] = []
      const done = Promise.withResolvers<void>()
      await using _reader = await log.read({
        topics: [topic],
        from: 'end',
        onRecords: (records) => {
          seen.push(...records)
          if (seen.length === 2) done.resolve()
        },
      })
      for (const by of [later, lesser]) {
        const { type, fingerprint } = codecOf(by)
        // The reader was there before the schema; provisioning publishes it before anybody writes with it.
        await under.publish([published('RequestCompleted', fingerprint, by)])
        await under.put({
          topic,
          partition: 0,
          key: 'a',
          headers: { ...headers, ce_dataschema: `countersign:${fingerprint}` },
          value: type.toBuffer({ ...written.message, words: 'later' }),
        })
      }
      await done.promise
      const [first, second] = seen
      assert.deepEqual({ ...(first?.status === 'understood' && first.message) }, written.message)
      assert.equal(second?.status, 'unreadable')
      assert.deepEqual(
        (await all(log, topic)).map(({ status }) => status),
        ['understood', 'understood', 'unreadable'],
      )
    })

    it('stops a reader whose handler rejects, and says why', async () => {
      const topic = await under.topic()
      const broken = new Error('cannot go on')
      await using reader = await log.read({
        topics: [topic],
        from: 'end',
        onRecords: () => Promise.reject(broken),
      })
      await log.append([draft(topic, 'a', 0)])
      await assert.rejects(reader.failed, broken)
    })

    it('shows a tombstone, and what cannot be read, without stopping', async () => {
      const topic = await under.topic()
      const good = draft(topic, 'a', 7)
      await log.append([{ ...good, partition: 0 }])
      const [record] = await all(log, topic)
      const { headers } = record ?? assert.fail('the record is missing')
      const put = (value: Buffer | null, changed: RawHeaders) =>
        under.put({ topic, partition: 0, key: 'a', headers: { ...headers, ...changed }, value })
      await put(null, {})
      await put(good.value.subarray(0, 5), {})
      await put(good.value, { ce_type: 'countersign.sessions.ComesLater' })
      await put(good.value, { ce_type: 'countersign.decisions.RequestAllowed' })
      await put(good.value, { ce_dataschema: 'countersign:ffffffffffffffff' })
      await put(good.value, { ce_id: 'no uuid' })
      await put(good.value, { ce_type: undefined })
      await log.append([{ ...draft(topic, 'a', 8), partition: 0 }])
      const records = await all(log, topic)
      assert.deepEqual(
        records.map(({ status }) => status),
        ['understood', 'tombstone', ...Array.from({ length: 6 }, () => 'unreadable'), 'understood'],
      )
      for (const one of records) {
        if (one.status === 'unreadable') assert.equal(one.problem.code, 'CS_MESSAGE_UNREADABLE')
      }
    })

    it('refuses an oversized record without harming others of the same tick', async () => {
      const topic = await under.topic()
      const [before, oversized, later] = await Promise.allSettled([
        log.append([draft(topic, 'a', 0)]),
        log.append([draft(topic, 'b', 1, 'x'.repeat(17 * 1024 * 1024))]),
        log.append([draft(topic, 'c', 2)]),
      ])
      assertFailed(oversized, 'CS_FRAME_TOO_LARGE')
      await assertInLog(log, topic, [...recordedOf(before), ...recordedOf(later)])
      assert.equal((await all(log, topic)).length, 2)
    })

    it('appends a record that is larger than a batch, between others', async () => {
      const topic = await under.topic()
      const recorded = await Promise.all([
        log.append([draft(topic, 'a', 0)]),
        log.append([draft(topic, 'a', 1, 'the same again '.repeat(600_000))], { limitMs: 10_000 }),
        log.append([draft(topic, 'a', 2)], { limitMs: 10_000 }),
      ])
      await assertInLog(log, topic, recorded.flat())
      assert.deepEqual(understood(await all(log, topic)).map(sequenceOf), [0, 1, 2])
    })

    it('appends more than one batch can hold', async () => {
      const topic = await under.topic()
      const padding = 'x'.repeat(100_000)
      const recorded = await log.append(
        Array.from({ length: 30 }, (_, index) => draft(topic, 'a', index, padding)),
        {
          limitMs: 10_000,
        },
      )
      await assertInLog(log, topic, recorded)
      assert.deepEqual(understood(await all(log, topic)).map(sequenceOf), [...Array(30).keys()])
    })

    it('acknowledges after a partly refused batch only what is in the log', async () => {
      const topic = await under.topic(20_000)
      await log.append([{ ...draft(topic, 'warm', 0), partition: 0 }])
      const [a, b] = await Promise.allSettled([
        log.append([{ ...draft(topic, 'a', 1), partition: 0 }]),
        log.append([{ ...draft(topic, 'b', 2, 'x'.repeat(50_000)), partition: 1 }]),
      ])
      assertFailed(b, 'CS_LOG_UNAVAILABLE')
      const c = await log.append([{ ...draft(topic, 'c', 3), partition: 0 }])
      const d = await log.append([{ ...draft(topic, 'd', 4), partition: 0 }])
      await assertInLog(log, topic, [...(a?.status === 'fulfilled' ? a.value : []), ...c, ...d])
    })

    it('rejects what a frozen log does not acknowledge, and acknowledges later only what is in the log', async () => {
      const topic = await under.topic()
      const warm = await log.append([draft(topic, 'a', 0)])
      await under.freeze()
      const order: string[] = []
      const noted = (name: string, append: Promise<unknown>): Promise<unknown> =>
        append.finally(() => order.push(name))
      const refused = Promise.allSettled([
        noted('within the usual limit', log.append([draft(topic, 'a', 1)])),
        noted('within 300 ms', log.append([draft(topic, 'a', 2)], { limitMs: 300 })),
        noted('within 300 ms', log.append([draft(topic, 'a', 3)], { limitMs: 300 })),
      ])
      for (const result of await refused) assertFailed(result, 'CS_LOG_UNAVAILABLE')
      assert.deepEqual(order, ['within 300 ms', 'within 300 ms', 'within the usual limit'])
      await under.thaw()
      const acknowledged = [...warm]
      for (let sequence = 4; sequence < 10; sequence++)
        acknowledged.push(...(await log.append([draft(topic, 'a', sequence)])))
      await assertInLog(log, topic, acknowledged)
    })

    it('writes nothing that overtakes a record of its key that was given up', async () => {
      const topic = await under.topic()
      await log.append([draft(topic, 'a', 0)])
      await under.freeze()
      // This append is under way; the others wait behind it.
      const other = log.append([draft(topic, 'b', 100)], { limitMs: 8_000 })
      await new Promise((resolve) => setTimeout(resolve, 50))
      const first = log.append([draft(topic, 'a', 1)], { limitMs: 300 })
      // These are appended later, and waited for longer.
      const later = Promise.allSettled(
        [2, 3].map((sequence) => log.append([draft(topic, 'a', sequence)], { limitMs: 8_000 })),
      )
      await assert.rejects(first, { code: 'CS_LOG_UNAVAILABLE' })
      await under.thaw()
      await later
      await other
      // The caller appends the record again that it gave up.
      for (const sequence of [1, 2, 3, 4]) await log.append([draft(topic, 'a', sequence)])
      const records = understood(await all(log, topic)).filter(({ key }) => key === 'a')
      assert.deepEqual([...new Set(records.map(sequenceOf))], [0, 1, 2, 3, 4])
    })

    it('goes on reading after it was frozen', async () => {
      const topic = await under.topic()
      await using collected = await collect(log, { topics: [topic], from: 'end' })
      await log.append([draft(topic, 'a', 0)])
      await under.freeze()
      await under.thaw()
      await log.append([draft(topic, 'a', 1)])
      await collected.until((records) => records.length >= 2)
      assert.deepEqual(understood(collected.records).map(sequenceOf), [0, 1])
    })

    it('reads an empty topic to its end at once', async () => {
      const topic = await under.topic()
      assert.deepEqual(await all(log, topic), [])
    })

    it('reads a full topic to its end, whole or in part, each partition in order', async () => {
      const topic = await under.topic()
      const count = 2_000
      await log.append(
        Array.from({ length: count }, (_, index) => ({
          ...draft(topic, 'a', index),
          partition: index % 4,
        })),
      )
      const records = await all(log, topic)
      assert.equal(records.length, count)
      for (const partition of [0, 1, 2, 3]) {
        const offsets = records
          .filter((one) => one.position.partition === partition)
          .map((one) => one.position.offset)
        assert.deepEqual(offsets, [...Array(count / 4).keys()])
      }
      const part = await all(log, topic, [2])
      assert.deepEqual([...new Set(part.map(({ position }) => position.partition))], [2])
      assert.equal(part.length, count / 4)
      assert.deepEqual([...(await log.endOffsets(topic)).values()], [500, 500, 500, 500])
    })

    it('rejects readToEnd with what its handler throws', async () => {
      const topic = await under.topic()
      await log.append([draft(topic, 'a', 0)])
      const broken = new Error('a rule cannot be understood')
      await assert.rejects(
        log.readToEnd({
          topic,
          onRecord: () => {
            throw broken
          },
        }),
        broken,
      )
    })

    it('assigns before it delivers, and goes on after a restart where the group committed', async () => {
      const topic = await under.topic()
      const group = newKey()
      const events: string[] = []
      const options = (reached: (record: Understood) => void): ReadOptions => ({
        topics: [topic],
        from: 'committed',
        group,
        onAssigned: (partitions) => void events.push(`assigned ${partitions.join(' ')}`),
        onRecords: (records) => {
          for (const record of understood(records)) {
            events.push(`record ${sequenceOf(record)}`)
            reached(record)
          }
        },
      })
      await log.append([draft(topic, 'a', 0), draft(topic, 'a', 1)])
      const first = Promise.withResolvers<Understood>()
      const reader = await log.read(
        options((record) => sequenceOf(record) === 1 && first.resolve(record)),
      )
      const { position } = await first.promise
      // The second record is not done: only what is before it is.
      await reader.commit(position)
      await reader[Symbol.asyncDispose]()
      const last = Promise.withResolvers<void>()
      await using again = await log.read(
        options((record) => sequenceOf(record) === 2 && last.resolve()),
      )
      const taken = (): (number | null)[] =>
        [0, 1, 2, 3].map((partition) => again.taken({ topic, partition }))
      assert.ok((taken()[position.partition] ?? 0) >= position.offset, 'it begins where it stood')
      await log.append([draft(topic, 'a', 2)])
      await last.promise
      while (taken()[position.partition] !== 3) await setImmediate()
      const elsewhere = taken().filter((_, partition) => partition !== position.partition)
      assert.deepEqual(elsewhere, [0, 0, 0])
      assert.equal(again.taken({ topic, partition: 4 }), null)
      assert.deepEqual(events, [
        'assigned 0 1 2 3',
        'record 0',
        'record 1',
        'assigned 0 1 2 3',
        'record 1',
        'record 2',
      ])
    })

    it('shares the partitions of a group so that each is with one member, the same in every topic', async () => {
      const topics = [await under.topic(), await under.topic()]
      const group = newKey()
      const mine = [new Set<number>(), new Set<number>()]
      const got: Understood[][] = [[], []]
      const shared = Promise.withResolvers<void>()
      const arrived = Promise.withResolvers<void>()
      const options = (member: 0 | 1): ReadOptions => ({
        topics,
        from: 'end',
        group,
        onAssigned: (partitions) => {
          mine[member] = new Set(partitions)
          if (mine.every(({ size }) => size === 2)) shared.resolve()
        },
        onRecords: (records) => {
          got[member]?.push(...understood(records))
          if (got.flat().length >= 8) arrived.resolve()
        },
      })
      await using other = await under.connect()
      await using _one = await log.read(options(0))
      await using _two = await other.read(options(1))
      await shared.promise
      await log.append(
        topics.flatMap((topic) =>
          [0, 1, 2, 3].map((partition) => ({ ...draft(topic, 'a', partition), partition })),
        ),
      )
      await arrived.promise
      for (const member of [0, 1]) {
        for (const topic of topics) {
          const partitions = got[member]
            ?.filter((one) => one.position.topic === topic)
            .map((one) => one.position.partition)
          assert.deepEqual(partitions?.sort(), [...(mine[member] ?? [])].sort())
        }
      }
    })

    it('puts a key into the same partition of every topic', async () => {
      const topics = [await under.topic(), await under.topic()]
      const key = newKey()
      const recorded = await log.append(topics.map((topic) => draft(topic, key, 0)))
      const count = await log.partitionCount(topics[0] ?? '')
      assert.deepEqual(
        recorded.map(({ position }) => position.partition),
        topics.map(() => log.partitionOf(key, count)),
      )
    })

    it('takes along what may wait, before what is in a hurry', async () => {
      const topic = await under.topic()
      const patient = log.append([draft(topic, 'a', 0)], { lingerMs: 60_000 })
      const urgent = log.append([draft(topic, 'a', 1)])
      await assertInLog(log, topic, [...(await patient), ...(await urgent)])
      assert.deepEqual(understood(await all(log, topic)).map(sequenceOf), [0, 1])
    })

    it('lets nothing wait for company longer than it may', async () => {
      const topic = await under.topic()
      const alone = await log.append([draft(topic, 'a', 0)], { lingerMs: 20 })
      await assertInLog(log, topic, alone)
    })

    it('leaves nothing behind that still waits for company when it is closed', async () => {
      const topic = await under.topic()
      const other = await under.connect()
      const last = other.append([draft(topic, 'a', 0)], { lingerMs: 60_000 })
      await other[Symbol.asyncDispose]()
      await assertInLog(log, topic, await last)
    })

    it('gives a reader that takes its time everything, in order', async () => {
      const topic = await under.topic()
      await using collected = await collect(log, { topics: [topic], from: 'end', paceMs: () => 30 })
      for (let index = 0; index < 30; index++) await log.append([draft(topic, 'a', index)])
      await collected.until((records) => records.length === 30)
      assert.deepEqual(
        understood(collected.records).map(sequenceOf),
        Array.from({ length: 30 }, (_, index) => index),
      )
    })

    it('finishes what was appended when it is closed, and appends nothing more', async () => {
      const topic = await under.topic()
      const other = await under.connect()
      const last = other.append([draft(topic, 'a', 0)])
      await other[Symbol.asyncDispose]()
      await assertInLog(log, topic, await last)
      await assert.rejects(other.append([draft(topic, 'a', 1)]), { code: 'CS_LOG_UNAVAILABLE' })
    })
  })
}

/** A draft that is told from others by its sequence. */
export function draft(
  topic: string,
  key: string,
  sequence: number,
  padding: string | null = null,
): Draft<RequestCompleted> {
  const message: RequestCompleted = {
    type: 'RequestCompleted',
    sessionId: SessionId(uuidv7(0)),
    sequence,
    previousHash: '',
    at: Instant(1_700_000_000_000_000),
    requestId: RequestId(uuidv7(0)),
    outcome: 'Succeeded',
    commandTag: padding,
    sqlState: null,
    rows: 1,
    resultBytes: 10,
    durationMicros: 100,
    transactionStatus: 'Idle',
    transcriptHead: '',
    transcriptCount: 0,
  }
  return draftOf(message, { id: EventId(uuidv7(Date.now())), key, topic })
}

const newKey = (): string => uuidv7(Date.now())

const keyAt = (keys: readonly string[], index: number): string => keys[index % keys.length] ?? ''

const understood = (records: readonly LogRecord[]): Understood[] =>
  records.filter((one) => one.status === 'understood')

function sequenceOf({ message }: Understood): number {
  assert.ok(message.type === 'RequestCompleted')
  return message.sequence
}

async function all(log: Log, topic: string, partitions?: readonly number[]): Promise<LogRecord[]> {
  const records: LogRecord[] = []
  await log.readToEnd({
    topic,
    ...(partitions === undefined ? {} : { partitions }),
    onRecord: (record) => void records.push(record),
  })
  return records
}

/** Each acknowledgement is compared with what stands in the log at its position. */
async function assertInLog(log: Log, topic: string, recorded: readonly Recorded[]): Promise<void> {
  const ids = new Map(
    understood(await all(log, topic)).map(({ id, position }) => [
      `${position.partition}/${position.offset}`,
      id,
    ]),
  )
  for (const { id, position } of recorded)
    assert.equal(ids.get(`${position.partition}/${position.offset}`), id)
}

const recordedOf = (result: PromiseSettledResult<Recorded[]> | undefined): Recorded[] =>
  result?.status === 'fulfilled' ? result.value : assert.fail('the append was refused')

function assertFailed(result: PromiseSettledResult<unknown> | undefined, code: string): void {
  assert.ok(
    result?.status === 'rejected' && result.reason instanceof Problem,
    'the append was not refused',
  )
  assert.equal(result.reason.code, code)
}

type Collected = AsyncDisposable & {
  readonly records: LogRecord[]
  until(isEnough: (records: readonly LogRecord[]) => boolean): Promise<void>
}

async function collect(log: Log, options: Omit<ReadOptions, 'onRecords'>): Promise<Collected> {
  const records: LogRecord[] = []
  let arrived = Promise.withResolvers<void>()
  const reader: Reader = await log.read({
    ...options,
    onRecords: (more) => {
      records.push(...more)
      arrived.resolve()
      arrived = Promise.withResolvers<void>()
    },
  })
  return {
    records,
    async until(isEnough) {
      while (!isEnough(records)) await Promise.race([arrived.promise, reader.failed])
    },
    [Symbol.asyncDispose]: () => reader[Symbol.asyncDispose](),
  }
}
