// Seen to fail when `transcribe` in services/proxy/src/shell/seen.ts looks at the profile alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { applyCatalog } from '../support/reviewer.ts'

const system = await arena('recording')

test('what the permits of a statement ask for is recorded, whatever the profile says', async () => {
  // By the policies reading leaves no transcript and writing does; the profile of dev asks for none, that of prod for all.
  await applyCatalog(system, (name, text) => {
    if (name === 'all.cedar')
      return text.replace(/(agents-read"\)\n@record)\("full"\)/, '$1("statements")')
    return name === 'profiles.yaml' ? text.replace('record: full', 'record: statements') : text
  })
  for (const profile of ['shop-dev', 'shop-prod']) {
    const run = await psql(system, { profile, commands: ["select 'read'", 'begin; rollback'] })
    assert.equal(run.status, 0, run.stderr)
  }
  await using log = await observe(system)
  const ended = await eventually('the ends of the sessions', async () => {
    const found = await eventsOf(log, 'sessions', 'SessionEnded')
    return found.length === 2 && found
  })
  const released = await eventsOf(log, 'sessions', 'RequestReleased')
  const asked = new Set(released.filter(({ origin }) => origin === 'Agent').map(idOf))
  const completed = (await eventsOf(log, 'sessions', 'RequestCompleted')).filter((event) =>
    asked.has(event.requestId),
  )
  const seen = new Set((await eventsOf(log, 'transcript', 'TranscriptRecorded')).map(idOf))
  for (const { sessionId } of ended) {
    const recorded = completed
      .filter((event) => event.sessionId === sessionId)
      .map((event) => [event.commandTag, seen.has(event.requestId)])
    assert.deepEqual(recorded, [
      ['SELECT 1', false],
      ['BEGIN; ROLLBACK', true],
    ])
  }
})

const idOf = ({ requestId }: { requestId: string | null }): string | null => requestId
