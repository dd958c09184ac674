import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stuckRevocations } from './stuck-revocations.ts'

const NOW = Date.parse('2026-01-01T00:10:00Z')

test('a profile with revocations that do not succeed is one line: how many, which role, since when, and why', () => {
  const report = {
    stuck: [
      { profile: 'shop-prod', count: 2, role: 'cs_a', failingMs: 125_000, cause: 'no\nroute' },
      { profile: 'shop-dev', count: 1, role: 'cs_b', failingMs: 60_000, cause: 'no such secret' },
    ],
  }
  assert.deepEqual(
    stuckRevocations(report, NOW).map(({ check, status, detail }) => [check, status, detail]),
    [
      [
        'shop-prod: revocations',
        'failed',
        '2 do not succeed, the longest: role cs_a, since 2026-01-01 00:07:55Z (2 min 5 s): no route',
      ],
      [
        'shop-dev: revocations',
        'failed',
        'one does not succeed: role cs_b, since 2026-01-01 00:09:00Z (1 min 0 s): no such secret',
      ],
    ],
  )
})

test('where none is stuck nothing is found, nor of a broker that reports nothing', () => {
  assert.deepEqual(stuckRevocations({ stuck: [] }, NOW), [])
  assert.deepEqual(stuckRevocations(null, NOW), [])
  assert.deepEqual(stuckRevocations({ other: 1 }, NOW), [])
})
