// Seen to fail when `during` takes the end of something else for the end of the session: a session whose agent left while its
// target took no data then waited for an end that nobody had said.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { before, OVER } from './before.ts'
import { newExchange, type Step } from '../core/exchange.ts'
import {
  cancel,
  during,
  type Ending,
  endSession,
  type Session,
  SESSION_ENDED,
} from './session-state.ts'

// Only what `during` uses.
const session = (): Session =>
  ({ ending: Promise.withResolvers<Ending>(), isEnding: false }) as unknown as Session
const never = new Promise<never>(() => undefined)
const END: Ending = { reason: 'Failed', code: null, words: 'over' }

test('the end of a connection is told to who waits for it, and is not the end of the session', async () => {
  assert.equal(await during(session(), before(Promise.resolve(), never)), OVER)
})

// Seen to fail when only the first step is looked at.
test('a cancel reaches the target also behind messages of our own, and else stops what is not sent yet', () => {
  const cancelled = (...steps: readonly Pick<Step, 'tag' | 'isOurs'>[]): string => {
    const seen: string[] = []
    const exchange = newExchange()
    exchange.steps.push(...steps.map((step) => ({ request: null, portal: null, ...step })))
    const target = { cancel: () => Promise.resolve(void seen.push('at the target')) }
    cancel({ exchange, target, onCancel: () => seen.push('here') } as unknown as Session)
    return seen.join()
  }
  const ours = { tag: 'Parse', isOurs: true } as const
  const ofAgent = { tag: 'Execute', isOurs: false } as const
  assert.equal(cancelled(ofAgent), 'at the target')
  assert.equal(cancelled(ours, ours, ofAgent), 'at the target')
  assert.equal(cancelled(ours), 'here')
  assert.equal(cancelled(), 'here')
})

test('a wait ends with its session', async () => {
  const ending = session()
  const wait = during(ending, before(never, never))
  endSession(ending, END)
  await assert.rejects(wait, (cause) => cause === SESSION_ENDED)
  await assert.rejects(during(ending, Promise.resolve()), (cause) => cause === SESSION_ENDED)
})
