// Seen to fail when `keepPart` keeps whatever comes, and when a repeated part is counted twice.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestPart } from '@countersign/contracts'
import { Instant, RequestId, SessionId, uuidv7 } from '@countersign/kernel'
import { completeParts, fold, noSessions, type Sessions } from './sessions.ts'

const SESSION = SessionId('01890000-0000-7000-8000-000000000001')
const REQUEST = RequestId('01890000-0000-7000-8000-000000000002')
const PART = Buffer.alloc(256 * 1024)

const part = (sequence: number, change: Partial<RequestPart>): RequestPart => ({
  type: 'RequestPart',
  sessionId: SESSION,
  sequence,
  previousHash: '',
  at: Instant(1),
  requestId: REQUEST,
  index: 0,
  stream: false,
  ciphertext: PART,
  sizeBytes: PART.length,
  ...change,
})

function complete(sessions: Sessions, count: number): boolean {
  const session = sessions.live.get(SESSION)
  return session !== undefined && completeParts(session, REQUEST, count) !== null
}

test('parts of requests that nobody ever asks about take no more than a bound, and so do repeated ones', () => {
  const sessions = noSessions()
  for (let sequence = 0; sequence < 1_000; sequence++) {
    fold(sessions, part(sequence, { requestId: RequestId(uuidv7(1_000 + sequence)) }))
    fold(sessions, part(sequence, { index: 1_000 + sequence }))
  }
  const kept = sessions.live.get(SESSION)
  assert.equal(kept?.partBytes, 256 * PART.length)
  fold(sessions, part(0, {}))
  assert.equal(complete(sessions, 1), false)
})

test('what was decided makes room for others', () => {
  const sessions = noSessions()
  for (let round = 0; round < 10; round++) {
    for (let index = 0; index < 128; index++)
      for (const _twice of [1, 2]) fold(sessions, part(index, { index }))
    assert.equal(complete(sessions, 128), true)
    fold(sessions, {
      type: 'RequestWithdrawn',
      sessionId: SESSION,
      sequence: round,
      previousHash: '',
      at: Instant(1),
      requestId: REQUEST,
      reason: 'Cancelled',
    })
    assert.equal(sessions.live.get(SESSION)?.partBytes, 0)
  }
})
