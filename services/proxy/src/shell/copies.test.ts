import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryForCopies } from './copies.ts'
import { CANCELLED, cancel, type Session, SESSION_ENDED } from './session-state.ts'

/** A session that waits for memory for copies. */
function waiting() {
  const memory = Promise.withResolvers<void>()
  const closed = Promise.withResolvers<void>()
  let isWaiting = true
  const session = {
    isEnding: false,
    isCancelled: false,
    onCancel: () => undefined,
    ending: Promise.withResolvers(),
    exchange: { steps: [] },
    client: {
      closed: closed.promise,
      hasSaidGoodbye: () => false,
      copied: () => ({ given: memory.promise, [Symbol.dispose]: () => void (isWaiting = false) }),
    },
  } as unknown as Session
  return { session, memory, closed, isWaiting: () => isWaiting }
}

// Seen to fail when nobody hears of a cancel while memory is waited for.
test('a cancel ends the wait for memory for copies, and nothing is waited for any more', async () => {
  const { session, isWaiting } = waiting()
  const first = memoryForCopies(session)
  cancel(session)
  assert.equal(await first, CANCELLED)
  assert.equal(isWaiting(), false)
})

// Seen to fail when only the end of the session is looked at.
test('the end of the connection ends the wait for memory for copies, and the session', async () => {
  const { session, closed, isWaiting } = waiting()
  const first = memoryForCopies(session)
  closed.resolve()
  await assert.rejects(first, (cause) => cause === SESSION_ENDED)
  assert.equal((await session.ending.promise).reason, 'ClientDisconnected')
  assert.equal(isWaiting(), false)
})

test('who is given memory goes on', async () => {
  const { session, memory } = waiting()
  const first = memoryForCopies(session)
  memory.resolve()
  assert.equal(await first, 'given')
})
