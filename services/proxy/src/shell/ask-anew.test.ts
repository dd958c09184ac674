// Seen to fail when beforeAskedAnew does not wait, and when there is no limit.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beforeAskedAnew, notForEver } from './ask-anew.ts'
import type { RequestDecision } from './requests.ts'
import type { Session } from './session-state.ts'

const sessionAt = (targetVersion: string): Session =>
  ({
    ...{ targetVersion, isEnding: false, wake: () => undefined },
    ending: Promise.withResolvers(),
  }) as unknown as Session
const decisionAt = (targetVersion: string): RequestDecision =>
  ({ targetVersion }) as unknown as RequestDecision

test('a session that knows what policy decided by, or cannot know it, asks at once', async () => {
  for (const version of ['t1', '']) {
    const session = sessionAt('t1')
    const { wake } = session
    await beforeAskedAnew(session, decisionAt(version), 7)
    assert.equal(session.wake, wake, 'it waited')
  }
})

test('a session waits until it has read what policy decided by', async () => {
  const session = sessionAt('t1')
  let isOver = false
  const waited = beforeAskedAnew(session, decisionAt('t2'), 7).then(() => (isOver = true))
  session.wake()
  await new Promise(setImmediate)
  assert.equal(isOver, false)
  session.targetVersion = 't2'
  session.wake()
  await waited
})

test('a policy that stays behind is asked anew, but not for ever', async () => {
  await beforeAskedAnew(sessionAt('t2'), decisionAt('t1'), 0)
  notForEver(7)
  assert.throws(() => notForEver(8), { code: 'CS_POLICY_UNAVAILABLE' })
})
