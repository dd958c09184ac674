// Seen to fail when `attributeCallOf` in libs/statements/src/functions.ts gives null: nobody then holds the first row, and the
// target runs it, with the rights of the function's owner.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { timesRun } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('field-calls')

/** Creates functions that an agent could call: they are on the search path, and everybody may execute a new function. */
await askTarget(
  system,
  `create table shop.accounts (id int primary key, owner text);
   insert into shop.accounts values (42, 'ana'), (43, 'bo');
   grant select on shop.accounts to public;
   create function public.close_account(int) returns text language plpgsql security definer as $$
     begin delete from shop.accounts where id = $1; return 'closed'; end $$;
   create function public.close_account(shop.accounts) returns text language plpgsql security definer as $$
     begin delete from shop.accounts where id = $1.id; return 'closed'; end $$;
   create function public.closes(text) returns bool language plpgsql security definer as $$
     begin delete from shop.accounts where owner = $1; return true; end $$;
   create domain public.closing as text check (public.closes(value));
   create function public.close_both(int, int) returns bool language plpgsql security definer as $$
     begin delete from shop.accounts where id in ($1, $2); return true; end $$;
   create operator public.===> (leftarg = int, rightarg = int, function = public.close_both);
   grant usage on schema public to public;
   create sequence shop.numbers; grant usage on sequence shop.numbers to public`,
  'shop_prod',
)

/** Statements with a call that is written as a field, or hidden in a similar way. */
const CALLS: readonly string[] = [
  'select (42).close_account',
  'select (array[42])[1].close_account',
  'select (select 42).close_account',
  'select a.close_account from shop.accounts a',
  'select shop.accounts.close_account from shop.accounts',
  'select (a).close_account from shop.accounts a',
  'select u.close_account from unnest(array[42]) u',
  'with s as (select * from shop.accounts) select s.close_account from s',
  'select 1 from shop.accounts order by (id).close_account',
  'copy (select (42).close_account) to stdout',
  'explain analyze select (42).close_account',
  "select ('ana'::text).closing",
  "select u.closing from unnest(array['ana'::text]) u",
  'select 42 ===> 43',
  "select ('shop.numbers'::regclass).nextval",
  "select ('/etc/passwd'::text).pg_read_file",
  'select (4242::oid).lo_unlink',
  'select u.lo_unlink from unnest(array[4242::oid]) u',
]

/** Statements with a real field, or with a function that only computes. */
const FIELDS: readonly string[] = [
  'select a.owner, (a).owner from shop.accounts a',
  'select s.owner from (select * from shop.accounts) s',
  'select (-42).abs, (id).abs from shop.accounts',
  "select ('server_version'::text).current_setting",
  '\\d shop.accounts',
  '\\df public.close_account',
]

test('what is a call is blocked or held, and the target never sees it', async () => {
  for (const sql of CALLS) {
    const before = await timesRun(system, sql)
    const running = await startPsql(system, { profile: 'shop-prod', commands: [sql] })
    await running.says(/held for review|ERROR/)
    running.signal('SIGKILL')
    await running.done
    assert.match(running.stderr(), /held for review|CS_REQUEST_BLOCKED|CS_REQUEST_UNKNOWN/, sql)
    assert.equal(await timesRun(system, sql), before, `${sql} reached the target`)
  }
  const rows = await askTarget(system, 'select count(*)::int as n from shop.accounts', 'shop_prod')
  assert.equal(rows[0]?.['n'], 2)
})

test('what is a field passes, also where a function has such a name', async () => {
  for (const sql of FIELDS) {
    const run = await psql(system, { profile: 'shop-prod', commands: [sql] })
    assert.doesNotMatch(run.stderr, /countersign:|ERROR/, sql)
  }
})

test('a call is not covered by a field of the same look', async () => {
  const run = await psql(system, {
    profile: 'shop-prod',
    commands: ['select (-1).abs', 'select (-2).abs', 'select (42).close_account'],
  })
  assert.match(run.stderr, /CS_REQUEST_BLOCKED/)
  const rows = await askTarget(system, 'select id from shop.accounts where id = 42', 'shop_prod')
  assert.equal(rows.length, 1)
})
