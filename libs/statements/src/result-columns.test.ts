import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import type { TargetCatalog } from './catalog.ts'
import { loadStatements } from './parser.ts'
import { resultColumns } from './result-columns.ts'

before(loadStatements)

const columns = (...names: string[]) => names.map((name, index) => ({ name, attnum: index + 1 }))

const CATALOG: TargetCatalog = {
  searchPath: ['shop'],
  relations: [
    {
      kind: 'Table',
      oid: 20_001,
      schema: 'shop',
      name: 'customers',
      columns: columns('id', 'email', 'city'),
      dependsOn: [],
    },
    {
      kind: 'Table',
      oid: 20_002,
      schema: 'shop',
      name: 'orders',
      columns: columns('id', 'customer', 'qty'),
      dependsOn: [],
    },
    {
      oid: 20_003,
      kind: 'View',
      schema: 'shop',
      name: 'people',
      columns: columns('address'),
      dependsOn: [{ relationOid: 20_001, attnum: 2 }],
    },
  ],
  routines: [],
}

/** For each output: whether it is plain when e-mail addresses and everything of unknown relations are tagged. */
function plain(sql: string): string {
  return resultColumns(sql, CATALOG)
    .madeOf.map((made) =>
      made !== null &&
      made.every(
        ({ relation, column }) => relation.oid !== null && column !== 'email' && column !== '*',
      )
        ? '+'
        : '-',
    )
    .join('')
}

test('outputs that are made of other columns are plain', () => {
  for (const [sql, expected] of [
    [`select count(*) from customers where email = 'x'`, '+'],
    [
      `select count(email), count(distinct email), count(*) filter (where email > 'a') from customers`,
      '+++',
    ],
    [`select exists(select 1 from customers where email = 'x'), 1, upper('x'), now()`, '++++'],
    [
      `select upper(city), id + 1, email, lower(email) from customers where email is not null`,
      '++--',
    ],
    [
      `select upper(c.city), qty * 2 from customers c join orders o on o.customer = c.id where c.email > ''`,
      '++',
    ],
    [
      `select count(*) > 3, count(*)::int, coalesce(count(*), 0) from customers where email = 'x'`,
      '+++',
    ],
    [`select count(*) from (select email from customers) x`, '+'],
    // As pg_dump reads columns. What names its relation is of no other part of FROM.
    [
      `select upper(c.city), lower(c.email), upper(city), upper(x.y), case when c.id > 1 then x.y end
       from unnest('{1}'::int[]) as x(y) join customers c on c.id = x.y left join orders o using (id)`,
      '+----',
    ],
    [
      `select upper(c.city), o.qty + 1, upper(y.x), (select c.city)
       from customers c, orders o, lateral (select c.email as x) y`,
      '++--',
    ],
    [
      `select case when exists(select 1 from customers where email = 'x') then 1 else 0 end,
         case when exists(select 1 from customers where email = 'x') then c.city else lower(c.email) end,
         round(count(*)::numeric, 2) from customers c`,
      '+-+',
    ],
    [
      `select count(*), upper('a') from customers where email = 'x' union all select count(*), city from customers`,
      '++',
    ],
    [
      `select upper(city), upper(city) from customers except select upper(city), lower(email) from customers
       union select 'a', 'b'`,
      '+-',
    ],
    [
      `select (select count(*) from customers where email = 'x'), (select count(*) + 1 from customers) / 2,
         (select case when exists(select 1 from customers where email > '') then 'some' end)`,
      '+++',
    ],
    [`explain select * from customers where email = 'x'`, '+'],
    [`declare c cursor for select upper(city), lower(email) from customers`, '+-'],
  ] as const)
    assert.equal(plain(sql), expected, sql)
})

test('outputs that may be made of a tagged column are not', () => {
  for (const output of [
    'max(email)',
    'min(c.email)',
    `string_agg(email, ',')`,
    'array_agg(email)',
    'sum(length(email))',
    'c',
    'row(c)',
    'row_to_json(c)',
    'c.*::text',
    `case when email like 'a%' then 1 end`,
    `case when count(*) > 1 then max(email) end`,
    `coalesce(count(*)::text, max(email))`,
    `count(*)::text || max(email)`,
    `(select email from customers limit 1)`,
    `(select c.email)`,
    `(select c.email || count(*) from orders)`,
    `(select count(*) from orders union select length(email) from customers)`,
    `case when exists(select 1) then email end`,
    `round(count(*) + max(length(email)))`,
    `lag(count(*)) over (order by max(email))`,
    `array(select email from customers)`,
    `(select max(x) from (select email as x from customers) y)`,
    `exists(select 1) and email > 'a'`,
    `rank() over (order by email)`,
    `email is null`,
    `nullif(email, '')`,
    `(c).email`,
    `(array_agg(email))[1]`,
    `(select count(*)::text || max(email) from customers)`,
  ])
    assert.ok(!plain(`select ${output} from customers c`).includes('+'), output)
})

test('through what cannot be followed nothing is plain', () => {
  for (const sql of [
    'select upper(address) from people',
    'select upper(x) from (select email as x from customers) y',
    'with y as (select email as x from customers) select upper(x) from y',
    'select upper(x) from customers as c(a, x)',
    'select upper(x) from customers c, lateral (select c.email as x) y',
    'select upper(x) from customers c, lateral upper(c.email) x',
    'select upper(c.email), upper(c.address), upper(c.upper) from customers c, lateral (select c.email as x) y',
    'select upper(c.x) from customers as c(a, x, y), lateral upper(c.x) z',
    'select upper(c.city) from (select email as city from customers) c, orders o',
    'select upper(c.city) from (customers c join orders o using (id)) as c',
    'with c as (select email as city from customers) select upper(c.city) from c, unnest(array[1]) x',
    'select upper(p.address) from people p, unnest(array[1]) x',
    'select upper(city) from customers union select lower(email) from customers',
    'select upper(city) from customers union select * from customers',
    'with c as (select email as city from customers) select upper(city) from c union select upper(city) from c',
    'select upper(city) from customers union values (1)',
    'select upper(city) from customers union (with c as (select email as city from customers) select upper(city) from c)',
    'select * from customers',
    'select upper(j.city) from (customers join orders using (id)) as j',
    'select 1; select upper(city) from customers',
    'select upper(thing) from elsewhere',
  ])
    assert.ok(!plain(sql).includes('+'), sql)
})

/** Rows with words of cursors, in a text longer than others parse where somebody waits. */
const COMMENT = ` /* ${"('closed', 'the end; commit; fetch'), ".repeat(700)}*/`

// Seen to fail when a long text is judged by its words.
test('what is done with cursors is known, however long the text is', () => {
  for (const [sql, cursor] of [
    ['declare "A b" cursor with hold for select 1', { name: 'A b', use: 'hold' }],
    ['declare c no scroll cursor for select 1', { name: 'c', use: 'declare' }],
    ['fetch forward 10 from c', { name: 'c', use: 'fetch' }],
    ['move 1 in c', { name: 'c', use: 'fetch' }],
    ['close c', { name: 'c', use: 'close' }],
    ['close all', { name: null, use: 'clear' }],
    ['commit', { name: null, use: 'commit' }],
    ['rollback to s', { name: null, use: 'clear' }],
    ['discard all', { name: null, use: 'clear' }],
    ['select 1; close c', { name: null, use: 'clear' }],
    ['select 1; select 2', null],
    ['begin', null],
  ] as const)
    for (const each of [sql, `${sql}${COMMENT}`])
      assert.deepEqual(resultColumns(each, CATALOG).cursor, cursor, sql)
})

test('a long text of rows, or with CASE and END, is about no cursor', () => {
  const rows = "(1, 'closed', 'the end'), ".repeat(1_000)
  const insert = `insert into shop.orders values ${rows}(2, '', 'commit')`
  assert.deepEqual(resultColumns(insert, CATALOG), { madeOf: [], isApart: [], cursor: null })
  assert.equal(resultColumns(`${insert}; close c`, CATALOG).cursor?.use, 'clear')
  const whens = "when qty = 1 then 'closed' ".repeat(1_000)
  const select = `select upper(city), case ${whens} end from customers, orders`
  const found = resultColumns(select, CATALOG)
  assert.equal(found.cursor, null)
  assert.deepEqual(
    found.madeOf.map((columns) => columns?.map(({ column }) => column)),
    [['city'], ['qty']],
  )
})

test('of more outputs than PostgreSQL gives none is told', () => {
  const told = (count: number) =>
    resultColumns(`select ${Array(count).fill('1').join()}`, CATALOG).madeOf.length
  assert.deepEqual([told(1_664), told(1_665)], [1_664, 0])
})

/** Seen to fail when each output has a limit of its own. */
test('of a text with many names for its relations no output is told, but its cursor is', () => {
  const list = (length: number, name: string) =>
    Array.from({ length }, (_, n) => `${name}${n}`).join()
  const query = `select ${list(200, 'c')} from ${list(60, 't')}`
  const declared = resultColumns(`declare d cursor for ${query}`, CATALOG)
  // Of thousands of columns a difference would take minutes to show.
  assert.equal(resultColumns(query, CATALOG).madeOf.length, 0)
  assert.equal(declared.madeOf.length, 0)
  assert.deepEqual(declared.cursor, { name: 'd', use: 'declare' })
  assert.equal(
    resultColumns(`select ${list(20, 'c')} from ${list(60, 't')}`, CATALOG).madeOf.length,
    20,
  )
})
