import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import pg from 'pg'
import {
  type Instance,
  postgresForTests,
  type PostgresForTests,
  seedShop,
  takeInstance,
} from '@countersign/local'
import { profile } from '../core/examples.ts'
import { describeTarget, extentOf } from './describe-target.ts'

let instance: Instance
let postgres: PostgresForTests
let admin: pg.Client

before(async () => {
  instance = await takeInstance('broker-descriptions')
  postgres = await postgresForTests({ dir: instance.dir, port: instance.ports.postgres })
  await seedShop(postgres.adminUrl)
  const url = new URL(postgres.adminUrl)
  url.pathname = '/shop_prod'
  admin = new pg.Client({ connectionString: url.href })
  await admin.connect()
})

after(async () => {
  await admin.end()
  await postgres.stop()
  await instance.release()
})

test('a partition and an inheriting table say of what', async () => {
  await admin.query(`
    CREATE TABLE shop.visits (at date NOT NULL, who text) PARTITION BY RANGE (at);
    CREATE TABLE shop.visits_2024 PARTITION OF shop.visits
      FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE shop.vips (rank integer) INHERITS (shop.customers)`)
  const { relations } = await describeTarget(admin, profile)
  const byName = new Map(relations.map((relation) => [relation.name, relation]))
  const parents = (name: string) => byName.get(name)?.inherits
  assert.deepEqual(parents('visits'), [])
  assert.deepEqual(parents('visits_2024'), [byName.get('visits')?.oid])
  assert.deepEqual(parents('vips'), [byName.get('customers')?.oid])
})

test('whatever changes a description changes the extent too, and what does not costs nothing', async () => {
  const changes = [
    'CREATE FUNCTION shop.answer() RETURNS integer LANGUAGE sql IMMUTABLE RETURN 42',
    'CREATE OR REPLACE FUNCTION shop.answer() RETURNS integer LANGUAGE sql VOLATILE RETURN 42',
    'ALTER FUNCTION shop.answer() RENAME TO reply',
    'DROP FUNCTION shop.reply()',
    'CREATE VIEW shop.contacts AS SELECT id, email AS contact FROM shop.customers',
    'CREATE OR REPLACE VIEW shop.contacts AS SELECT id, phone AS contact FROM shop.customers',
    'ALTER TABLE shop.orders RENAME COLUMN note TO remark',
    'ALTER TABLE shop.orders RENAME TO purchases',
    'ALTER TABLE shop.visits DETACH PARTITION shop.visits_2024',
  ]
  for (const change of changes) {
    const before = await looks()
    await admin.query(change)
    const after = await looks()
    assert.notEqual(after.version, before.version, change)
    assert.notEqual(after.extent, before.extent, change)
  }
  const { extent } = await looks()
  for (const upkeep of ['ANALYZE shop.customers', 'VACUUM shop.customers', 'CREATE ROLE somebody'])
    await admin.query(upkeep)
  assert.equal((await looks()).extent, extent)
})

const looks = async () => ({
  version: (await describeTarget(admin, profile)).targetVersion,
  extent: await extentOf(admin),
})
