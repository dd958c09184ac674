import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnyMessage } from '@countersign/contracts'
import { RequestId, SessionId } from '@countersign/kernel'
import { fold, isGone, noSessions, pendingOf } from './sessions.ts'
import { approvalIdOf } from '../core/approval.ts'
import { asked, noon, sessionId } from '../core/examples.ts'

const id = (number: number) =>
  RequestId(`01890000-0000-7000-8000-${String(number).padStart(12, '0')}`)
const link = { sessionId, sequence: 0, previousHash: '', at: noon }
const withdrawn = (number: number): AnyMessage => ({
  type: 'RequestWithdrawn',
  ...link,
  requestId: id(number),
  reason: 'Cancelled',
})
const revoked: AnyMessage = {
  type: 'CredentialRevoked',
  sessionId,
  at: noon,
  credentialId: 'c',
  target: 'shop-prod',
  role: 'cs_1',
  reason: 'SessionOver',
  backendsTerminated: 0,
}

// Seen to fail when a request that ends after its session is noted.
test('a request that ends after its session leaves nothing behind', () => {
  const sessions = noSessions()
  fold(sessions, withdrawn(1))
  assert.equal(sessions.goneRequests.size, 1)
  fold(sessions, revoked)
  fold(sessions, withdrawn(2))
  assert.equal(sessions.goneRequests.size, 0)
  assert.equal(isGone(sessions, sessionId, id(2)), true)
  assert.equal(isGone(sessions, SessionId('01890000-0000-7000-8000-0000000000ff'), id(2)), false)
})

test('of a session with many requests the decided ones are forgotten, and those that wait are not', () => {
  const sessions = noSessions()
  for (let number = 0; number < 20_000; number++) {
    const request = { sessionId, requestId: id(number), approvalId: approvalIdOf(id(number)) }
    fold(sessions, { ...asked(), ...request })
    if (number < 2) continue
    fold(sessions, { type: 'ApprovalExpired', ...request, at: noon, stage: 'dba' })
  }
  assert.equal(sessions.approvals.get(sessionId)?.size, 10_000)
  assert.deepEqual(pendingOf(sessions, sessionId), [id(0), id(1)])
})
