// Seen to fail when the broker's GRANT says SET TRUE, and when `run` in services/proxy/src/shell/serve-session.ts does not wait for `lowered`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldRequest } from '../support/held.ts'
import { eventsOf, eventually, observe, timesRun } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'
import { askingTarget, askTarget } from '../support/target.ts'

const system = await arena('kept')

test('after an approved change the session has its base rights again, before anything else runs', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type('alter table shop.orders add column kept int;')
  running.type("select 'next', pg_has_role(session_user, 'shop_prod_owner', 'usage') as owner;")
  const requestId = await heldRequest(running)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  await running.says(/next\s+\| f/)
  await using log = await observe(system)
  const lowered = await eventually('the lowering', async () =>
    (await eventsOf(log, 'credentials', 'PrivilegeLowered')).find(
      (event) => event.requestId === requestId,
    ),
  )
  assert.ok(lowered.roles.includes('shop_prod_owner'))
  const members = await askTarget(
    system,
    "select m.rolname from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles r on r.oid = a.roleid where r.rolname = 'shop_prod_owner' and m.rolname like 'cs\\_%'",
  )
  assert.deepEqual(members, [])
  await running.finish()
})

test('the next statement waits until the privilege is taken back, however long that takes', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  const orders = await askingTarget(system, 'shop_prod')
  await orders.query('begin; lock table shop.orders in access share mode')
  running.type('alter table shop.orders add column slow int;')
  running.type("select 'after the slow one';")
  const requestId = await heldRequest(running)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  await eventually(
    'the ALTER TABLE at the target',
    async () => (await timesRun(system, 'slow int')) === 1,
  )
  // Now the privilege is there; nobody can take it back as long as this lock is held.
  const members = await askingTarget(system, 'postgres')
  await members.query('begin; lock table pg_auth_members in share mode')
  await orders.query('commit')
  await running.says(/ALTER TABLE/)
  await eventually('a broker that waits', async () => {
    const rows = await askTarget(
      system,
      "select 1 from pg_stat_activity where query ilike 'revoke%' and wait_event_type = 'Lock'",
    )
    return rows.length > 0
  })
  // Nothing says that something does not happen: many times what a statement takes.
  await pause(1_000)
  assert.equal(await timesRun(system, 'after the slow one'), 0)
  await members.query('commit')
  await running.says(/after the slow one/)
  await running.finish()
  await Promise.all([orders.end(), members.end()])
})

test('SET ROLE to the owner never works, not even inside an approved transaction', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type('begin;')
  running.type('alter table shop.orders add column inside int;')
  const requestId = await heldRequest(running)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  await running.says(/ALTER TABLE/)
  running.type("select 'may set', pg_has_role(session_user, 'shop_prod_owner', 'set');")
  await running.says(/may set\s+\| f/)
  running.type('set role shop_prod_owner;')
  await running.says(/CS_REQUEST_BLOCKED/)
  running.type('commit;')
  await running.says(/ROLLBACK/)
  await running.finish()
  assert.equal(await timesRun(system, 'set role'), 0)
  const columns = await askTarget(
    system,
    "select 1 from information_schema.columns where column_name = 'inside'",
    'shop_prod',
  )
  assert.deepEqual(columns, [], 'a refusal inside a transaction takes the rest of it with it')
})

test('a table that an approved statement made belongs to the owner of the profile afterwards', async () => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  running.type('create table shop.notes (id int, body text);')
  const requestId = await heldRequest(running)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  await running.says(/CREATE TABLE/)
  await eventually('the transfer', async () => {
    const [row] = await askTarget(
      system,
      "select tableowner from pg_tables where tablename = 'notes'",
      'shop_prod',
    )
    return row?.['tableowner'] === 'shop_prod_owner'
  })
  await running.finish()
})
