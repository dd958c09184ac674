import assert from 'node:assert/strict'
import { test } from 'node:test'
import { before, OVER } from './before.ts'

const never = <T>(): Promise<T> => new Promise(() => undefined)

test('what is short is answered while the other lasts', async () => {
  assert.equal(await before(never(), Promise.resolve('short')), 'short')
  await assert.rejects(before(never(), Promise.reject(new Error('failed'))), /failed/)
})

test('everybody who waits is told when what lasts is over, and so is who comes later', async () => {
  const lasting = Promise.withResolvers<string>()
  const waits = [before(lasting.promise, never()), before(lasting.promise, never())]
  lasting.resolve('end')
  assert.deepEqual(await Promise.all(waits), [OVER, OVER])
  assert.equal(await before(lasting.promise, never()), OVER)
})

test('what fails is over, too', async () => {
  assert.equal(await before(Promise.reject(new Error('ended')), never()), OVER)
})

test('waits that are over leave nothing on what lasts', async () => {
  const lasting = never<void>()
  let reactions = 0
  const then = lasting.then.bind(lasting)
  void Object.assign(lasting, {
    then: (...handlers: Parameters<typeof then>) => {
      reactions += 1
      return then(...handlers)
    },
  })
  for (let wait = 0; wait < 100; wait++) await before(lasting, Promise.resolve(wait))
  assert.equal(reactions, 1)
})
