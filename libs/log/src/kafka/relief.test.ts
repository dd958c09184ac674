import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reliefOf } from './relief.ts'

test('who waits for room goes on when there is some, and nobody is forgotten when those before add nothing', async () => {
  let isCongested = true
  const relief = reliefOf(() => isCongested)
  let gone = 0
  const waits = Array.from({ length: 100 }, async () => {
    await relief.wait()
    gone++
  })
  relief.look()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(gone, 0)
  isCongested = false
  relief.look()
  await Promise.all(waits)
  assert.equal(gone, 100)
  await relief.wait()
})

test('they go on a few at a time, and the others wait while those fill the room again', async () => {
  let queued = 100
  const relief = reliefOf(() => queued > 50)
  let gone = 0
  for (let one = 0; one < 100; one++)
    void relief.wait().then(() => {
      gone++
      queued += 10
    })
  queued = 0
  relief.look()
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(gone, 16)
  queued = 0
  relief.look()
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(gone, 32)
})
