import assert from 'node:assert/strict'
import { test } from 'node:test'
import { afterMs, Instant } from '@countersign/kernel'
import { firstLimit, type OpenTransaction, transactionLimits } from './hold-limit.ts'

const now = Instant(1_800_000_000_000_000)
const limits = { holdAfterWriteMaxMs: 30_000, holdInTransactionMaxMs: 60_000 }
const reading: OpenTransaction = { keepsLocks: false, keepsSnapshot: false, timeouts: [] }

/** By rule: the state of the transaction, the limit that then ends the hold, and its length in seconds. */
const EXAMPLES: Readonly<Record<string, [Partial<OpenTransaction>, string | null, number?]>> = {
  'one that has only begun or read is limited by its chain alone': [{}, null],
  'one with locks may wait for holdAfterWriteMax': [{ keepsLocks: true }, 'holdAfterWriteMax', 30],
  'one with a snapshot may wait for holdInTransactionMax': [
    { keepsSnapshot: true },
    'holdInTransactionMax',
    60,
  ],
  'locks count before a snapshot': [
    { keepsLocks: true, keepsSnapshot: true },
    'holdAfterWriteMax',
    30,
  ],
  'a timeout of the target that comes first counts': [
    { keepsLocks: true, timeouts: [{ name: 'transaction_timeout', ms: 7_000 }] },
    'transaction_timeout',
    7,
  ],
  'a timeout of the target that comes later does not': [
    { keepsLocks: true, timeouts: [{ name: 'transaction_timeout', ms: 31_000 }] },
    'holdAfterWriteMax',
    30,
  ],
  'the first of several timeouts counts': [
    {
      timeouts: [
        { name: 'idle_in_transaction_session_timeout', ms: 9_000 },
        { name: 'transaction_timeout', ms: 8_000 },
      ],
    },
    'transaction_timeout',
    8,
  ],
}

for (const [rule, [open, name, seconds = 0]] of Object.entries(EXAMPLES)) {
  test(rule, () => {
    const found = firstLimit(transactionLimits({ ...reading, ...open }, { limits, now }))
    const wanted = name === null ? null : { name, endsAt: afterMs(now, seconds * 1_000) }
    assert.deepEqual(found, wanted)
  })
}

test('a limit of 0 is over at once', () => {
  const none = { holdAfterWriteMaxMs: 0, holdInTransactionMaxMs: 0 }
  const open = { ...reading, keepsLocks: true }
  assert.equal(firstLimit(transactionLimits(open, { limits: none, now }))?.endsAt, now)
})
