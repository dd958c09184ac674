import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@countersign/kernel'
import { problemOf } from './problem-details.ts'

// Seen to fail when a limit is not in the table.
test('a limit that is known is no mistake of the service', () => {
  for (const [problem, status] of [
    [new Problem('CS_SESSION_LIMIT', 'too much'), 422],
    [new Problem('CS_REPLAY_BUSY', 'too many'), 503],
    [new Problem('CS_REPLAY_BUSY', 'too many', { retriable: true }), 503],
    [new Error('unheard of'), 500],
  ] as const)
    assert.equal(problemOf(problem).status, status)
})
