import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { counted, jsonLines } from './json-lines.ts'
import { searchedBy } from './searched.fixture.ts'

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

// Seen to fail when the count is not asked for.
test('lines that are not as many as the last one says are no whole answer', async () => {
  const lines = (entries: readonly unknown[]) => Array.fromAsync(counted(each(entries)))
  assert.deepEqual(await lines(['head', { entries: 0 }]), ['head'])
  assert.deepEqual(await lines(['head', 1, { entries: 1 }]), ['head', 1])
  for (const cut of [
    [],
    ['head'],
    ['head', 1],
    ['head', { entries: 1 }],
    ['head', 1, 2, { entries: 1 }],
  ])
    await assert.rejects(lines(cut), { message: /cut off before its end/ })
})

// Seen to fail when all that came is searched again with each chunk.
test('a long line is searched no more than as many short ones', async (t) => {
  const searched = searchedBy(t, 'split', 'includes')
  for (const length of [LONG, LONG / 64]) {
    searched.characters = 0
    const line = Buffer.from(`"${'x'.repeat(length - 3)}"\n`)
    for (let bytes = 0; bytes < LONG; bytes += length)
      for await (const value of jsonLines(cut(line))) assert.ok(typeof value === 'string')
    const { characters } = searched
    assert.ok(characters >= LONG && characters <= 3 * LONG, `${characters} were searched`)
  }
})

const LONG = 32 * 1024 * 1024

async function* cut(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}

async function* each(lines: readonly unknown[]): AsyncGenerator<unknown> {
  yield* lines
}

async function* of(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
