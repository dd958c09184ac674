// Seen to fail when `callOf` in libs/statements/src/functions.ts takes a function that it does not know for harmless.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { targetStatements } from '../support/ledger.ts'

const system = await arena('bypass')

/** Each of these must be blocked or held: the target's log must not contain what follows it. */
const BYPASSES: readonly string[] = [
  'with d as (delete from shop.orders where id = 1 returning *) select * from d',
  'explain analyze delete from shop.orders',
  'copy (delete from shop.orders returning *) to stdout',
  "copy shop.orders to program 'cat'",
  "copy shop.orders to '/tmp/orders'",
  'select * into shop.copied from shop.orders',
  'create table shop.copied as select * from shop.orders',
  'prepare p as delete from shop.orders',
  'do $$ begin delete from shop.orders; end $$',
  "load 'auto_explain'",
  "select lo_import('/etc/passwd')",
  "select pg_read_file('/etc/passwd')",
  'set role shop_prod_owner',
  'set session authorization postgres',
  "select set_config('role', 'shop_prod_owner', false)",
  'select pg_terminate_backend(1)',
  "select query_to_xml('delete from shop.orders', true, true, '')",
  "alter role current_user password 'known'",
  'grant shop_prod_owner to public',
  'lock table shop.orders in access exclusive mode',
  'select 1; delete from shop.orders',
  "select E'O\\'B'; delete from shop.orders; --'",
  'select $tag$a(b$tag$; delete from shop.orders',
  'merge into shop.orders o using shop.products p on o.id = p.id when matched then delete',
  'truncate shop.orders',
  'select * from shop.orders for update',
  'this is no statement at all',
  'create temp table t (id int)',
  'create extension dblink',
  'select shop.archive_orders()',
  "select dblink_exec('dbname=shop_prod', 'delete from shop.orders')",
  'alter system set log_statement = none',
]

/** None of these may be taken for a change. */
const HARMLESS: readonly string[] = [
  'explain delete from shop.orders',
  "select 'DROP TABLE shop.orders'",
  'select /* delete /* nested */ */ 1',
  "select has_table_privilege('shop.orders', 'delete') as delete",
  'with delete as (select 1) select * from delete',
]

test('what must not pass is blocked or held, and the target never sees it', async () => {
  for (const sql of BYPASSES) {
    const before = (await targetStatements(system)).length
    const running = await startPsql(system, { profile: 'shop-prod', commands: [sql] })
    await running.says(/held for review|ERROR/)
    running.signal('SIGKILL')
    await running.done
    assert.match(running.stderr(), /held for review|CS_REQUEST_BLOCKED|CS_REQUEST_UNKNOWN/, sql)
    assert.equal((await targetStatements(system)).length, before, `${sql} reached the target`)
  }
})

test('what only looks dangerous passes', async () => {
  for (const sql of HARMLESS) {
    const run = await psql(system, { profile: 'shop-prod', commands: [sql] })
    // The target itself may still refuse it: EXPLAIN checks the rights of the statement.
    assert.doesNotMatch(run.stderr, /countersign:/, sql)
  }
})
