import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stuckRevocations } from './stuck-revocations.ts'

test('a profile with revocations that do not succeed is named, with how many', () => {
  const metrics = `# TYPE countersign_revocations_stuck gauge
countersign_revocations_stuck{profile="shop-prod",otel_scope_name="countersign"} 2 1700000000000
countersign_revocations_stuck{otel_scope_name="countersign",profile="shop-dev"} 1
countersign_records_decided{profile="other"} 7
`
  const found = stuckRevocations(metrics)
  assert.deepEqual(
    found.map(({ check, status, detail }) => [check, status, detail]),
    [
      ['shop-prod: revocations', 'failed', '2 do not succeed; each is tried again'],
      ['shop-dev: revocations', 'failed', '1 does not succeed; each is tried again'],
    ],
  )
})

test('where none is stuck nothing is found', () => {
  assert.deepEqual(stuckRevocations('countersign_revocations_stuck 0\n'), [])
  assert.deepEqual(stuckRevocations('countersign_revocations_stuck{scope="x"} 0\n'), [])
  assert.deepEqual(stuckRevocations(''), [])
})
