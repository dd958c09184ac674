// Seen to fail when `onDescribed` in services/credential-broker/src/shell/serve-broker.ts tells nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, newestSession, observe } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('changed-target')
await using log = await observe(system)

test('a function that somebody adds under a harmless name is not harmless any more, also to who is connected', async (t) => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  t.after(() => running.signal('SIGKILL'))
  const harmless = 'select lower(name) as answer from shop.products where id = 1;'
  for (const mark of ['first', 'covered']) {
    running.type(harmless)
    running.type(`\\echo ${mark}`)
    await running.says(new RegExp(`\\(1 row\\)\\s+${mark}`))
  }
  const sessionId = await newestSession(log)
  const described = async () =>
    (await eventsOf(log, 'credentials', 'TargetDescribed')).filter(
      (one) => one.sessionId === sessionId,
    )
  assert.equal((await described()).length, 1)

  await askTarget(
    system,
    `create function shop.lower(varchar) returns text language sql as $$ select 'mine' $$`,
    'shop_prod',
  )
  // The broker looks again when somebody connects, and every now and then.
  const other = await psql(system, { profile: 'shop-prod', commands: ['select 40 + 2'] })
  assert.match(other.stdout, /42/, other.stderr)
  await eventually('a new description', async () => (await described()).length === 2)
  await eventually('the end of what was covered', async () => {
    running.type(harmless)
    running.type('\\echo asked')
    await running.says(/held for review|CS_REQUEST_[A-Z]+|asked/)
    return /held for review|CS_REQUEST_[A-Z]+/.test(running.stderr())
  })
})
