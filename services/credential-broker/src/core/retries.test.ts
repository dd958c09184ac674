import assert from 'node:assert/strict'
import { test } from 'node:test'
import { session } from './examples.ts'
import {
  FAILING_MS_MAX,
  failingMs,
  isPausing,
  REVOKE_PAUSE_MS_MAX,
  type Retries,
  stepFailed,
  stuck,
  takenAgain,
} from './retries.ts'

const failing = (step: string) => ({ step, cause: 'nobody answers' })

test('each pause is twice the one before, up to a limit', () => {
  const retries: Retries = new Map()
  const pauses = Array.from({ length: 8 }, (_, failure) => {
    const nowMs = failure * 20_000
    stepFailed(retries, session, failing('revoke'), nowMs)
    return (retries.get(session)?.atMs ?? 0) - nowMs
  })
  assert.deepEqual(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
})

test('a step pauses until its time has come, and no other step of the session does', () => {
  const retries: Retries = new Map()
  stepFailed(retries, session, failing('lower/1'), 1_000)
  assert.equal(isPausing(retries, session, 'lower/1', 1_249), true)
  assert.equal(isPausing(retries, session, 'lower/1', 1_250), false)
  assert.equal(isPausing(retries, session, 'revoke', 1_000), false)
})

test('how long a step has been failing is counted from its first failure, and from zero for another', () => {
  const retries: Retries = new Map()
  stepFailed(retries, session, failing('lower/1'), 1_000)
  stepFailed(retries, session, failing('lower/1'), 2_250)
  assert.equal(failingMs(retries, session, 'lower/1', 2_250), 1_250)
  assert.equal(failingMs(retries, session, 'revoke', 2_250), 0)
  stepFailed(retries, session, failing('revoke'), 3_000)
  assert.equal(failingMs(retries, session, 'revoke', 3_500), 500)
})

test('a lowering that waits one second for its lock is given up before the proxy stops to wait', () => {
  const retries: Retries = new Map()
  let nowMs = 0
  do {
    nowMs = (retries.get(session)?.atMs ?? 0) + 1_000
    stepFailed(retries, session, failing('lower/1'), nowMs)
  } while (failingMs(retries, session, 'lower/1', nowMs) < FAILING_MS_MAX.lower)
  assert.equal(nowMs, 8_750)
})

test('a revocation that fails on and on is tried ever more rarely, and shows after a minute', () => {
  const retries: Retries = new Map()
  let nowMs = 0
  const pauses: number[] = []
  for (let failure = 0; failure < 20; failure++) {
    stepFailed(retries, session, { ...failing('revoke'), pauseMsMax: REVOKE_PAUSE_MS_MAX }, nowMs)
    const { atMs } = retries.get(session) ?? assert.fail()
    const shown = { sessionId: session, failingMs: nowMs, cause: 'nobody answers' }
    assert.deepEqual(stuck(retries, nowMs), nowMs >= 60_000 ? [shown] : [])
    pauses.push(atMs - nowMs)
    nowMs = atMs
  }
  assert.deepEqual(pauses.slice(0, 6), [250, 500, 1_000, 2_000, 4_000, 8_000])
  for (const pause of pauses.slice(-5)) {
    assert.ok(pause >= REVOKE_PAUSE_MS_MAX / 2 && pause <= REVOKE_PAUSE_MS_MAX, String(pause))
  }
  assert.ok(new Set(pauses.slice(-5)).size > 1, 'not all at the same distance')
  takenAgain(retries, [session], nowMs)
  assert.equal(isPausing(retries, session, 'revoke', nowMs), false)
  stepFailed(retries, session, { ...failing('revoke'), pauseMsMax: REVOKE_PAUSE_MS_MAX }, nowMs)
  assert.equal((retries.get(session)?.atMs ?? 0) - nowMs, 250)
})

test('the cause is kept as of the last failure, and no longer than a line', () => {
  const retries: Retries = new Map()
  stepFailed(retries, session, failing('revoke'), 0)
  stepFailed(retries, session, { step: 'revoke', cause: 'x'.repeat(100_000) }, 60_000)
  assert.deepEqual(
    stuck(retries, 60_000).map(({ cause }) => cause),
    ['x'.repeat(300)],
  )
})
