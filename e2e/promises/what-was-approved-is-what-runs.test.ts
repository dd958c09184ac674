// Seen to fail when `subjectOf` in services/proxy/src/core/request-subject.ts leaves the text out of what is digested.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { heldRequest, heldStatement } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'
import { countersign, deny } from '../support/reviewer.ts'

const system = await arena('exact')

test('a held statement runs once, only after it was countersigned', async () => {
  const { psql, requestId } = await heldStatement(
    system,
    'alter table shop.orders add column gift boolean',
  )
  assert.equal(await timesRun(system, 'gift'), 0)
  const answer = await countersign(system, 'ana', requestId)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  const run = await psql.finish()
  assert.equal(run.status, 0, run.stderr)
  assert.equal(await timesRun(system, 'gift'), 1)
})

// Seen to fail when `exactText` in libs/cli/src/exact-request.ts leaves the parameters out.
test('a reviewer sees the exact statement and parameters before the vote', async () => {
  await using client = await connectPg(system, 'shop-prod')
  const running = client.query('update shop.orders set note = $1 where id > 4 and id <= $2', [
    "it's\nall",
    '5',
  ])
  const requestId = await eventually(
    'the agent hears of the hold',
    async () => /request ([0-9a-f-]{36})/.exec(client.notices.join('\n'))?.[1],
  )
  for (const verb of ['show', 'requests', 'approve']) {
    const { stdout, stderr, status } = await countersignCli(system, verb, requestId, '--as', 'ana')
    assert.equal(status, 0, stderr)
    const [shown = ''] = stdout.split('granted')
    assert.match(shown, /update shop\.orders set note = \$1 where id > 4 and id <= \$2\n/)
    assert.match(shown, /\$1 \(text.*\) = 'it's\\nall'\n +\$2 \(text.*\) = '5'\n/)
  }
  assert.equal((await running).rowCount, 1)
})

test('one changed byte after an approval is another request, which is held again', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type("update shop.orders set note = 'a' where id = 1;")
  const first = await heldRequest(running)
  assert.equal((await countersign(system, 'ana', first)).status, 200)
  await running.says(/UPDATE 1/)
  running.type("update shop.orders set note = 'b' where id = 1;")
  await running.says(new RegExp(`held for review \\(request (?!${first})`))
  const second = await heldRequest(running)
  assert.notEqual(second, first)
  assert.equal((await deny(system, 'ana', second, 'not this one')).status, 200)
  await running.says(/not this one/)
  await running.finish()
  assert.equal(await timesRun(system, "note = 'b'"), 0)
})

test('a grant is used once: the same bytes again are held again', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  const sql = "update shop.orders set note = 'twice' where id = 2;"
  running.type(sql)
  const first = await heldRequest(running)
  assert.equal((await countersign(system, 'ana', first)).status, 200)
  await running.says(/UPDATE 1/)
  running.type(sql)
  await running.says(new RegExp(`held for review \\(request (?!${first})`))
  assert.equal(await timesRun(system, "'twice'"), 1)
  running.signal('SIGKILL')
  await running.done
})

test('with two connections that ask for the same, a grant lets only its own one run', async () => {
  const sql = "update shop.orders set note = 'race' where id = 3"
  const [one, other] = await Promise.all([heldStatement(system, sql), heldStatement(system, sql)])
  assert.equal((await countersign(system, 'ana', one.requestId)).status, 200)
  assert.equal((await one.psql.finish()).status, 0)
  assert.equal(await timesRun(system, "'race'"), 1)
  other.psql.signal('SIGKILL')
  await other.psql.done
  await using log = await observe(system)
  const used = (await eventsOf(log, 'sessions', 'RequestReleased')).filter(
    (event) => event.requestId === one.requestId,
  )
  assert.equal(used.length, 1)
})

test('a vote on another digest than the one that is held does not count', async () => {
  const { psql, requestId } = await heldStatement(
    system,
    "update shop.orders set note = 'digest' where id = 4",
  )
  const answer = await countersign(system, 'ana', requestId, 'f'.repeat(64))
  assert.ok(answer.status >= 400, JSON.stringify(answer))
  assert.equal(await timesRun(system, "'digest'"), 0)
  psql.signal('SIGKILL')
  await psql.done
})
