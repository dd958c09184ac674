import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { jsonLines } from './json-lines.ts'

const BYTES = Buffer.from('{"a":"ä"}\n[1]\nnull\n')

test('lines of JSON give the same values however they are split', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(BYTES.length), { maxLength: 6 }), async (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), BYTES.length]
      const chunks = places.slice(1).map((end, index) => BYTES.subarray(places[index] ?? 0, end))
      assert.deepEqual(await Array.fromAsync(jsonLines(of(chunks))), [{ a: 'ä' }, [1], null])
    }),
  )
})

test('a stream that is cut off is an error, never an end', async () => {
  const broken = async function* () {
    yield BYTES
    throw new Error('terminated')
  }
  for (const chunks of [of([BYTES.subarray(0, 12)]), broken()])
    await assert.rejects(Array.fromAsync(jsonLines(chunks)), { message: /cut off before its end/ })
})

async function* of(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
