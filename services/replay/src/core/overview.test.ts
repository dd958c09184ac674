import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instant, RequestId, SessionId } from '@countersign/kernel'
import { evolved, isComplete, isCutShort, newOverview } from './overview.ts'
import type { SessionMessage } from './session-record.ts'

const SESSION = SessionId('01920000-0000-7000-8000-000000000001')
const link = { sessionId: SESSION, sequence: 0, previousHash: '', at: Instant(1) } as const

const seen: SessionMessage = {
  type: 'TranscriptRecorded',
  ...link,
  requestId: null,
  ciphertext: Buffer.of(1),
  sizeBytes: 1,
}
const completed = (transcriptCount: number): SessionMessage => ({
  type: 'RequestCompleted',
  ...link,
  requestId: RequestId('01920000-0000-7000-8000-000000000002'),
  outcome: 'Succeeded',
  commandTag: null,
  sqlState: null,
  rows: 0,
  resultBytes: 0,
  durationMicros: 0,
  transactionStatus: 'Idle',
  transcriptHead: '',
  transcriptCount,
})
const ended = (transcriptCount: number): SessionMessage => ({
  type: 'SessionEnded',
  ...link,
  reason: 'ClientTerminated',
  code: null,
  requestCount: 0,
  transcriptHead: '',
  transcriptCount,
  inDoubt: [],
})
const revoked = (reason: 'SessionOver' | 'LeaseExpired'): SessionMessage => ({
  type: 'CredentialRevoked',
  sessionId: SESSION,
  at: Instant(1),
  credentialId: 'c',
  target: 't',
  role: 'cs_1',
  reason,
  backendsTerminated: 0,
})

const told = (...messages: readonly SessionMessage[]) => {
  const session = messages.reduce(evolved, newOverview(SESSION))
  return { complete: isComplete(session), cutShort: isCutShort(session) }
}

test('a session is complete when it ended and its transcript is as long as it said', () => {
  assert.deepEqual(told(seen, completed(1)), { complete: false, cutShort: false })
  assert.deepEqual(told(seen, ended(1)), { complete: true, cutShort: false })
  assert.deepEqual(told(seen, ended(2)), { complete: false, cutShort: false })
})

test('the session of a killed proxy is cut short, and complete as far as it said', () => {
  assert.deepEqual(told(seen, completed(1), revoked('LeaseExpired')), {
    complete: true,
    cutShort: true,
  })
  // A transcript that is shorter than its session says was shortened by somebody else, not by the killed proxy.
  assert.deepEqual(told(seen, completed(2), revoked('LeaseExpired')), {
    complete: false,
    cutShort: true,
  })
})

test('an end that the broker saw and nobody else is no killed proxy', () => {
  assert.deepEqual(told(revoked('SessionOver')), { complete: false, cutShort: false })
})

test('the word of the proxy counts, whenever it comes', () => {
  const whole = { complete: true, cutShort: false }
  assert.deepEqual(told(revoked('LeaseExpired'), ended(0)), whole)
  assert.deepEqual(told(ended(0), revoked('LeaseExpired')), whole)
})
