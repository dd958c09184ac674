// Seen to fail when `prepareRole` in services/credential-broker/src/shell/roles.ts also lends the writer.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventually } from '../support/ledger.ts'
import { askingTarget, askTarget } from '../support/target.ts'

const system = await arena('base')

test('the role of a session can read, and neither change, create, become nor inherit anything', async (context) => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  context.after(() => running.signal('SIGKILL'))
  running.type("select 'open';")
  await running.says(/open/)
  const role = await sessionRole()
  const ask = (sql: string): Promise<Record<string, unknown>[]> =>
    askTarget(system, sql.replaceAll('$role', `'${role}'`), 'shop_prod')

  const tables = await ask(`
    select c.oid::regclass::text as name, has_table_privilege($role, c.oid, 'select') as reads,
           has_table_privilege($role, c.oid, 'insert, update, delete, truncate, references, trigger, maintain')
             or has_any_column_privilege($role, c.oid, 'insert, update, references') as changes
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname in ('shop', 'public')`)
  assert.ok(tables.length >= 5, JSON.stringify(tables))
  assert.deepEqual(
    tables.filter(({ reads, changes }) => reads !== true || changes === true),
    [],
  )
  const changeable = await ask(`
    select c.oid::regclass::text from pg_class c
     where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname <> 'pg_settings'
       and has_table_privilege($role, c.oid, 'insert, update, delete, truncate')`)
  assert.deepEqual(changeable, [], 'the catalogs of the target included')
  const creates = await ask(`
    select nspname from pg_namespace where has_schema_privilege($role, oid, 'create')
    union all select datname from pg_database
     where datname = current_database() and has_database_privilege($role, oid, 'create, temp')`)
  assert.deepEqual(creates, [])
  const [attributes] = await ask(`
    select rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as "canMore",
           rolconnlimit from pg_roles where rolname = $role`)
  assert.deepEqual(attributes, { canMore: false, rolconnlimit: 1 })
  const roles = await ask(`
    select rolname, pg_has_role($role, oid, 'usage') as inherits, pg_has_role($role, oid, 'set') as becomes
      from pg_roles where pg_has_role($role, oid, 'member') and rolname <> $role`)
  assert.deepEqual(roles, [{ rolname: 'shop_prod_reader', inherits: true, becomes: false }])
})

/** Changes that a session could send directly to the target if Countersign did not stand between. */
const CHANGES: readonly string[] = [
  'delete from shop.orders where id = 1',
  "update shop.orders set note = 'mine' where id = 1",
  "insert into shop.products values (90001, 'mine', 1)",
  'truncate shop.orders',
  'alter table shop.orders add column mine int',
  'drop table shop.orders',
  'create table shop.mine (id int)',
  'create temp table mine (id int)',
  'create schema mine',
  'set role shop_prod_owner',
  'set role shop_prod_writer',
]

test('the target itself refuses every change to the role of a session', async (context) => {
  const running = await startPsql(system, { profile: 'shop-prod' })
  context.after(() => running.signal('SIGKILL'))
  running.type("select 'open';")
  await running.says(/open/)
  const past = await askingTarget(system, 'shop_prod')
  context.after(() => past.end())
  await past.query(`set session authorization ${await sessionRole()}`)
  const { rows } = await past.query('select count(*)::int > 0 as reads from shop.orders')
  assert.deepEqual(rows, [{ reads: true }])
  for (const sql of CHANGES) await assert.rejects(past.query(sql), { code: '42501' }, sql)
})

/** The role of the open session. Waits for its only one, because a role of an earlier session may take a moment to go. */
const sessionRole = (): Promise<string> =>
  eventually('one session', async () => {
    const roles = await askTarget(
      system,
      "select usename from pg_stat_activity where usename like 'cs\\_%'",
    )
    return roles.length === 1 && String(roles[0]?.['usename'])
  })
