// Seen to fail when a row of a table, or an array made of its columns, is taken for as plain as what it is made of, and when
// operators are believed that say they are immutable. services/credential-broker has the whole table of such statements.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { askingTarget } from '../support/target.ts'
import { fieldOf, openWire } from '../support/wire.ts'

const system = await arena('types-run')
const admin = await askingTarget(system, 'shop_prod')
await admin.query(`
  grant usage on schema public to public;
  create table public.victims (n int); grant select on public.victims to public;
  create function public.trap(text) returns boolean language plpgsql security definer as
    $$ begin delete from public.victims; return true; end $$;
  create domain public.a_domain as text check (public.trap(value));
  create table shop.w (n int, c public.a_domain); insert into shop.w values (1, 'x');
  create table shop.acc (id int); insert into shop.acc values (1), (2);
  create function public.acc_plus(shop.acc, shop.acc) returns boolean language plpgsql immutable as
    $$ begin return public.trap('+'); end $$;
  create operator public.+ (leftarg = shop.acc, rightarg = shop.acc, function = public.acc_plus);
  create function public.acc_int(shop.acc) returns integer language plpgsql as
    $$ begin perform public.trap('int'); return 1; end $$;
  create cast (shop.acc as integer) with function public.acc_int(shop.acc) as implicit;
  create function public.says_immutable(int, int) returns boolean language plpgsql immutable as
    $$ begin return public.trap('i'); end $$;
  create operator public.=%= (leftarg = int, rightarg = int, function = public.says_immutable);
  grant select on all tables in schema shop to public;
  insert into public.victims values (1);
`)

const BLOCKED: readonly string[] = [
  "select array[c] = '{y}' from shop.w",
  "select lag(c, 1, 'y') over () from shop.w",
  "select coalesce(array_agg(q.z), '{y}') from (select c as z from shop.w) q",
  "select coalesce(w, '(1,y)') from shop.w w",
  "explain select coalesce(w, '(1,y)') from shop.w w",
  "prepare p as select coalesce(w, '(1,y)') from shop.w w",
  "copy (select coalesce(w, '(1,y)') from shop.w w) to stdout",
  'select a + a from shop.acc a',
  'select abs(a) from shop.acc a',
  'select 1 =%= 2',
  'explain select 1 =%= 2',
]
const BOUND: readonly (readonly [string, string])[] = [
  ['select array_agg(c) = $1 from shop.w', '{y}'],
  ['select coalesce(w, $1) from shop.w w', '(1,y)'],
]

test('nothing that a type of the target brings runs as a read', async () => {
  const wire = await openWire(system, 'shop-prod')
  const isBlocked = async (sql: string, ...messages: readonly Buffer[]): Promise<void> => {
    wire.send(...messages)
    const frames = await wire.ready()
    const error = frames.find(({ tag }) => tag === 'E')
    assert.equal(error && fieldOf(error, 'C'), '42C01', sql)
    const { rows } = await admin.query('select from public.victims')
    assert.equal(rows.length, 1, `ran: ${sql}`)
  }
  for (const sql of BLOCKED) {
    await isBlocked(sql, toServer.query(sql))
    // The target already reads literals at Parse, so Parse alone must be blocked.
    if (/'\(1|'\{y/.test(sql)) await isBlocked(sql, toServer.parse('', sql), toServer.sync())
  }
  for (const [sql, value] of BOUND)
    await isBlocked(
      sql,
      ...[toServer.parse('', sql), toServer.bind({ values: [Buffer.from(value)] })],
      ...[toServer.execute(), toServer.sync()],
    )
  wire.send(toServer.query("select n, c, lower(c) from shop.w where c in ('x', 'z')"))
  assert.ok((await wire.ready()).some(({ tag }) => tag === 'D'))
  wire.end()
})

test('a masked value does not leave by way of an advisory lock', async () => {
  const wire = await openWire(system, 'shop-prod')
  for (const sql of [
    "select pg_advisory_lock(replace(ssn, '-', '')::bigint) from shop.customers where id = 7",
    "select (replace(ssn, '-', '')::bigint).pg_try_advisory_lock from shop.customers where id = 7",
  ]) {
    wire.send(toServer.query(sql))
    assert.ok(
      (await wire.ready()).some(({ tag }) => tag === 'E'),
      sql,
    )
  }
  const { rows } = await admin.query(
    "select from pg_locks where locktype = 'advisory' and objid > 9999999",
  )
  assert.equal(rows.length, 0)
  wire.end()
  await admin.end()
})
