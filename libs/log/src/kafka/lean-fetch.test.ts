import assert from 'node:assert/strict'
import { it } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import record from 'kafkajs/src/protocol/recordBatch/record/v0/index.js'
import batches from 'kafkajs/src/protocol/recordBatch/v0/index.js'
import response from 'kafkajs/src/protocol/requests/fetch/v11/response.js'
import { viewOf } from '../envelope.ts'
import { leanFetch } from './lean-fetch.ts'
import { headersOfRead } from './record.ts'

const { decode: original } = response
leanFetch()
const { decode: lean } = response

it('reads the same records as kafkajs does', async () => {
  assert.notEqual(lean, original)
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 4 }), async (found) => {
      const bytes = fetchOf(Buffer.concat(await Promise.all(found.map(encoded))))
      assert.deepEqual(seen(await lean(bytes)), seen(await original(bytes)))
    }),
    { numRuns: 300 },
  )
})

it('finds a header by its name without making the others', async () => {
  await fc.assert(
    fc.asyncProperty(batch, async (found) => {
      const messages = messagesOf(await lean(fetchOf(await encoded(found))))
      for (const message of messages) {
        const view = headersOfRead(message) ?? assert.fail('it was not read here')
        const expected = viewOf(message.headers)
        assert.deepEqual(view.all(), expected.all())
        assert.equal(view.text('ce_none'), undefined)
        for (const name of Object.keys(message.headers))
          assert.equal(view.text(name), expected.text(name))
      }
    }),
    { numRuns: 300 },
  )
})

it('leaves out a partition that brought nothing, but not its error', async () => {
  const [empty] = (await lean(fetchOf(Buffer.alloc(0)))).responses
  assert.deepEqual(empty, { topicName: 'sessions', partitions: [] })
  const [failed] = (await lean(fetchOf(Buffer.alloc(0), OFFSET_OUT_OF_RANGE))).responses
  assert.deepEqual(
    failed?.partitions.map(({ errorCode }) => errorCode),
    [OFFSET_OUT_OF_RANGE],
  )
})

it('leaves a batch that is cut off for the next fetch, wherever it ends', async () => {
  const whole = await encoded({ ...EXAMPLE, firstOffset: 7 })
  const cut = await encoded({ ...EXAMPLE, firstOffset: 8 })
  for (let size = 0; size < cut.length; size++) {
    const bytes = fetchOf(Buffer.concat([whole, cut.subarray(0, size)]))
    assert.deepEqual(offsetsOf(await lean(bytes)), ['7'], `${size} bytes of the second batch`)
  }
})

it('reads compressed batches as kafkajs does, among others', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(batch, fc.boolean()), { maxLength: 4 }), async (found) => {
      const all = found.map(([one, isPacked]) =>
        encoded({ ...one, compression: isPacked ? GZIP : 0 }),
      )
      const bytes = fetchOf(Buffer.concat(await Promise.all(all)))
      assert.deepEqual(seen(await lean(bytes)), seen(await original(bytes)))
    }),
    { numRuns: 100 },
  )
})

it('reads batches of zstd, which kafkajs cannot', async () => {
  const plain = await encoded({ ...EXAMPLE, firstOffset: 3 })
  const bytes = fetchOf(packedAs(ZSTD, plain, zstdCompressSync(plain.subarray(RECORDS_AT))))
  assert.deepEqual(seen(await lean(bytes)), seen(await original(fetchOf(plain))))
})

it('puts one record without a name in place of a batch that it cannot open, and goes on', async () => {
  const [{ timestampDelta = 0, key = null, headers = {} } = {}] = EXAMPLE.records
  const records = [0, 1, 2].map(() => ({ timestampDelta, key, value: Buffer.alloc(9), headers }))
  const plain = await encoded({ ...EXAMPLE, records, firstOffset: 5 })
  const next = await encoded({ ...EXAMPLE, firstOffset: 8 })
  const body = plain.subarray(RECORDS_AT)
  for (const bad of [
    packedAs(SNAPPY, plain, body),
    packedAs(LZ4, plain, body),
    packedAs(7, plain, body),
    packedAs(GZIP, plain, body),
    packedAs(GZIP, plain, gzipSync(Buffer.alloc(25 * 1024 * 1024))),
    packedAs(ZSTD, plain, zstdCompressSync(Buffer.alloc(25 * 1024 * 1024))),
  ]) {
    const messages = messagesOf(await lean(fetchOf(Buffer.concat([bad, next]))))
    assert.deepEqual(
      messages.map(({ offset, key }) => [offset, key?.toString()]),
      [
        ['7', undefined],
        ['8', 'key'],
      ],
    )
    assert.match(messages[0]?.value?.toString() ?? '', /^a compressed batch that cannot be opened/)
  }
})

it('leaves batches that would become too much for the next fetch, and takes at least one', async () => {
  const large = { timestampDelta: 0, key: null, value: Buffer.alloc(20 * 1024 * 1024), headers: {} }
  const one = await encoded({ ...EXAMPLE, records: [large], firstOffset: 1, compression: GZIP })
  const two = await encoded({ ...EXAMPLE, records: [large], firstOffset: 2, compression: GZIP })
  assert.deepEqual(offsetsOf(await lean(fetchOf(Buffer.concat([one, two])))), ['1'])
  assert.deepEqual(offsetsOf(await lean(fetchOf(two))), ['2'])
})

/** The batch with these bytes as its compressed records. */
function packedAs(codec: number, batch: Buffer, records: Buffer): Buffer {
  const bytes = Buffer.concat([batch.subarray(0, RECORDS_AT), records])
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt16BE(codec, 21)
  return bytes
}

type Fetched = Awaited<ReturnType<typeof original>>

const messagesOf = (fetched: Fetched) =>
  fetched.responses.flatMap(({ partitions }) => partitions.flatMap(({ messages }) => messages))
const offsetsOf = (fetched: Fetched) => messagesOf(fetched).map(({ offset }) => offset)

/** The parts of a fetch that readers use; kafkajs adds fields to the context of a batch that nobody reads. */
function seen(fetched: Fetched) {
  return {
    ...fetched,
    responses: fetched.responses.map(({ topicName, partitions }) => ({
      topicName,
      partitions: partitions
        .filter(({ messages }) => messages.length > 0)
        .map((partition) => ({
          ...partition,
          messages: partition.messages.map((message) => ({
            magicByte: message.magicByte,
            attributes: message.attributes,
            timestamp: message.timestamp,
            offset: message.offset,
            key: message.key,
            value: message.value,
            headers: { ...message.headers },
            isControlRecord: message.isControlRecord,
            producerId: message.batchContext.producerId,
            inTransaction: message.batchContext.inTransaction,
          })),
        })),
    })),
  }
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const batch = fc.record({
  firstOffset: fc.nat(2 ** 40),
  firstTimestamp: fc.integer({ min: 0, max: 2 ** 42 }),
  records: fc.array(
    fc.record({
      timestampDelta: fc.integer({ min: -1_000, max: 2 ** 31 - 1 }),
      key: fc.option(bytes),
      value: fc.option(bytes),
      headers: fc.dictionary(
        // kafkajs gives headers as a plain object, where some names, such as `constructor`, mean something else.
        fc.stringMatching(/^[a-z_-]{1,20}$/).filter((name) => !(name in {})),
        bytes,
        { maxKeys: 12 },
      ),
    }),
    { minLength: 1, maxLength: 5 },
  ),
})
type Batch = (typeof batch extends fc.Arbitrary<infer T> ? T : never) & { compression?: number }

async function encoded({ records, ...fields }: Batch): Promise<Buffer> {
  const { buffer } = await batches.RecordBatch({
    ...fields,
    lastOffsetDelta: records.length - 1,
    records: records.map((one, offsetDelta) => record({ ...one, offsetDelta })),
  })
  return Buffer.from(buffer)
}

/** The answer of a broker to a fetch of one partition. */
function fetchOf(records: Buffer, errorCode = 0): Buffer {
  const topic = Buffer.from('sessions')
  const bytes = Buffer.alloc(HEAD_BYTES_MAX)
  let at = bytes.writeInt32BE(0)
  at = bytes.writeInt16BE(0, at)
  at = bytes.writeInt32BE(42, at)
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt16BE(topic.length, at)
  at += topic.copy(bytes, at)
  at = bytes.writeInt32BE(1, at)
  at = bytes.writeInt32BE(5, at)
  at = bytes.writeInt16BE(errorCode, at)
  at = bytes.writeBigInt64BE(2n ** 41n, at)
  at = bytes.writeBigInt64BE(2n ** 41n, at)
  at = bytes.writeBigInt64BE(0n, at)
  at = bytes.writeInt32BE(-1, at)
  at = bytes.writeInt32BE(-1, at)
  at = bytes.writeInt32BE(records.length, at)
  return Buffer.concat([bytes.subarray(0, at), records])
}

const HEAD_BYTES_MAX = 100
const GZIP = 1
const SNAPPY = 2
const LZ4 = 3
const ZSTD = 4
const RECORDS_AT = 61
const OFFSET_OUT_OF_RANGE = 1
const EXAMPLE: Batch = {
  firstOffset: 0,
  firstTimestamp: 1_000,
  records: [
    {
      timestampDelta: 0,
      key: Buffer.from('key'),
      value: Buffer.from('value'),
      headers: { ce_id: Buffer.from('1') },
    },
  ],
}
