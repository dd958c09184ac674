import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  loginDelayMs,
  loginFailed,
  loginSummaries,
  noFailedLogins,
  OTHERS,
  sourceOf,
} from './failed-logins.ts'

const CODE = 'CS_AUTH_INVALID'
const HOME = '192.0.2.7'

test('a thousand refused logins of one address are five events and one summary', () => {
  const logins = noFailedLogins()
  const told = Array.from({ length: 1_000 }, (_, index) =>
    loginFailed(logins, { address: HOME, code: CODE, isOnRecord: false }, index),
  )
  assert.equal(told.filter((how) => how === 'single').length, 5)
  assert.deepEqual(loginSummaries(logins, 1_000), [{ address: HOME, code: CODE, logins: 995 }])
  assert.deepEqual(loginSummaries(logins, 2_000), [])
})

test('a million addresses are a bounded number of events, and lose no login', () => {
  const logins = noFailedLogins()
  let singles = 0
  for (let index = 0; index < 1_000_000; index++) {
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`
    if (loginFailed(logins, { address, code: CODE, isOnRecord: false }, 0) === 'single') singles++
  }
  assert.ok(logins.addresses.size <= 10_001)
  const summaries = loginSummaries(logins, 0)
  assert.deepEqual([singles, summaries.length], [60, 101])
  assert.equal(summaries.at(-1)?.address, OTHERS)
  assert.equal(singles + summaries.reduce((sum, { logins }) => sum + logins, 0), 1_000_000)
})

test('the delay grows with each refused login up to its limit, and is gone when they have stopped', () => {
  const logins = noFailedLogins()
  const delays: number[] = []
  for (let index = 0; index < 60; index++) {
    delays.push(loginDelayMs(logins, HOME, 0))
    loginFailed(logins, { address: HOME, code: CODE, isOnRecord: false }, 0)
  }
  assert.deepEqual(delays.slice(0, 11), Array(11).fill(0))
  assert.deepEqual(delays.slice(11, 15), [50, 100, 200, 400])
  assert.equal(delays.at(-1), 3_000)
  assert.equal(loginDelayMs(logins, '192.0.2.8', 0), 0)
  assert.equal(loginDelayMs(logins, HOME, 21_000), 0)
  loginSummaries(logins, 31_000)
  assert.equal(logins.addresses.size, 0)
})

test('a refused login that is on record slows the next ones, and is in no summary', () => {
  const logins = noFailedLogins()
  for (let index = 0; index < 20; index++)
    assert.equal(loginFailed(logins, { address: HOME, code: CODE, isOnRecord: true }, 0), 'single')
  assert.equal(loginDelayMs(logins, HOME, 0), 3_000)
  assert.deepEqual(loginSummaries(logins, 0), [])
})

const SOURCES: Readonly<Record<string, string>> = {
  '192.0.2.7': '192.0.2.7',
  '::ffff:192.0.2.7': '192.0.2.7',
  '2001:db8:1:2:3:4:5:6': '2001:db8:1:2::/64',
  '2001:DB8:1:2::9': '2001:db8:1:2::/64',
  '2001:db8::9': '2001:db8:0:0::/64',
  '::1': '0:0:0:0::/64',
}

for (const [address, source] of Object.entries(SOURCES)) {
  test(`${address} is counted as ${source}`, () => {
    assert.equal(sourceOf(address), source)
  })
}
