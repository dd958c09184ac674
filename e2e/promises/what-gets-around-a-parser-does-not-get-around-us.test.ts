// Seen to fail when `callOf` in libs/statements/src/functions.ts takes a function that it does not know for harmless, and when
// `servePipeline` in services/proxy/src/shell/pipeline.ts does not ask for the search path after opaque code.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { observe, targetStatements, timesRun } from '../support/ledger.ts'
import { releasesIn } from '../support/releases.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { cancel, fieldOf, group, only, openWire, told, type Wire } from '../support/wire.ts'

const system = await arena('bypass')

/** Statements that must be blocked or held: the target's log must not contain them. */
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
  // Names are looked up along the target's own path; no statement may give them another meaning.
  'set search_path = shop',
  'set local search_path = evil, pg_catalog',
  'set "Search_Path" to evil',
  "set schema 'evil'",
  "begin; set schema 'evil'; rollback",
  "select set_config('search_path', 'evil', false)",
  "select set_config('search' || '_path', 'evil', false)",
  "select set_config('search_pathology'::varchar(11), 'evil', false)",
  "update pg_settings set setting = 'evil' where name = 'search_path'",
  'alter role current_user set search_path = evil',
  'create temp table pg_class (id int)',
  'call shop.archive_orders()',
  'execute p',
  "select lo_export(1, '/tmp/large')",
  // The planner itself runs a function that is declared immutable.
  'explain select shop.archive_orders()',
  'explain analyze select shop.archive_orders()',
  'begin read only; delete from shop.orders; commit',
  'begin read only; set transaction read write; delete from shop.orders; commit',
  'set session characteristics as transaction read only; delete from shop.orders',
]

/** Bypasses that are too long for an argument of psql; the protocol takes them. */
const LONG: readonly string[] = [
  `/* ${'x'.repeat(1024 * 1024)} */ delete from shop.orders`,
  `delete from shop.orders where id in (${'0, '.repeat(20_000)}0)`,
  `delete from shop.orders where ${'id = 0 or '.repeat(4_000)}id = 0`,
  `select ${'1 + '.repeat(10_000)}1; delete from shop.orders`,
]

/** Statements that look dangerous and must not be taken for a change. */
const HARMLESS: readonly string[] = [
  'explain delete from shop.orders',
  "select 'DROP TABLE shop.orders'",
  'select /* delete /* nested */ */ 1',
  "select has_table_privilege('shop.orders', 'delete') as delete",
  'with delete as (select 1) select * from delete',
  "select pg_catalog.set_config('search_path', '', false)",
  'set search_path = public',
  'reset search_path',
  'discard all',
]

test('what must not pass is blocked or held, and the target never sees it', async () => {
  for (const sql of BYPASSES) {
    const before = await timesRun(system, sql)
    const running = await startPsql(system, { profile: 'shop-prod', commands: [sql] })
    await running.says(/held for review|ERROR/)
    running.signal('SIGKILL')
    await running.done
    assert.match(running.stderr(), REFUSED_OR_HELD, sql)
    assert.equal(await timesRun(system, sql), before, `${sql} reached the target`)
  }
})

// Seen to fail when `executeAsk` in services/proxy/src/core/pipeline-plan.ts asks about another text than the one of its Parse.
test('what must not pass does not pass as Parse, Bind and Execute either', async () => {
  const wire = await openWire(system, 'shop-prod')
  const before = await targetStatements(system)
  for (const sql of [...BYPASSES, ...LONG]) {
    wire.send(group(sql), toServer.sync())
    assert.match(await refusedOrHeld(wire), REFUSED_OR_HELD, sql.slice(0, 100))
  }
  for (const sql of LONG) {
    wire.send(toServer.query(sql))
    assert.match(await refusedOrHeld(wire), REFUSED_OR_HELD, sql.slice(0, 100))
  }
  // To prepare a name gives no permission: each execution of it is a request.
  wire.send(toServer.parse('kept', 'delete from shop.orders where id = 1'), toServer.sync())
  await wire.ready()
  wire.send(toServer.bind({ statement: 'kept' }), toServer.execute(), toServer.sync())
  assert.match(await refusedOrHeld(wire), REFUSED_OR_HELD)
  wire.send(toServer.query("select 'the session goes on'"))
  assert.ok(told(await wire.ready()).includes('row the session goes on'))
  wire.end()
  await using log = await observe(system)
  const ours = (await releasesIn(system, log)).filter(({ isOurs }) => isOurs)
  const own = new Set(ours.map(({ sql }) => sql))
  const since = (await targetStatements(system)).slice(before.length).map(({ sql }) => sql)
  assert.deepEqual(
    since.filter((sql) => !own.has(sql)),
    ["select 'the session goes on'"],
  )
})

// Seen to fail when `planned` in services/proxy/src/core/pipeline-plan.ts lets a FunctionCall go by.
test('a function call message never reaches the target', async () => {
  const wire = await openWire(system, 'shop-prod')
  wire.send(functionCall(PG_BACKEND_PID))
  const received = await wire.ready()
  assert.match(fieldOf(only(received, 'E'), 'M'), /CS_REQUEST_UNKNOWN/)
  wire.send(toServer.query("select 'after the function call'"))
  assert.ok(told(await wire.ready()).includes('row after the function call'))
  wire.end()
  // PostgreSQL logs function calls with this line of their own.
  assert.doesNotMatch(await readFile(system.targetLogFile, 'utf8'), /fastpath function call/)
})

test('what only looks dangerous passes', async () => {
  for (const sql of HARMLESS) {
    const run = await psql(system, { profile: 'shop-prod', commands: [sql] })
    // The target itself may still refuse the statement: EXPLAIN checks its privileges.
    assert.doesNotMatch(run.stderr, /countersign:/, sql)
  }
})

test('code that changes what names mean ends the session before anything else runs in it', async () => {
  await askTarget(
    system,
    'create schema evil; grant usage on schema evil to public; ' +
      "create function shop.lead_astray() returns void language sql as $$ select set_config('search_path', 'evil', false) $$",
    'shop_dev',
  )
  const opaque = `permit (principal, action == Countersign::Action::"opaque", resource);`
  await applyCatalog(system, (name, text) => (name === 'dev.cedar' ? `${text}\n${opaque}` : text))
  const run = await psql(system, {
    profile: 'shop-dev',
    commands: ['select shop.lead_astray()', "select 'after the search_path was changed'"],
  })
  assert.match(run.stderr, /CS_TARGET_FAILED/)
  // In a pipeline the target does not report the change by itself.
  const wire = await openWire(system, 'shop-dev')
  for (const sql of ['select shop.lead_astray()', "select 'after the search_path was changed'"])
    wire.send(toServer.parse('', sql), toServer.bind({}), toServer.execute())
  wire.send(toServer.sync())
  const error = only(await wire.until('E'), 'E')
  assert.match(fieldOf(error, 'M') + fieldOf(error, 'D'), /CS_TARGET_FAILED/)
  await wire.closed
  assert.equal(await timesRun(system, 'after the search_path was changed'), 0)
  assert.equal(await timesRun(system, 'select shop.lead_astray()'), 2)
})

/** The outcome of a request: the message of its error, or the notice that it is held; then it is cancelled. */
async function refusedOrHeld(wire: Wire): Promise<string> {
  for (;;) {
    const frame = (await wire.until('N', 'E', 'Z')).at(-1) ?? assert.fail()
    if (frame.tag === 'Z') return 'it passed'
    const message = fieldOf(frame, 'M')
    const isHeld = /held for review/.test(message)
    if (frame.tag === 'N' && !isHeld) continue
    if (isHeld) await cancel(system, wire)
    await wire.ready()
    return message
  }
}

/**
 * The refusals that count. A function that does not exist is refused in the words of the target, which is asked only for the
 * name; a text that is no SQL is refused by Countersign, in the words of PostgreSQL.
 */
const REFUSED_OR_HELD =
  /held for review|CS_REQUEST_BLOCKED|CS_REQUEST_UNKNOWN|CS_REQUEST_TOO_COMPLEX|^(ERROR: +)?syntax error at or near "this"|^(ERROR: +)?function \S+ does not exist|^(ERROR: +)?prepared statement "p" does not exist/

/** FunctionCall: 'F' length oid:4 formats:2=0 arguments:2=0 resultFormat:2=0. No driver has sent it for twenty years. */
function functionCall(oid: number): Buffer {
  const frame = Buffer.alloc(15)
  frame.write('F')
  frame.writeInt32BE(frame.length - 1, 1)
  frame.writeInt32BE(oid, 5)
  return frame
}

const PG_BACKEND_PID = 2026
