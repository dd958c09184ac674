import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyMessage } from '@countersign/contracts'
import { Instant, SessionId } from '@countersign/kernel'
import { type Credentials, newCredentials, noted } from './credential.ts'
import { dueSessions, dueStep } from './due.ts'
import {
  admitted,
  alter,
  completed,
  ended,
  granted,
  intended,
  issued,
  opened,
  owner,
  proxy,
  raised,
  reviewed,
  revoked,
  role,
  session,
} from './examples.ts'
import { stepFailed } from './retries.ts'

const toLower = [
  ...opened,
  reviewed(alter, owner),
  granted(alter, owner),
  raised(alter, owner),
  completed(alter, 'Idle'),
]
const lives = (): boolean => false
const ranOut = (): boolean => true

test('healthy sessions are not looked at: the lease is asked for once for their proxy', () => {
  const state = newCredentials(3, Instant(0))
  for (let n = 0; n < 100; n++) {
    const id = SessionId(`00000000-0000-7000-8000-${String(n).padStart(12, '0')}`)
    for (const message of [admitted(id), intended(`cs_${n}`, id), issued(`cs_${n}`, id)])
      noted(state, message)
  }
  const asked: string[] = []
  const due = dueSessions(state, (instance) => (asked.push(instance), false), 0)
  assert.deepEqual([[...due], asked], [[], [proxy]])
})

test('a lease that ran out is a matter of all its sessions that were promised a role', () => {
  assert.deepEqual([...dueSessions(after(opened), ranOut, 0)], [session])
  assert.deepEqual([...dueSessions(after([admitted(), intended(role)]), ranOut, 0)], [session])
  assert.deepEqual([...dueSessions(after([admitted()]), ranOut, 0)], [])
})

test('a step that failed is due when its pause is over', () => {
  const state = after(toLower)
  stepFailed(state.retries, session, { step: `lower/${alter}`, cause: 'nobody answers' }, 0)
  assert.equal(dueStep(state, session, lives, 249), null)
  assert.deepEqual([...dueSessions(state, lives, 249)], [])
  assert.equal(dueStep(state, session, lives, 250)?.do, 'lower')
  assert.deepEqual([...dueSessions(state, lives, 250)], [session])
})

test('a lease that runs out while a lowering pauses does not wait for it', () => {
  const state = after(toLower)
  stepFailed(state.retries, session, { step: `lower/${alter}`, cause: 'nobody answers' }, 0)
  assert.deepEqual([...dueSessions(state, ranOut, 1)], [session])
  assert.equal(dueStep(state, session, ranOut, 1)?.do, 'revoke')
})

test('a revocation that fails pauses, although its lease is still over', () => {
  const state = after(opened)
  stepFailed(state.retries, session, { step: 'revoke', cause: 'nobody answers' }, 0)
  assert.deepEqual([...dueSessions(state, ranOut, 1)], [])
})

test('a revoked session leaves nothing to look after', () => {
  const state = after([...opened, ended()])
  stepFailed(state.retries, session, { step: 'revoke', cause: 'nobody answers' }, 0)
  noted(state, revoked(role))
  assert.deepEqual([...dueSessions(state, ranOut, 60_000)], [])
  assert.deepEqual([state.tenants.size, state.retries.size], [0, 0])
})

function after(messages: readonly AnyMessage[]): Credentials {
  const state = newCredentials(3, Instant(0))
  for (const message of messages) noted(state, message)
  return state
}
