import assert from 'node:assert/strict'
import { it } from 'node:test'
import { waitMsOf } from './patient-fetch.ts'

it('waits longer only after many fetches that brought nothing, and never long against the silence of a member', () => {
  const cases: [number, number, number][] = [
    [0, 6_000, 250],
    [7, 6_000, 250],
    [8, 6_000, 1_000],
    [1_000, 30_000, 1_000],
    [8, 3_000, 500],
    [8, 600, 250],
  ]
  for (const [empty, sessionTimeoutMs, expected] of cases)
    assert.equal(waitMsOf(250, empty, sessionTimeoutMs), expected, `${empty} ${sessionTimeoutMs}`)
})
