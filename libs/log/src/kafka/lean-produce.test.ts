import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import produce from 'kafkajs/src/protocol/requests/produce/index.js'
import theirs from 'kafkajs/src/protocol/recordBatch/crc32C/index.js'
import { crc32c } from './crc32c.ts'
import { leanProduce } from './lean-produce.ts'

const { protocol: original } = produce
leanProduce()

it('writes the same request as kafkajs does', async () => {
  assert.notEqual(produce.protocol, original)
  await fc.assert(
    fc.asyncProperty(topics, async (topicData) => {
      const asked = { acks: -1, timeout: 1_500, compression: 0, topicData }
      const ours = produce.protocol({ version: 7 })(asked).request
      const expected = original({ version: 7 })(asked).request
      assert.equal(ours.apiVersion, expected.apiVersion)
      assert.deepEqual(bytesOf(await ours.encode()), bytesOf(await expected.encode()))
    }),
    { numRuns: 500 },
  )
})

it('gives what it does not know to kafkajs: compressed batches', async () => {
  const [topicData] = fc.sample(topics, { numRuns: 1, seed: 1 })
  const asked = { acks: -1, timeout: 1, compression: GZIP, topicData: topicData ?? [] }
  assert.deepEqual(
    bytesOf(await produce.protocol({ version: 7 })(asked).request.encode()),
    bytesOf(await original({ version: 7 })(asked).request.encode()),
  )
})

it('has the checksum of the standard, from and to anywhere', () => {
  // RFC 3720, appendix B.4.
  assert.equal(crc32c(Buffer.alloc(32), 0, 32), 0x8a9136aa)
  assert.equal(crc32c(Buffer.alloc(32, 0xff), 0, 32), 0x62a8ab43)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), fc.nat(300), (array, a, b) => {
      const bytes = Buffer.from(array)
      const [begin = 0, end = 0] = [a, b].map((at) => Math.min(at, bytes.length)).toSorted(by)
      assert.equal(crc32c(bytes, begin, end), theirs(bytes.subarray(begin, end)))
    }),
  )
})

const by = (a: number, b: number): number => a - b
const bytesOf = ({ buffer }: { buffer: Buffer }): Buffer => Buffer.from(buffer)

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
const content = fc.oneof(bytes, fc.string({ unit: 'grapheme', maxLength: 40 }))
const topics = fc.array(
  fc.record({
    topic: fc.stringMatching(/^[a-z.]{1,12}$/),
    partitions: fc.array(
      fc.record({
        partition: fc.nat(100),
        messages: fc.array(
          fc.record({
            key: fc.oneof(content, fc.constant(null)),
            value: fc.oneof(bytes, fc.constant(null)),
            timestamp: fc.integer({ min: 1.7e12, max: 1.8e12 }).map(String),
            headers: fc.dictionary(
              fc.stringMatching(/^[a-z_-]{1,20}$/).filter((name) => !(name in {})),
              content,
              { maxKeys: 12 },
            ),
          }),
          { minLength: 1, maxLength: 5 },
        ),
      }),
      { minLength: 1, maxLength: 3 },
    ),
  }),
  { minLength: 1, maxLength: 3 },
)
const GZIP = 1
