import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionId, uuidv7 } from '@countersign/kernel'
import { finishedSessions } from './finished.ts'

const session = (second: number): SessionId => SessionId(uuidv7(1_700_000_000_000 + second * 1_000))

test('whatever is over stays over, though only the newest are remembered', () => {
  const finished = finishedSessions(10)
  const ids = Array.from({ length: 100 }, (_, second) => session(second))
  for (const id of ids) finished.add(id)
  for (const id of ids) assert.equal(finished.has(id), true)
  assert.equal(finished.has(session(200)), false)
})

test('sessions that end in another order than they began stay over, too', () => {
  const finished = finishedSessions(2)
  const ids = [5, 1, 4, 2, 3].map(session)
  for (const id of ids) finished.add(id)
  for (const id of ids) assert.equal(finished.has(id), true)
  assert.equal(finished.has(session(6)), false)
})
