import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { sharing } from './sharing.ts'

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

test('a value is made once while it is among those that stay', () => {
  const shared = sharing<object>(10)
  const first = shared.get('a', 4, () => ({ of: 'a' }))
  assert.equal(
    shared.get('a', 4, () => assert.fail('it is there')),
    first,
  )
})

test('what nobody holds is made again when others weigh more than may stay', async () => {
  const shared = sharing<object>(10)
  const made: string[] = []
  const get = (key: string, weight: number): object =>
    shared.get(key, weight, () => (made.push(key), { of: key }))
  get('dropped', 4)
  const held = get('held', 4)
  get('large', 11)
  await setImmediate() // A reference that was just looked at lasts until the end of the turn.
  collect()
  get('large', 11)
  assert.equal(get('held', 4), held)
  get('dropped', 4)
  assert.deepEqual(made, ['dropped', 'held', 'large', 'dropped'])
})

test('so many keys are known at most', () => {
  const shared = sharing<object>(10_000)
  const held = Array.from({ length: 1_025 }, (_, key) =>
    shared.get(`${key}`, 1, () => ({ of: key })),
  )
  assert.notEqual(
    shared.get('0', 1, () => ({ of: 0 })),
    held[0],
  )
  assert.equal(
    shared.get('1024', 1, () => assert.fail('it is there')),
    held[1_024],
  )
})
