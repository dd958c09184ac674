import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instant, SessionId, uuidv7 } from '@countersign/kernel'
import { finishedSessions } from './finished.ts'

const now = Instant(1_700_000_000_000_000)
const session = (second: number): SessionId => SessionId(uuidv7(1_700_000_000_000 + second * 1_000))

test('whatever is over stays over, though only the newest are remembered', () => {
  const finished = finishedSessions(now, 10)
  const ids = Array.from({ length: 100 }, (_, second) => session(second))
  for (const id of ids) finished.add(id)
  for (const id of ids) assert.equal(finished.has(id), true)
  assert.equal(finished.has(session(200)), false)
})

test('sessions that end in another order than they began stay over, too', () => {
  const finished = finishedSessions(now, 2)
  const ids = [5, 1, 4, 2, 3].map(session)
  for (const id of ids) finished.add(id)
  for (const id of ids) assert.equal(finished.has(id), true)
  assert.equal(finished.has(session(6)), false)
})

/** Seen to fail when the youngest forgotten id counts whatever time it names: session(6) then was over. */
test('an id from the future closes the door on nobody, and neither does one that was from the future once', () => {
  const finished = finishedSessions(now, 2)
  const ids = [100_000_000, 1, 2, 3, 4].map(session)
  for (const id of ids) finished.add(id)
  assert.equal(finished.has(session(6)), false)
  assert.equal(finished.has(session(1)), true)
  finished.heard(Instant(now + 200_000_000 * 1_000_000))
  for (const second of [100_000_001, 100_000_002, 100_000_003]) finished.add(session(second))
  assert.equal(finished.has(session(6)), true)
})
