// Seen to fail when `stepOf` in services/proxy/src/shell/pipeline.ts forwards from step 0 again after a hold, when `refuse`
// in services/proxy/src/shell/refuse.ts never fails the target, and when the login limit stays on the TCP socket.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { heldOnWire } from '../support/held.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { connectPg } from '../support/node-postgres.ts'
import { countersign, deny } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { cancel, group, openWire, told } from '../support/wire.ts'

const LOGIN_LIMIT_MS = 2_000
const system = await arena('extended', {
  env: { proxy: { CS_LOGIN_LIMIT_MS: String(LOGIN_LIMIT_MS) } },
})
await using log = await observe(system)

const noteOf = async (id: number): Promise<unknown> =>
  (await askTarget(system, `select note from shop.orders where id = ${id}`, 'shop_prod'))[0]?.[
    'note'
  ]

test('a hold in the middle of a pipeline keeps the order of all answers', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(
    group('select 1 from shop.products where id = $1', '1'),
    group('update shop.orders set note = $1 where id = 13', 'piped'),
    group('select 3 from shop.products where id = $1', '3'),
    toServer.sync(),
  )
  const requestId = await heldOnWire(wire)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  const done = told(await wire.ready()).filter((line) => /^(row|done|error|ready)/.test(line))
  // The answers from before the hold came before its notice, so only those of the held statement and after it are left.
  assert.deepEqual(done.slice(-4), ['done UPDATE 1', 'row 3', 'done SELECT 1', 'ready I'])
  assert.equal(await noteOf(13), 'piped')
  wire.end()
})

test('a hold and an idle session outlive the limit of the login', async () => {
  const wire = await openWire(system, 'shop-prod')
  await pause(LOGIN_LIMIT_MS * 1.5)
  wire.send(group('update shop.orders set note = $1 where id = 14', 'late'), toServer.sync())
  const requestId = await heldOnWire(wire)
  await pause(LOGIN_LIMIT_MS * 1.5)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  assert.deepEqual(told(await wire.ready()).slice(-2), ['done UPDATE 1', 'ready I'])
  assert.equal(await noteOf(14), 'late')
  wire.end()
})

test('a refusal in the middle of a pipeline rolls its earlier part back and skips the rest', async () => {
  const wire = await openWire(system, 'shop-staging')
  wire.send(
    group('update shop.orders set note = $1 where id = 15', 'gone'),
    group('grant shop_staging_owner to public'),
    group('update shop.orders set note = $1 where id = 16', 'never'),
    toServer.sync(),
    group('select note from shop.orders where id = $1', '15'),
    toServer.sync(),
  )
  const first = told(await wire.ready())
  assert.deepEqual(
    first.filter((line) => /^(row|done|error|ready)/.test(line)),
    ['done UPDATE 1', 'error 42C01', 'ready I'],
  )
  const second = told(await wire.ready())
  assert.ok(!second.includes('row gone'), second.join(' | '))
  assert.equal(second.at(-1), 'ready I')
  const rows = await askTarget(
    system,
    "select id from shop.orders where note in ('gone', 'never')",
    'shop_staging',
  )
  assert.deepEqual(rows, [])
  wire.end()
})

test('a refused simple query behind messages without Sync rolls them back, too', async () => {
  const wire = await openWire(system, 'shop-staging')
  wire.send(
    group('update shop.orders set note = $1 where id = 17', 'unsynced'),
    toServer.query('grant shop_staging_owner to public'),
  )
  const first = told(await wire.ready())
  assert.deepEqual(
    first.filter((line) => /^(row|done|error|ready)/.test(line)),
    ['done UPDATE 1', 'error 42C01', 'ready I'],
  )
  wire.send(toServer.query('select 1'))
  await wire.ready()
  wire.send(toServer.sync())
  await wire.ready()
  const rows = await askTarget(
    system,
    "select id from shop.orders where note = 'unsynced'",
    'shop_staging',
  )
  assert.deepEqual(rows, [])
  wire.end()
})

test('a refusal inside BEGIN leaves a failed transaction, and COMMIT rolls back', async () => {
  for (const parameterised of [false, true]) {
    await using client = await connectPg(system, 'shop-staging')
    await client.query('begin')
    await client.query("update shop.orders set note = 'half' where id = 18")
    const refused = parameterised
      ? client.query({ text: 'grant shop_staging_owner to public', values: [], name: 'refused' })
      : client.query('grant shop_staging_owner to public')
    await assert.rejects(refused, { code: '42C01' })
    await assert.rejects(client.query('select 1'), { code: '25P02' })
    assert.equal((await client.query('commit')).command, 'ROLLBACK')
    const { rows } = await client.query('select note from shop.orders where id = 18')
    assert.notEqual(rows[0]?.note, 'half')
  }
})

test('a denied statement in a pipeline gives its SQLSTATE, and the session goes on', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(group('delete from shop.orders where id = $1', '19'), toServer.sync())
  const requestId = await heldOnWire(wire)
  assert.equal((await deny(system, 'bo', requestId, 'keep it')).status, 200)
  assert.deepEqual(
    told(await wire.ready()).filter((line) => /^(error|ready)/.test(line)),
    ['error 42C03', 'ready I'],
  )
  wire.send(group('select id from shop.orders where id = $1', '19'), toServer.sync())
  assert.deepEqual(told(await wire.ready()).slice(-3), ['row 19', 'done SELECT 1', 'ready I'])
  wire.end()
})

test('cancelling a held statement of the extended protocol withdraws it', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(group('delete from shop.orders where id = $1', '20'), toServer.sync())
  const requestId = await heldOnWire(wire)
  await cancel(system, wire)
  assert.deepEqual(
    told(await wire.ready()).filter((line) => /^(error|ready)/.test(line)),
    ['error 57014', 'ready I'],
  )
  await eventually('the withdrawal', async () =>
    (await eventsOf(log, 'sessions', 'RequestWithdrawn')).some(
      (event) => event.requestId === requestId,
    ),
  )
  assert.ok((await countersign(system, 'ana', requestId)).status >= 400)
  wire.end()
})
