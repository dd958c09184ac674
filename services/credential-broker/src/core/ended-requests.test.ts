import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RequestId, uuidv7 } from '@countersign/kernel'
import { endedRequests } from './ended-requests.ts'

const request = (second: number): RequestId =>
  RequestId(uuidv7(1_700_000_000_000 + second * 1_000, Buffer.alloc(10)))

test('an end is known by its place, and the first one counts', () => {
  const ended = endedRequests()
  assert.equal(ended.of(request(1)), null)
  ended.add(request(1), true)
  ended.add(request(2), false)
  ended.add(request(1), false)
  assert.deepEqual(ended.of(request(1)), { place: 0, hasRun: true })
  assert.deepEqual(ended.of(request(2)), { place: 1, hasRun: false })
})

test('an end that says that the request ran counts, also after one that did not', () => {
  const ended = endedRequests()
  ended.add(request(1), false)
  ended.add(request(1), true)
  assert.deepEqual(ended.of(request(1)), { place: 1, hasRun: true })
})

test('what is forgotten is over and may have run; what comes later is not over', () => {
  const ended = endedRequests(10)
  for (let second = 0; second < 1_000; second++) ended.add(request(second), second % 2 === 0)
  assert.equal(ended.of(request(0))?.hasRun, true)
  assert.equal(ended.of(request(988))?.hasRun, true)
  assert.deepEqual(ended.of(request(999)), { place: 999, hasRun: false })
  assert.equal(ended.of(request(1_000)), null)
})
