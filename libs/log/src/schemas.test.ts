import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codecOf, SCHEMAS } from '@countersign/contracts'
import { Problem } from '@countersign/kernel'
import type { LogRecord } from './log.ts'
import { inMemoryLog } from './in-memory.ts'
import { published, schemasFrom, type SchemasSource } from './schemas.ts'

// Seen to fail when a record whose schema is being asked for is told at once that it is not known.
test('all records of a schema wait for the one look at it, also those that come while it is under way', async () => {
  const { source, release, looks } = await slow([later])
  const schemas = schemasFrom(source)
  const answers = [schemas.learned(unreadable(later))]
  await looks.began
  answers.push(schemas.learned(unreadable(later)), schemas.learned(unreadable(later)))
  release()
  assert.deepEqual(await Promise.all(answers), [true, true, true])
  assert.equal(
    await schemas.learned(unreadable(later)),
    true,
    'it was decoded before the look ended',
  )
  assert.equal(looks.reads, 1)
})

// Seen to fail when a look that began before the schema was published answers for it.
test('a schema that is published while a look is under way is found by the next one', async () => {
  const { source, release, looks, publish } = await slow([later])
  const schemas = schemasFrom(source)
  const first = schemas.learned(unreadable(later))
  await looks.began
  await publish(evenLater)
  const second = schemas.learned(unreadable(evenLater))
  release()
  assert.deepEqual(await Promise.all([first, second]), [true, true])
})

// Seen to fail when each fingerprint that is not known has the topic read.
test('fingerprints that somebody made up have the topic read once, and again only when it has grown', async () => {
  const { source, release, looks, publish } = await slow([later])
  release()
  const schemas = schemasFrom(source)
  for (let number = 0; number < 50; number++)
    assert.equal(await schemas.learned(unreadable(madeUp(number))), false)
  assert.equal(looks.reads, 1)
  await publish(evenLater)
  assert.equal(await schemas.learned(unreadable(evenLater)), true)
  assert.equal(looks.reads, 2)
})

// Seen to fail when what was not there once is not asked for again.
test('a schema that is published late is found when the topic is read again', async () => {
  const { source, release, publish } = await slow([])
  release()
  const schemas = schemasFrom(source)
  assert.equal(await schemas.learned(unreadable(later)), false)
  await publish(later)
  await schemas.learned(unreadable(madeUp(1)))
  assert.equal(await schemas.learned(unreadable(later)), true)
})

test('after a look that failed the next record asks again', async () => {
  const { source, release, looks } = await slow([later])
  release()
  let fails = 2
  const failures: unknown[] = []
  const schemas = schemasFrom(
    {
      ...source,
      endOffsets: async (topic) => {
        if (fails-- > 0) throw new Error('Kafka is away')
        return source.endOffsets(topic)
      },
    },
    (cause) => failures.push(cause),
  )
  const both = [schemas.learned(unreadable(later)), schemas.learned(unreadable(later))]
  assert.deepEqual(await Promise.all(both), [false, false])
  assert.equal(await schemas.learned(unreadable(later)), false)
  assert.equal(await schemas.learned(unreadable(later)), true)
  assert.deepEqual([failures.length, looks.reads], [3, 1])
})

/** The schema of a later version, with one more field. */
function laterWith(name: string) {
  const { schema } = SCHEMAS.RequestCompleted
  const more = { name, type: 'string', default: '', doc: 'Words.' }
  const by = { ...schema, fields: [...schema.fields, more] }
  return { by, fingerprint: codecOf(by).fingerprint }
}
const later = laterWith('words')
const evenLater = laterWith('moreWords')
const madeUp = (number: number) => ({ fingerprint: number.toString(16).padStart(16, '0') })

const unreadable = ({ fingerprint }: { fingerprint: string }): LogRecord => ({
  status: 'unreadable',
  position: { topic: 'sessions', partition: 0, offset: 0 },
  key: 'a',
  timestampMs: 0,
  trace: null,
  headers: { ce_dataschema: `countersign:${fingerprint}` },
  value: Buffer.alloc(0),
  problem: new Problem('CS_MESSAGE_UNREADABLE', 'not known'),
})

/** A log with published schemas, whose topic is read no further than its first record until it is released. */
async function slow(schemas: readonly ReturnType<typeof laterWith>[]) {
  const log = inMemoryLog({ partitions: 1 })
  const publish = async ({ by, fingerprint }: ReturnType<typeof laterWith>) =>
    void (await log.append([published('RequestCompleted', fingerprint, by)]))
  for (const one of schemas) await publish(one)
  const began = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const looks = { reads: 0, began: began.promise }
  const source: SchemasSource = {
    endOffsets: log.endOffsets,
    async readToEnd(options) {
      looks.reads++
      // The end is what it is when the reading begins.
      const records = log.records(options.topic)
      began.resolve()
      await released.promise
      records.forEach(options.onRecord)
    },
  }
  return { source, release: released.resolve, looks, publish }
}
