// Seen to fail when ownParse leaves the Close out, and when it stands behind the Parse.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownParse, ownPassage } from './own-passage.ts'
import type { Passage } from './passage.ts'
import { requests } from './requests-under-test.ts'

const NAME = '_own'
/** Every way in which Countersign has a text of its own parsed. */
const OWN: Readonly<Record<string, Passage>> = {
  'runs a statement': ownPassage({
    ...{ name: NAME, sql: 'select 1', resultFormats: [], request: 1, step: {} },
  }),
  'parses a text of the agent': ownParse({
    ...{ name: NAME, sql: 'select $1', parameterTypes: [25], request: 1, step: { request: 1 } },
  }),
}

for (const [what, first] of Object.entries(OWN))
  for (let failsAt = 0; failsAt <= first.outbound.length; failsAt++)
    for (const [next, second] of Object.entries(OWN))
      test(`${what} and fails at message ${failsAt}: then ${next} finds its name free`, () => {
        const statements = new Set<string>()
        run(statements, first, failsAt)
        assert.equal(run(statements, second), null)
      })

for (const [what, { outbound, steps }] of Object.entries(OWN))
  test(`each message of what ${what} is answered, and shown to nobody`, () => {
    const sent = requests(...outbound.map(({ bytes }) => bytes)).map(({ tag }) => tag)
    assert.deepEqual(
      steps.map(({ tag }) => tag),
      sent,
    )
    assert.ok(steps.every(({ isOurs }) => isOurs))
    assert.deepEqual(
      steps.filter(({ request }) => request !== null).map(({ request }) => request),
      [1],
    )
  })

/** The statements that a target keeps, and its error; what is behind a failure is skipped. */
function run(statements: Set<string>, { outbound }: Passage, failsAt = Infinity): string | null {
  const messages = requests(...outbound.map(({ bytes }) => bytes))
  for (const [index, message] of messages.entries()) {
    if (index === failsAt) return 'failed'
    if (message.tag === 'Close' && message.kind === 'statement') statements.delete(message.name)
    if (message.tag !== 'Parse') continue
    if (statements.has(message.name)) return '42P05'
    statements.add(message.name)
  }
  return null
}
