// Meant to fail when `impossibility` in services/proxy/src/shell/impossibility.ts finds nothing impossible. Seen to fail when it
// does not ask for the name of an EXECUTE.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { openDirectWire } from '../support/direct-wire.ts'
import { heldOnWire } from '../support/held.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { countersign } from '../support/reviewer.ts'
import { fieldOf, group, only, openWire, type Wire } from '../support/wire.ts'

const system = await arena('impossible')

/** Statements that would be held if the target could run them, each with the SQLSTATE with which the target refuses it. */
const IMPOSSIBLE: Readonly<Record<string, string>> = {
  'update shop.ordres set note = null where id = 1': '42P01',
  'update shop.orders set nothing = null where id = 1': '42703',
  'update shop.orders set note = 1::nothing where id = 1': '42704',
  'update shop.orders set note = nothing(1) where id = 1': '42883',
  "update shop.orders set id = 'x' where id = 1": '22P02',
  'delete from nothing.orders': '42P01',
  'insert into shop.orders (nothing) values (1)': '42703',
  'alter table shop.ordres add column x int': '42P01',
  'alter table shop.orders drop column nothing': '42703',
  'alter table shop.orders rename column nothing to something': '42703',
  'drop table shop.ordres': '42P01',
  'truncate shop.ordres': '42P01',
  'create index on shop.orders (nothing)': '42703',
  'selec 1': '42601',
  'update shop.orders set where id = 1': '42601',
  // Only policy parses so long a text.
  [`insert into shop.orders (note) values ${"('closed 🐘'), ".repeat(1_500)}('the end'),, ('')`]:
    '42601',
}

/** So many values that the text has more than 16 KiB. */
const LIST = Array.from({ length: 5_000 }, (_, index) => index).join(', ')

/** Utility statements, of which PostgreSQL looks up nothing when it parses them. It fails with the same SQLSTATE. */
const UTILITIES: readonly string[] = [
  'create view v as select * from nosuch',
  'create view v as select nosuch from shop.orders with check option',
  'create table x (a nosuch)',
  'create table x (a integer references nosuch)',
  'create table x (like nosuch)',
  "create table x partition of nosuch for values from ('2026-01-01') to ('2026-02-01')",
  'create type c as (a nosuch)',
  'create domain d as nosuch',
  'create function f() returns nosuch language sql as $$select 1$$',
  'create trigger t before insert on shop.orders for each row execute function nosuch()',
  'create trigger t before insert on nosuch for each row execute function nosuch()',
  'create sequence nosuch.s',
  'create statistics on a, b from nosuch',
  'drop table nosuch.t',
  'drop view nosuch',
  'drop index nosuch',
  'drop function nosuch',
  'drop function nosuch(integer)',
  'drop type nosuch',
  'drop domain nosuch',
  'drop schema nosuch',
  'drop trigger nosuch on shop.orders',
  'drop rule nosuch on shop.orders',
  'drop extension nosuch',
  'alter type nosuch rename to other',
  'alter sequence nosuch restart',
  'alter domain nosuch set not null',
  'alter function nosuch() rename to other',
  'alter schema nosuch rename to other',
  'alter table nosuch set schema shop',
  'alter table shop.orders set schema nosuch',
  'alter table shop.orders add column x nosuch',
  'alter table shop.orders alter column note type nosuch',
  'alter table shop.orders add unique (nosuch)',
  'alter table shop.orders add foreign key (id) references nosuch',
  'alter table shop.orders add foreign key (id) references shop.customers (nosuch)',
  'alter table shop.orders drop constraint nosuch',
  'alter index nosuch rename to other',
  'cluster nosuch',
  'reindex table nosuch',
  "comment on view nosuch is 'x'",
  "comment on column shop.orders.nosuch is 'x'",
  "comment on schema nosuch is 'x'",
  // A name that is taken, or an object of another kind.
  'create table shop.orders (id integer)',
  'create table shop.x (id integer, id integer)',
  'create domain shop.orders as text',
  'create schema shop',
  'alter table shop.orders add column note text',
  'drop view shop.orders',
  'refresh materialized view shop.orders_pkey',
  'prepare p as delete from nosuch',
  'prepare p as delete from shop.orders where nosuch = $1',
  // Several statements in one text.
  'select 1; update shop.orders set nosuch = 1 where id = 1',
  'set local lock_timeout = 1000; delete from shop.orders where id = 1; delete from nosuch',
  'create table shop.x (id integer); create index on nosuch (id)',
  // A text that policy parses in a thread.
  `update shop.orders set note = null where id in (${LIST}) and nosuch = 1`,
]

for (const sql of UTILITIES) {
  test(`${sql.slice(0, 100)} is refused at once, with the SQLSTATE of the target`, async () => {
    const wire = await openWire(system, 'shop-prod')
    const direct = await openDirectWire(system, 'shop_prod')
    try {
      wire.send(toServer.query(sql))
      direct.send(toServer.query(sql))
      const [ours, theirs] = await Promise.all([wire.ready(), direct.ready()])
      const [error, plain] = [only(ours, 'E'), only(theirs, 'E')]
      assert.equal(fieldOf(error, 'C'), fieldOf(plain, 'C'), fieldOf(error, 'M'))
      // The place of an error is that in the whole text.
      if (/^(create view|prepare|select|set|update)/.test(sql))
        assert.equal(fieldOf(error, 'P'), fieldOf(plain, 'P'))
      if (/ (already exists|more than once|is not a .*)$/.test(fieldOf(plain, 'M') ?? ''))
        for (const letter of ['M', 'H'])
          assert.equal(fieldOf(error, letter), fieldOf(plain, letter))
      assert.equal(statusIn(ours), 'I')
    } finally {
      wire.end()
      direct.end()
    }
  })
}

/** Statements that the target can run, and that a careless look for names would refuse. */
const POSSIBLE: readonly string[] = [
  'create table x (id serial, parent integer references x, at date default now())',
  'create table if not exists shop.orders (a nosuch references nosuch)',
  'create view shop.v as with nosuch as (select 1 as a) select a from nosuch',
  'alter table shop.orders add column x integer, add unique (x)',
  'alter table shop.orders drop column if exists nosuch',
  'alter index shop.orders_pkey rename to other',
  'drop table if exists nosuch.nosuch',
  'create table if not exists shop.orders (id integer, id integer)',
  'alter table shop.orders drop column note, add column note integer',
  'drop table shop.orders cascade; create table shop.orders (id integer)',
  'drop function if exists nosuch(nosuch)',
  "comment on column shop.customer_emails.email is 'x'",
  'create function f() returns nosuch language c as $$x$$',
  'create table shop.x (id serial); insert into shop.x values (1); drop sequence shop.x_id_seq',
  'alter table shop.orders add column x integer; update shop.orders set x = 1 where id = 1',
  `update shop.orders set note = null where id in (${LIST}) and id = 1`,
  `create table shop.x (id integer); delete from shop.x where id in (${LIST})`,
  // The role of the session may not use it, but a role of an approval may.
  'drop table public.nosuch',
]

for (const sql of POSSIBLE) {
  test(`${sql.slice(0, 100)} is held`, async () => {
    const wire = await openWire(system, 'shop-prod')
    wire.send(toServer.query(sql))
    await heldOnWire(wire)
    wire.end()
  })
}

test('where a trigger may make the name that a later statement of the text needs, it is held', async () => {
  const [wire, direct] = [
    await openWire(system, 'shop-prod'),
    await openDirectWire(system, 'shop_prod'),
  ]
  for (const sql of [
    'create function shop.makes() returns trigger language plpgsql as $$begin create table shop.made (); return null; end$$',
    'create trigger makes after delete on shop.orders for each statement execute function shop.makes()',
  ]) {
    direct.send(toServer.query(sql))
    await direct.ready()
  }
  wire.send(toServer.query('delete from shop.orders where id = 1; drop table shop.made'))
  await heldOnWire(wire)
  wire.end()
  direct.send(toServer.query('drop function shop.makes cascade'))
  await direct.ready()
  direct.end()
})

for (const [sql, sqlState] of Object.entries(IMPOSSIBLE)) {
  test(`${sql.slice(0, 80)} is refused at once with ${sqlState}, in the words of the target`, async () => {
    const wire = await openWire(system, 'shop-prod')
    const direct = await openDirectWire(system, 'shop_prod')
    try {
      for (const message of [toServer.query(sql), Buffer.concat([group(sql), toServer.sync()])]) {
        wire.send(message)
        direct.send(message)
        const [ours, theirs] = await Promise.all([wire.ready(), direct.ready()])
        const error = only(ours, 'E')
        assert.equal(fieldOf(error, 'C'), sqlState, fieldOf(error, 'M'))
        assert.equal(fieldOf(only(theirs, 'E'), 'C'), sqlState)
        // If PostgreSQL itself analyses the statement, message, position and hint of the error are the same to the letter.
        if (/^(update|delete|insert|selec)/.test(sql) && !OPAQUE.includes(sqlState))
          for (const letter of ['M', 'P', 'H'])
            assert.equal(fieldOf(error, letter), fieldOf(only(theirs, 'E'), letter))
        assert.deepEqual(statusIn(ours), 'I')
      }
    } finally {
      wire.end()
      direct.end()
    }
  })
}

test('an EXECUTE of a name that the session does not have is refused as PostgreSQL refuses it', async () => {
  const wire = await openWire(system, 'shop-prod')
  const direct = await openDirectWire(system, 'shop_prod')
  const execute = Buffer.concat([group('execute nothing'), toServer.sync()])
  const texts = ['execute z', 'prepare z as select 1', 'deallocate z', 'execute z (7)']
  for (const message of [
    ...texts.map((sql) => toServer.query(sql)),
    ...[execute, ...['begin', 'execute "Z"', 'execute z', 'rollback'].map(toServer.query)],
  ]) {
    wire.send(message)
    direct.send(message)
    const [ours, theirs] = await Promise.all([wire.ready(), direct.ready()])
    const [errors, plain] = [ours, theirs].map((frames) =>
      frames
        .filter(({ tag }) => tag === 'E')
        .map((error) => [fieldOf(error, 'C'), fieldOf(error, 'M'), fieldOf(error, 'S')]),
    )
    assert.deepEqual(errors, plain)
    assert.equal(statusIn(ours), statusIn(theirs))
  }
  wire.end()
  direct.end()
})

const IN_TRANSACTION = [
  ['update shop.ordres set note = null where id = 1', '42P01'],
  ['create schema shop', '42P06'],
] as const

test('inside a transaction it fails the transaction, as the target would', async () => {
  const wire = await openWire(system, 'shop-prod')
  for (const [sql, sqlState] of IN_TRANSACTION) {
    wire.send(toServer.query('begin'))
    await wire.ready()
    wire.send(toServer.query(sql))
    const frames = await wire.ready()
    assert.equal(fieldOf(only(frames, 'E'), 'C'), sqlState)
    assert.equal(statusIn(frames), 'E')
    wire.send(toServer.query('rollback'))
    assert.equal(statusIn(await wire.ready()), 'I')
  }
  wire.end()
})

test('what can run is held as before, inside a transaction too, and runs when it is granted', async () => {
  const wire = await openWire(system, 'shop-prod')
  for (const sql of ['begin', 'select count(*) from shop.orders']) {
    wire.send(toServer.query(sql))
    await wire.ready()
  }
  wire.send(toServer.query("update shop.orders set note = 'possible' where id = 3"))
  const requestId = await heldOnWire(wire)
  assert.equal((await countersign(system, 'ana', requestId)).status, 200)
  assert.equal(statusIn(await wire.ready()), 'T')
  wire.send(toServer.query('commit'))
  assert.equal(statusIn(await wire.ready()), 'I')
  wire.end()
})

test('nobody is left waiting for what could not run, and the log says how it ended', async () => {
  await using log = await observe(system)
  const refused = (await eventsOf(log, 'sessions', 'RequestRefused')).filter(
    ({ code }) => code === 'CS_REQUEST_IMPOSSIBLE',
  )
  const asked = Object.values(IMPOSSIBLE).filter((sqlState) => sqlState !== '42601')
  assert.equal(refused.length, asked.length * 2 + IN_TRANSACTION.length + UTILITIES.length)
  await eventually('that no approval waits', async () => {
    const asked = await eventsOf(log, 'approvals', 'ApprovalRequested')
    const ended = new Set(
      (await eventsOf(log, 'approvals', 'ApprovalWithdrawn')).map(({ requestId }) => requestId),
    )
    const impossible = new Set(refused.map(({ requestId }) => requestId))
    return asked.every(({ requestId }) => !impossible.has(requestId) || ended.has(requestId))
  })
})

/** The SQLSTATEs of functions and types that do not exist: the target is asked only for their names. */
const OPAQUE = ['42704', '42883']

/** The transaction status in the ReadyForQuery of these answers. */
const statusIn = (frames: Awaited<ReturnType<Wire['ready']>>): string =>
  String.fromCharCode(only(frames, 'Z').raw[5] ?? 0)
