// Seen to fail when `isKeptBack` in services/proxy/src/shell/answers.ts keeps nothing back, and when `inheritFrom` in
// services/credential-broker/src/shell/roles.ts hands nothing over.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldOnWire } from '../support/held.ts'
import { countersign } from '../support/reviewer.ts'
import { askingTarget } from '../support/target.ts'
import { group, openWire, told, type Wire } from '../support/wire.ts'

const system = await arena('made')

/** The steps of a migration as tools write it, each with the name of the object that it makes. */
const STEPS: readonly { sql: string; of?: string }[] = [
  { sql: 'create table shop.m_items (id serial primary key, title text)', of: 'm_items' },
  { sql: 'create index m_items_title on shop.m_items (title)' },
  { sql: 'create view shop.m_titles as select id from shop.m_items', of: 'm_titles' },
  {
    sql: "create function shop.m_one() returns int language sql as 'select 1'",
    of: 'm_one',
  },
  {
    sql: 'create or replace view shop.m_titles as select id, title from shop.m_items',
    of: 'm_titles',
  },
  {
    sql: "create or replace function shop.m_one() returns int language sql as 'select 2'",
    of: 'm_one',
  },
  { sql: "insert into shop.m_items (title) values ('first')" },
  { sql: 'alter table shop.m_items rename to m_things', of: 'm_things' },
  { sql: 'drop view shop.m_titles' },
  { sql: 'drop function shop.m_one()' },
]

const OWNERS =
  'select relname as name, relowner::regrole::text as owner from pg_class where relname = $1 ' +
  'union all select proname, proowner::regrole::text from pg_proc where proname = $1'

/** The two ways in which a client sends one statement; each ends with the messages that end the pipeline. */
const WAYS: Readonly<Record<string, (sql: string) => Uint8Array[]>> = {
  'as a query': (sql) => [toServer.query(sql)],
  'in the extended protocol': (sql) => [group(sql), toServer.sync()],
}

async function approved(wire: Wire, bytes: Uint8Array[]): Promise<void> {
  wire.send(...bytes)
  const requestId = await heldOnWire(wire)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
}

for (const [name, bytesOf] of Object.entries(WAYS)) {
  test(`a migration of ten steps runs to its end ${name}, and each thing is the owner's before its step is answered`, async (t) => {
    const wire = await openWire(system, 'shop-prod')
    t.after(() => wire.end())
    const target = await askingTarget(system, 'shop_prod')
    t.after(() => target.end())
    for (const { sql, of } of STEPS) {
      await approved(wire, bytesOf(sql))
      await wire.until('C', 'E')
      // The owner is asked for as soon as the answer is there, because an agent waits for nothing after its answer.
      const asked = of === undefined ? null : target.query(OWNERS, [of])
      const answer = told(await wire.ready())
      assert.ok(
        answer.every((line) => !line.startsWith('error')),
        `${sql}: ${answer.join('; ')}`,
      )
      if (asked !== null)
        assert.deepEqual((await asked).rows, [{ name: of, owner: 'shop_prod_owner' }], sql)
    }
    const other = await psql(system, {
      profile: 'shop-prod',
      commands: ['select title from shop.m_things'],
    })
    assert.match(other.stdout, /first/, other.stderr)
    await approved(wire, bytesOf('drop table shop.m_things'))
    assert.ok(told(await wire.ready()).length > 0)
  })
}

test('what an approved statement makes in a transaction is the owner’s before COMMIT is answered', async (t) => {
  const wire = await openWire(system, 'shop-prod')
  t.after(() => wire.end())
  const target = await askingTarget(system, 'shop_prod')
  t.after(() => target.end())
  wire.send(toServer.query('begin'))
  await wire.ready()
  await approved(wire, [toServer.query('create table shop.m_late (id int)')])
  await wire.ready()
  wire.send(toServer.query('commit'))
  await wire.until('C')
  const { rows } = await target.query(OWNERS, ['m_late'])
  assert.deepEqual(rows, [{ name: 'm_late', owner: 'shop_prod_owner' }])
  await wire.ready()
})

test('the steps of a migration run in one transaction too, and all is the owner’s when COMMIT is answered', async (t) => {
  const wire = await openWire(system, 'shop-prod')
  t.after(() => wire.end())
  const target = await askingTarget(system, 'shop_prod')
  t.after(() => target.end())
  wire.send(toServer.query('begin'))
  await wire.ready()
  for (const { sql } of STEPS) {
    await approved(wire, [toServer.query(sql)])
    const answer = told(await wire.ready())
    assert.ok(
      answer.every((line) => !line.startsWith('error')),
      `${sql}: ${answer.join('; ')}`,
    )
  }
  await approved(wire, [
    toServer.query('create view shop.m_seen as select title from shop.m_things'),
  ])
  await wire.ready()
  wire.send(toServer.query('commit'))
  await wire.until('C')
  for (const name of ['m_things', 'm_seen']) {
    const { rows } = await target.query(OWNERS, [name])
    assert.deepEqual(rows, [{ name, owner: 'shop_prod_owner' }])
  }
  await wire.ready()
  const other = await psql(system, {
    profile: 'shop-prod',
    commands: ['select * from shop.m_seen'],
  })
  assert.equal(other.status, 0, other.stderr)
})

test('a client that waits for its answer before it sends Sync gets it', async (t) => {
  const wire = await openWire(system, 'shop-prod')
  t.after(() => wire.end())
  await approved(wire, [group('create table shop.m_flushed (id int)'), toServer.flush()])
  await wire.until('C')
  wire.send(toServer.sync())
  await wire.ready()
})
