import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { turnsOf } from './turns.ts'

const OPTIONS = { atOnceMax: 2, ownMax: 1, ownWaitingMax: 2 }
const here = new AbortController().signal

// Seen to fail when one caller may have all turns.
test('a caller has one turn, whoever else waits, and others come in their order', async () => {
  const turns = turnsOf(OPTIONS)
  const begun: string[] = []
  const given: Disposable[] = []
  for (const caller of ['ana', 'ana', 'ben', 'cleo'])
    void turns.taken(caller, here).then((turn) => given.push(turn) && begun.push(caller))
  await setImmediate()
  assert.deepEqual(begun, ['ana', 'ben'])
  for (const [number, expected] of [
    [0, ['ana', 'ben', 'ana']],
    [2, ['ana', 'ben', 'ana', 'cleo']],
  ] as const) {
    given[number]?.[Symbol.dispose]()
    given[number]?.[Symbol.dispose]()
    await setImmediate()
    assert.deepEqual(begun, expected)
  }
})

test('who leaves while waiting has no turn any more', async () => {
  const turns = turnsOf({ ...OPTIONS, atOnceMax: 1 })
  const first = await turns.taken('ana', here)
  const ben = new AbortController()
  const left = turns.taken('ben', ben.signal)
  const last = turns.taken('cleo', here)
  ben.abort(new Error('has left'))
  await assert.rejects(left, /has left/)
  await assert.rejects(turns.taken('ben', ben.signal), /has left/)
  first[Symbol.dispose]()
  await last
})

test('no more wait than may, in all and of one caller', async () => {
  const turns = turnsOf(OPTIONS)
  await turns.taken('ana', here)
  await turns.taken('ben', here)
  void turns.taken('ana', here)
  void turns.taken('ana', here)
  await assert.rejects(turns.taken('ana', here), { code: 'CS_REPLAY_BUSY' })
  for (let number = 0; number < 98; number++) void turns.taken(`caller ${number}`, here)
  await assert.rejects(turns.taken('dora', here), { code: 'CS_REPLAY_BUSY' })
})
