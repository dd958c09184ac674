import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SessionId } from '@countersign/kernel'
import { isKeyOf, newCancelKey } from './cancel-key.ts'
import type { SessionHandle, SessionTable } from './proxy-context.ts'

const SESSION = SessionId('0192f000-0000-7000-8000-000000000001')

/** Sessions of which one has this key. */
function sessionsWith(cancelKey: SessionHandle['cancelKey']): SessionTable {
  const nothing = (): void => undefined
  const handle: SessionHandle = {
    deliver: nothing,
    cancel: nothing,
    end: nothing,
    isIdle: () => true,
    cancelKey,
    ended: Promise.resolve(),
  }
  return new Map([[SESSION, handle]])
}

test('the key names the process of the target, and its secret is as long as the protocol allows', () => {
  const none = sessionsWith(null)
  for (const [minor, size] of [
    [0, 4],
    [1, 4],
    [2, 32],
  ] as const) {
    const key = newCancelKey(4711, minor, none)
    assert.deepEqual([key.processId, key.secretKey.length], [4711, size])
  }
})

test('two sessions of one process id have two keys', () => {
  const first = newCancelKey(4711, 0, sessionsWith(null))
  const second = newCancelKey(4711, 0, sessionsWith(first))
  assert.ok(!isKeyOf(first, second))
})

test('a key of another process, of other bytes, or of another length is none', () => {
  const key = newCancelKey(4711, 2, sessionsWith(null))
  const flipped = Buffer.from(key.secretKey.map((byte) => byte ^ 1))
  assert.ok(isKeyOf(key, { ...key, secretKey: Buffer.from(key.secretKey) }))
  for (const other of [
    { ...key, processId: 4712 },
    { ...key, secretKey: flipped },
    { ...key, secretKey: key.secretKey.subarray(0, 4) },
    { ...key, secretKey: Buffer.alloc(0) },
  ])
    assert.ok(!isKeyOf(key, other))
  assert.ok(!isKeyOf(null, key))
})
