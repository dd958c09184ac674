// Seen to fail when `during` takes the end of something else for the end of the session: a session whose agent left while its
// target took no data then waited for an end that nobody had said.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { before, OVER } from './before.ts'
import { during, type Ending, endSession, type Session, SESSION_ENDED } from './session-state.ts'

// Only what `during` uses.
const session = (): Session =>
  ({ ending: Promise.withResolvers<Ending>(), isEnding: false }) as unknown as Session
const never = new Promise<never>(() => undefined)
const END: Ending = { reason: 'Failed', code: null, words: 'over' }

test('the end of a connection is told to who waits for it, and is not the end of the session', async () => {
  assert.equal(await during(session(), before(Promise.resolve(), never)), OVER)
})

test('a wait ends with its session', async () => {
  const ending = session()
  const wait = during(ending, before(never, never))
  endSession(ending, END)
  await assert.rejects(wait, (cause) => cause === SESSION_ENDED)
  await assert.rejects(during(ending, Promise.resolve()), (cause) => cause === SESSION_ENDED)
})
