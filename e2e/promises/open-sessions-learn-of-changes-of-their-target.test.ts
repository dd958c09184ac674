// Seen to fail when `onDescribed` in services/credential-broker/src/shell/serve-broker.ts tells nobody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPsql } from '../support/agent.ts'
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
  await eventually('a new description', async () => (await described()).length === 2)
  await eventually('the end of what was covered', async () => {
    running.type(harmless)
    running.type('\\echo asked')
    await running.says(/held for review|CS_REQUEST_[A-Z]+|asked/)
    return /held for review|CS_REQUEST_[A-Z]+/.test(running.stderr())
  })
})

/** Ways to show a masked column under a name that was harmless when the session began. */
const REPLACED: Readonly<Record<string, string>> = {
  'another view in its place':
    'create or replace view shop.cards_shown as select id, email as label from shop.customers',
  'a view that was dropped and made again':
    'drop view shop.cards_shown; create view shop.cards_shown as select id, email as label from shop.customers',
  'a column that takes the name of another':
    'alter table shop.shelf rename label to old; alter table shop.shelf rename email to label',
  'a table that takes the name of another':
    'alter table shop.shelf rename to shelf_old; alter table shop.shelf_new rename to shelf',
}

// Seen to fail when `LOOK_MS` in services/credential-broker/src/shell/serve-broker.ts and its knob are 30 s.
for (const [name, change] of Object.entries(REPLACED)) {
  test(`${name} is masked in an open session within seconds`, async (t) => {
    await askTarget(
      system,
      `drop view if exists shop.cards_shown; drop table if exists shop.shelf, shop.shelf_old, shop.shelf_new;
       create view shop.cards_shown as select id, name as label from shop.customers;
       create table shop.shelf (id int, label text, email text);
       create table shop.shelf_new (id int, email text, label text);
       insert into shop.shelf values (1, 'plain', 'zebra.canary@aviary.example');
       insert into shop.shelf_new values (1, 'zebra.canary@aviary.example', 'zebra.canary@aviary.example');
       alter table shop.shelf owner to shop_prod_owner; alter table shop.shelf_new owner to shop_prod_owner;
       alter view shop.cards_shown owner to shop_prod_owner;
       grant select on shop.cards_shown, shop.shelf, shop.shelf_new to shop_prod_reader`,
      'shop_prod',
    )
    const running = await startPsql(system, { profile: 'shop-prod' })
    t.after(() => running.signal('SIGKILL'))
    const of = change.includes('shelf') ? 'shop.shelf' : 'shop.cards_shown'
    const sql = `select label from ${of} order by id limit 1;`
    for (const mark of ['first', 'covered']) {
      running.type(sql)
      running.type(`\\echo ${mark}`)
      await running.says(new RegExp(`\\(1 row\\)\\s+${mark}`))
    }
    const sessionId = await newestSession(log)
    const plans = async () =>
      (await eventsOf(log, 'masking', 'MaskingPlanned')).filter(
        (one) => one.sessionId === sessionId,
      )
    const before = (await plans()).length
    const changedAt = performance.now()
    await askTarget(system, `${change}; grant select on ${of} to shop_prod_reader`, 'shop_prod')
    await eventually('a new plan', async () => (await plans()).length > before)
    t.diagnostic(`planned anew after ${Math.round(performance.now() - changedAt)} ms`)
    running.type(sql)
    running.type('\\echo after')
    await running.says(/\(1 row\)\s+after/)
    const shown = running.stdout().slice(running.stdout().lastIndexOf('covered'))
    assert.match(shown, /[a-z]…@/, shown)
  })
}
