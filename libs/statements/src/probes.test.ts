import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from './parser.ts'
import { nameProbesOf, probesOf } from './probes.ts'

before(loadStatements)

const list = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, index) => `t${from + index}`).join(', ')

/** The texts that the target is asked to parse before people are asked about a statement, by that statement. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  'update shop.orders set note = $1 where id = $2': [
    'update shop.orders set note = $1 where id = $2',
  ],
  'create table x as select nothing from shop.orders': [
    'create table x as select nothing from shop.orders',
  ],
  'alter table shop.orders drop column note, add column x int': [
    'select "note" from "shop"."orders"',
  ],
  'alter table shop.orders add column x int': ['select  from "shop"."orders"'],
  'alter table if exists shop.orders drop column note': [],
  'alter table shop.orders drop column if exists note': ['select  from "shop"."orders"'],
  'alter table orders rename column a to b': ['select "a" from "orders"'],
  'alter table orders rename to b': ['select  from "orders"'],
  'drop table shop.orders, "we""ird"': [
    `select E'shop.orders'::pg_catalog.regclass`,
    `select E'"we""ird"'::pg_catalog.regclass`,
  ],
  [`drop index "it's"`]: [`select E'"it\\'s"'::pg_catalog.regclass`],
  'drop table if exists shop.orders': [],
  [`drop table ${'a, '.repeat(2_000)}b`]: [
    `select E'a'::pg_catalog.regclass`,
    `select E'b'::pg_catalog.regclass`,
  ],
  [`lock table ${list(0, 2_000)}`]: list(0, 20)
    .split(', ')
    .map((name) => `select  from "${name}"`),
  'drop schema shop': [],
  'truncate shop.orders, shop.lines': [
    'select  from "shop"."orders"',
    'select  from "shop"."lines"',
  ],
  'create index on shop.orders (note, lower(note))': ['select "note" from "shop"."orders"'],
  'copy shop.orders (id, note) from stdin': ['select "id", "note" from "shop"."orders"'],
  'copy (select 1) to stdout': [],
  'vacuum full shop.orders': ['select  from "shop"."orders"'],
  "comment on column shop.orders.note is 'x'": ['select "note" from "shop"."orders"'],
  "comment on table shop.orders is 'x'": ['select  from "shop"."orders"'],
  'grant select on shop.orders to x': ['select  from "shop"."orders"'],
  'grant select on all tables in schema shop to x': [],
  'grant x to y': [],
  'create table shop.x (id int)': [],
  // Known limits.
  'create table x (id int); insert into x values (1)': [],
  'create view v as select nothing from shop.orders': [],
  'does not parse': [],
  '': [],
}

for (const [sql, probes] of Object.entries(EXAMPLES)) {
  test(`before people are asked, the target parses ${probes.join(' and ') || 'nothing'} for: ${sql}`, () => {
    assert.deepEqual(probesOf(sql), probes)
  })
}

test('a text too long to be parsed where others wait has no probe', () => {
  assert.deepEqual(probesOf(`select ${'1, '.repeat(20_000)}1`), [])
})

test('of what may run code only the names are looked at', () => {
  assert.deepEqual(
    nameProbesOf(
      'select shop.f(g(1)), 2::mood, now(), x::int from pg_catalog.lower($1)',
    ).toSorted(),
    [
      `select E'shop.f'::pg_catalog.regproc`,
      `select E'g'::pg_catalog.regproc`,
      `select E'mood'::pg_catalog.regtype`,
      `select E'now'::pg_catalog.regproc`,
    ].toSorted(),
  )
  assert.deepEqual(nameProbesOf('do $$ begin perform f(); end $$'), [])
})
