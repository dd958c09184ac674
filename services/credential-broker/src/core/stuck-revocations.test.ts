import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instant, SessionId } from '@countersign/kernel'
import { type Credentials, newCredentials, noted } from './credential.ts'
import { admitted, ended, intended, issued, revoked } from './examples.ts'
import { stepFailed } from './retries.ts'
import { stuckRevocations } from './stuck-revocations.ts'

const [first, second, third] = [1, 2, 3].map((number) =>
  SessionId(`00000000-0000-7000-8000-00000000000${number}`),
)

test('of each profile it tells how many are stuck, and of the longest its role, since when and why', () => {
  const partitions = [newCredentials(0, Instant(0)), newCredentials(1, Instant(0))]
  const [one, other] = partitions
  assert.ok(one && other && first && second && third)
  failing(one, first, { role: 'cs_shop_prod_0', sinceMs: 20_000, cause: 'no route' })
  failing(other, second, { role: 'cs_shop_prod_1', sinceMs: 10_000, cause: 'refused' })
  failing(other, third, { role: 'cs_shop_prod_2', sinceMs: 50_000, cause: 'refused' })
  assert.deepEqual(stuckRevocations(partitions, 69_000), [])
  assert.deepEqual(stuckRevocations(partitions, 90_000), [
    {
      profile: 'shop-prod',
      count: 2,
      role: 'cs_shop_prod_1',
      failingMs: 80_000,
      cause: 'refused',
    },
  ])
  // Once they are revoked nothing is reported any more.
  noted(one, revoked('cs_shop_prod_0', first))
  noted(other, revoked('cs_shop_prod_1', second))
  assert.deepEqual(stuckRevocations(partitions, 90_000), [])
})

function failing(
  state: Credentials,
  sessionId: SessionId,
  { role, sinceMs, cause }: { role: string; sinceMs: number; cause: string },
): void {
  const history = [
    admitted(sessionId),
    intended(role, sessionId),
    issued(role, sessionId),
    ended(sessionId),
  ]
  for (const message of history) noted(state, message)
  for (const nowMs of [sinceMs, sinceMs + 250])
    stepFailed(state.retries, sessionId, { step: 'revoke', cause }, nowMs)
}
