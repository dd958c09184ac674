import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exampleCatalog, identity, NOW } from './example-under-test.ts'
import { policiesOf } from './policy-set.ts'
import { type Question, timeOf } from './question.ts'
import { verdictOn } from './verdict.ts'

const about = (name: string): Question => ({
  ...{ identity, profile: { name: 'shop-prod', environment: 'production' }, action: 'read' },
  ...{ table: { schema: 'shop', name, tags: [] }, time: timeOf(NOW), raisedRoles: [] },
  statement: {
    ...{ count: 1, movesData: false, touchesTagged: false, changesState: false },
    ...{ createsCode: false, unbounded: false, settings: [] },
  },
})

/** Seen to fail when the oldest answer goes, and when all go at once. */
test('an answer that is asked for again and again outlives any number of others', () => {
  const policies = policiesOf(exampleCatalog(), 3)
  const often = policies.ask(about('often'))
  const once = policies.ask(about('once'))
  for (let n = 0; n < 10; n++) {
    policies.ask(about(`other${n}`))
    assert.equal(policies.ask(about('often')), often)
  }
  const again = policies.ask(about('once'))
  assert.notEqual(again, once)
  assert.deepEqual(again, once)
})

/** Seen to fail when all questions are answered in one go. */
test('others may be decided on between any two questions', () => {
  const policies = policiesOf(exampleCatalog())
  const steps = verdictOn(['a', 'b', 'c'].map(about), policies)
  const rests = Array.from({ length: 3 }, () => steps.next().done)
  assert.deepEqual(rests, [false, false, false])
  assert.equal(steps.next().done, true)
})
