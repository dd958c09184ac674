import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventId, Instant, SessionId, uuidv5 } from '@countersign/kernel'
import { memoryOf, SESSIONS_MAX } from './memory.ts'

const idOf = (number: number): SessionId =>
  SessionId(`01920000-0000-7000-8000-${String(number).padStart(12, '0')}`)

// Seen to fail when a session stays in the order that is forgotten.
test('sessions are listed newest first, in whatever order they come, and the oldest are forgotten', () => {
  const memory = memoryOf(1e12)
  const listed = () => [...memory.overviews()].map(({ sessionId }) => sessionId)
  for (const number of [3, 1, 2, 5, 4]) take(number)
  assert.deepEqual(listed(), [5, 4, 3, 2, 1].map(idOf))
  for (let number = 6; number <= SESSIONS_MAX + 2; number++) take(number)
  // Those that came first went.
  assert.equal(listed().length, SESSIONS_MAX)
  assert.deepEqual(listed().slice(-3), [5, 4, 2].map(idOf))

  function take(number: number): void {
    const sessionId = idOf(number)
    memory.take({
      position: { topic: 'sessions', partition: 0, offset: number },
      id: EventId(uuidv5(sessionId, 'record')),
      causation: null,
      bytes: 1_000,
      message: {
        type: 'SessionEnded',
        sessionId,
        sequence: 0,
        previousHash: '',
        at: Instant(1),
        reason: 'ClientTerminated',
        code: null,
        requestCount: 0,
        transcriptHead: '',
        transcriptCount: 0,
        inDoubt: [],
      },
    })
  }
})
