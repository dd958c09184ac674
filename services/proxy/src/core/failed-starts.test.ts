// Seen to fail when no failure is counted, when none is forgotten, and without the bound.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FailedStarts, startFailed, triedTooOften } from './failed-starts.ts'

/** The number of logins that are tried of those that come each so many milliseconds, where all that are tried fail. */
function tried(logins: number, eachMs: number): number {
  const starts: FailedStarts<string> = new Map()
  let count = 0
  for (let login = 0; login < logins; login++) {
    if (triedTooOften(starts, 'asked', login * eachMs) !== undefined) continue
    count++
    startFailed(starts, { asked: 'asked', why: 'why' }, login * eachMs)
  }
  return count
}

test('what fails again and again is tried ten times, then once each 5 s', () => {
  assert.equal(tried(10_000, 0), 10)
  assert.equal(tried(600, 100), 10 + 11)
  assert.equal(tried(100, 6_000), 100)
})

test('what was asked for otherwise is tried, and so is all after a success', () => {
  const starts: FailedStarts<string> = new Map()
  for (let login = 0; login < 10; login++) startFailed(starts, { asked: 'a', why: `${login}` }, 0)
  assert.equal(triedTooOften(starts, 'a', 0), '9')
  assert.equal(triedTooOften(starts, 'b', 0), undefined)
  starts.delete('a')
  assert.equal(triedTooOften(starts, 'a', 0), undefined)
})

test('no more than the newest thousand are remembered', () => {
  const starts: FailedStarts<number> = new Map()
  for (let login = 0; login < 5_000; login++)
    startFailed(starts, { asked: `${login}`, why: login }, 0)
  assert.equal(starts.size, 1_000)
})
