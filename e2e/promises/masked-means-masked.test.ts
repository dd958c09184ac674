// Seen to fail when `maskMessage` takes every message for one of the parser, and when `accept` passes on notices of own steps.
// Meant to fail when a write has only the tags of the relation that it names, when `plainColumns` names every column, when nothing `outlasts`, and when no setting `tellsOfWork`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { psql, type PsqlRun } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { openWire } from '../support/wire.ts'

const CANARY = 'gerbilqueen'
const PROFILE = 'shop-dev'
const DATABASE = 'shop_dev'

const system = await arena('masked')

await askTarget(
  system,
  `create table shop.vault (
     id int primary key, email text unique check (length(email) < 20), city text not null, n int,
     at timestamptz default now());
   insert into shop.vault (id, email, city, n) values (1, '${CANARY}', 'Hamburg', 7), (2, '${CANARY}.2', 'Hamburg', 8);
   create table shop.guarded as select id, email, city from shop.vault;
   create table shop.guarded_part () inherits (shop.guarded);
   insert into shop.guarded_part values (3, '${CANARY}.3', 'Bremen');
   create table shop.goods (id int primary key, ean bigint, name text unique, vault int references shop.vault deferrable initially deferred);
   insert into shop.goods values (1, 4006381333931, 'pen', 1), (2, 4111111111111111, 'ink', 1);
   analyze shop.vault;
   create view shop.vault_cities as select id, city from shop.vault;
   create view shop.vault_checked as select id, city from shop.vault where city <> 'zz' with check option;
   create table shop.plans (code int primary key);
   insert into shop.plans values (1), (2);
   create table shop.members (id int primary key, email text, plan int not null check (plan < 100) references shop.plans on delete set null on update cascade);
   insert into shop.members values (1, '${CANARY}', 1);
   create table shop.parent (id int, n int);
   create table shop.child (email text, check (n < 100)) inherits (shop.parent);
   insert into shop.child values (1, 1, '${CANARY}');
   create table shop.parts (id int, email text, kind int) partition by list (kind);
   create table shop.parts_1 partition of shop.parts (check (id < 100)) for values in (1);
   create view shop.parts_ids as select id, kind from shop.parts;
   insert into shop.parts values (1, '${CANARY}', 1);
   create type shop.contact as (name text, email text);
   create domain shop.known_contact as shop.contact;
   create table shop.cards (id int, c shop.contact, many shop.contact[], known shop.known_contact, whole shop.vault);
   insert into shop.cards select 1, r, array[r], r, v from (select row('ana', '${CANARY}')::shop.contact) x(r), shop.vault v where v.id = 1;
   create view shop.cards_seen as select id, c as shown, (many[1]).name as named from shop.cards;
   grant select, insert, update, delete on shop.vault_cities, shop.vault_checked, shop.plans, shop.members, shop.parent,
     shop.child, shop.cards, shop.cards_seen, shop.parts, shop.parts_1, shop.parts_ids, shop.vault, shop.guarded, shop.guarded_part, shop.goods to shop_dev_reader, shop_dev_writer`,
  DATABASE,
)

const applied = await applyCatalog(system, (name, text) =>
  name === 'masking.yaml'
    ? text.replace(
        '  columns:\n',
        '  columns:\n    - { table: guarded, column: email, tag: email, method: redact, inference: mask }\n' +
          '    - { table: guarded_part, column: email, tag: email, method: partial }\n',
      )
    : text,
)
assert.equal(applied.status, 200, JSON.stringify(applied.body))

const run = (...commands: string[]): Promise<PsqlRun> =>
  psql(system, { profile: PROFILE, commands, args: ['-At', '-v', 'VERBOSITY=verbose'] })

test('a row as a whole, which PostgreSQL names by its table and no column, shows none of its masked columns', async () => {
  for (const sql of [
    'select v from shop.vault v',
    'select (v) as rec, city from shop.vault v',
    'table shop.guarded',
    'select g from shop.guarded g',
    'with q as (select v from shop.vault v) select v from q',
    'select v from (select * from shop.vault) v',
    'update shop.vault v set n = 7 where id = 1 returning v',
    'begin; declare c cursor for select v from shop.vault v; fetch all from c; commit',
    'prepare p as select v from shop.vault v; execute p',
    'copy (select v from shop.vault v) to stdout',
    'select distinct v from shop.vault v order by v',
    'select o from shop.vault v join shop.vault o on true',
    "select s from pg_stats s where tablename = 'vault'",
  ]) {
    const { stdout, stderr } = await run(sql)
    assert.doesNotMatch(stdout + stderr, new RegExp(CANARY), sql)
    assert.doesNotMatch(stderr, /CS_(?:INTERNAL|POLICY_UNAVAILABLE)/, sql)
  }
})

test('a composite value, in a list, a domain or a row that was kept, shows no field that is masked in it', async () => {
  for (const sql of [
    'select c from shop.cards',
    'select (c).email from shop.cards',
    'select (c).* from shop.cards',
    'select many from shop.cards',
    'select many[1].email from shop.cards',
    'select (u).email from shop.cards, unnest(many) u',
    'select email from shop.cards, unnest(many)',
    'select (known).email from shop.cards',
    'select (whole).email from shop.cards',
    'select to_jsonb(c) from shop.cards',
    'select x from shop.cards x',
    'select shown from shop.cards_seen',
    'select (shown).email from shop.cards_seen',
    'select named from shop.cards_seen',
    'copy shop.cards to stdout',
    'copy (select (c).email from shop.cards) to stdout',
    'update shop.cards set id = 1 returning (c).email',
    'select (c).email::int from shop.cards',
  ]) {
    const { stdout, stderr } = await run(sql)
    assert.doesNotMatch(stdout + stderr, new RegExp(`${CANARY}|ana`), sql)
    assert.doesNotMatch(stderr, /CS_(?:INTERNAL|POLICY_UNAVAILABLE)/, sql)
  }
  assert.equal((await run('select id from shop.cards')).stdout.trim(), '1')
})

test('no error of a statement that touches a masked column carries a value of it', async () => {
  const values = `(select string_agg(email, '.') from shop.vault)`
  for (const sql of [
    'select email::int from shop.vault',
    'select email::date from shop.vault',
    'select email::interval from shop.vault',
    'select email::timestamptz from shop.vault',
    'select email::uuid from shop.vault',
    'select email::inet from shop.vault',
    'select email::json from shop.vault',
    'select email::jsonb from shop.vault',
    'select email::jsonpath from shop.vault',
    'select email::xml from shop.vault',
    'select email::bit from shop.vault',
    'select email::point from shop.vault',
    'select email::int4range from shop.vault',
    'select email::text[] from shop.vault',
    'select email::bool from shop.vault',
    'select email::regclass from shop.vault',
    'select email::regtype from shop.vault',
    'select email::regproc from shop.vault',
    'select email::regrole from shop.vault',
    'select email::pg_lsn from shop.vault',
    'select email::tsquery from shop.vault',
    `select xmlparse(document email) from shop.vault`,
    `select has_table_privilege(${values}, 'select')`,
    `select has_schema_privilege(${values}, 'usage')`,
    `select has_column_privilege('shop.vault', ${values}, 'select')`,
    `select to_number(email, '999') from shop.vault`,
    `select to_date(email, 'YYYY') from shop.vault`,
    `select to_timestamp(email, 'YYYY') from shop.vault`,
    `select convert_from(decode(email, 'hex'), 'UTF8') from shop.vault`,
    `select decode(email, email) from shop.vault`,
    `select encode('x', email) from shop.vault`,
    `select now() at time zone email from shop.vault`,
    `select date_trunc(email, now()) from shop.vault`,
    `select extract(epoch from now()) / (length(email) - length(email)) from shop.vault`,
    `select 'x' ~ ('(' || email) from shop.vault`,
    `select 'x' like email escape email from shop.vault`,
    `select jsonb_path_query('{}', email::jsonpath) from shop.vault`,
    `select ('{"a":' || email || '}')::json from shop.vault`,
    `select setweight(to_tsvector(email::regconfig, 'x'), 'A') from shop.vault`,
    `select get_byte(email::bytea, 1000) from shop.vault`,
    `select to_regclass(string_agg(email, '.')) from shop.vault, generate_series(1, 5)`,
    `select to_regtype(email || '(') from shop.vault`,
    `select xmlparse(document string_agg(email, ',')) from shop.vault`,
    `select parse_ident(email || '"') from shop.vault`,
    `select pg_size_bytes(email) from shop.vault`,
    `select pg_input_error_info(email, 'int') from shop.vault`,
    `select (pg_input_error_info(email, 'int')).message from shop.vault`,
    `select ('(' || email || ',b)')::regprocedure from shop.vault`,
    `select current_setting(email) from shop.vault`,
    `select nextval(email) from shop.vault`,
    `select format('%' || email, 1) from shop.vault`,
    `select to_tsquery(email || ' &|') from shop.vault`,
    `select xpath(email || '[', '<a/>') from shop.vault`,
    `select jsonb_set('[1]', array[email], '1') from shop.vault`,
    `select mode() within group (order by email) from shop.vault`,
    `select percentile_disc(0.5) within group (order by email) from shop.vault`,
    `explain analyze select email::int from shop.vault`,
    `copy (select to_regclass(email || '.a.b.c') from shop.vault) to stdout`,
    `insert into shop.vault values (3, '${CANARY}', 'x')`,
    `update shop.vault set email = repeat('x', 30)`,
    `update shop.vault set email = email || email`,
    `update shop.vault set city = null where id = 1`,
    `update shop.vault set id = 1`,
    `update shop.vault set email = '${CANARY}' where id = 2`,
    `insert into shop.vault select 9, email, null from shop.vault`,
    `delete from shop.vault where id = 1`,
    `insert into shop.vault (id, email, city) values (1, 'new', 'x')`,
    // Through a view, a foreign key and a table that others inherit from, which show no masked column themselves.
    `update shop.vault_cities set city = null where id = 1`,
    `update shop.vault_checked set city = 'zz' where id = 1`,
    `merge into shop.vault_cities v using (select 1 as id) x on v.id = x.id when matched then update set city = null`,
    `update shop.plans set code = 1000 where code = 1`,
    `delete from shop.plans where code = 1`,
    `with gone as (delete from shop.plans where code = 1 returning code) select code from gone`,
    `update shop.parent set n = 1000`,
    `update shop.parts set id = 1000`,
    `update shop.parts_ids set id = 1000`,
  ]) {
    const { stdout, stderr, status } = await run(sql)
    // Behind LINE psql repeats the agent's own statement; nothing else may show the value.
    const told = stderr.replace(/^LINE .*$/gm, '')
    assert.ok(!`${stdout}${told}`.includes(CANARY), `${sql}\n${stderr}`)
    assert.ok(status === 0 || /ERROR: {2}[0-9A-Z]{5}:/.test(stderr), `${sql}\n${stderr}`)
  }
})

test('no number that is masked comes out of an error or an aggregate', async () => {
  const digits = '107171007'
  await askTarget(
    system,
    `create table shop.badges (id int primary key, ssn text);
     insert into shop.badges values (1, '${digits}');
     grant select on shop.badges to shop_dev_reader, shop_dev_writer`,
    DATABASE,
  )
  for (const value of [
    'make_date(ssn::int, 1, 1)',
    'make_time(ssn::int, 1, 1)',
    `get_byte('a'::bytea, ssn::int)`,
    `get_bit('a'::bytea, ssn::int)`,
    `set_bit('a'::bytea, ssn::int, 1)`,
    `set_byte('a'::bytea, ssn::int, 1)`,
    `regexp_replace('a', 'b', 'c', -ssn::int)`,
    `regexp_instr('a', 'b', -ssn::int)`,
    'chr(-ssn::int)',
    'width_bucket(1, 2, 3, -ssn::int)',
    'ssn::int2',
    `format('%' || ssn || '$s', 'a')`,
    `(ssn || ',1')::int4range`,
    `set_config('extra_float_digits', ssn, false)`,
    'percentile_cont(0.5) within group (order by ssn::int)',
    'percentile_cont(ssn::int) within group (order by id)',
  ]) {
    const grouped = value.startsWith('percentile_cont(ssn') ? ' group by ssn' : ''
    const sql = `select ${value} from shop.badges${grouped}`
    const { stdout, stderr } = await run(sql)
    // percentile_cont rounds, but the first six digits would already disclose the value.
    assert.ok(!`${stdout}${stderr}`.includes(digits.slice(0, 6)), `${sql}\n${stdout}${stderr}`)
    assert.match(`${stdout}${stderr}`, /(?:ERROR: {2}[0-9A-Z]{5}|NOTICE: {2}00C04):/, sql)
  }
})

test('a held cursor quotes nothing masked where its transaction ends, also in one pipeline', async () => {
  const held = `declare k cursor with hold for select to_regclass(email || '.a.b.c') from shop.vault`
  const { stdout, stderr } = await run('begin', held, 'commit')
  assert.match(stderr, /ERROR: {2}42601/)
  assert.ok(!`${stdout}${stderr}`.includes(CANARY), stderr)
  for (const others of [0, 300]) {
    const seen: Buffer[] = []
    const wire = await openWire(system, PROFILE, { onBytes: (bytes) => void seen.push(bytes) })
    const between = Array.from({ length: others }, () => 'select 1')
    for (const sql of ['begin', held, ...between, 'commit'])
      wire.send(toServer.parse('', sql), toServer.bind({ values: [] }), toServer.execute())
    wire.send(toServer.sync())
    await wire.ready()
    wire.end()
    const told = Buffer.concat(seen).toString('latin1')
    assert.ok(told.includes('C42601'))
    assert.ok(!told.includes(CANARY))
  }
})

test('an agent that asks for the debug messages of the target sees none of what Countersign asks', async () => {
  const seen: Buffer[] = []
  const wire = await openWire(system, PROFILE, {
    startup: [['client_min_messages', 'debug5']],
    onBytes: (bytes) => void seen.push(bytes),
  })
  for (const sql of [
    'set client_min_messages = debug5',
    'begin',
    'select city from shop.vault',
    'commit',
    `select set_config('client_min_messages', 'log', false)`,
    'select email from shop.vault',
  ]) {
    wire.send(toServer.query(sql))
    await wire.ready()
  }
  wire.end()
  const told = Buffer.concat(seen).toString('latin1')
  assert.ok(told.includes('VDEBUG'), 'its own debug messages arrive')
  assert.ok(!told.includes('_countersign'))
  assert.ok(!told.includes(CANARY))
  for (const sql of [
    'set debug_print_plan = on',
    'set local debug_print_parse = on',
    'set trace_sort = on',
    'set log_parser_stats = on',
    `select set_config('debug_print_rewritten', 'on', false)`,
  ]) {
    const { stderr } = await run(sql)
    assert.match(stderr, /ERROR: {2}42C02:/, sql)
  }
})

test('what the target says while it parses, and of what is not masked, reaches the agent whole', async () => {
  for (const [sql, said] of [
    [
      'select emial from shop.vault',
      /42703.*column "emial" does not exist[^]*LINE 1: select emial/,
    ],
    ['select city + 1 from shop.vault', /42883.*operator does not exist: text \+ integer/],
    ['select count(*) from shop.ordres', /42P01.*relation "shop.ordres" does not exist/],
    ['select name::int from shop.goods', /22P02.*invalid input syntax for type integer: "pen"/],
    [
      `insert into shop.goods values (3, 1, 'pen')`,
      /23505.*"goods_name_key"\nDETAIL: {2}Key \(name\)=\(pen\)/,
    ],
    [`insert into shop.vault values (1, 'a', 'x')`, /23505.*"vault_pkey"/],
    [`update shop.vault set city = null`, /23502.*\n[^]*COLUMN NAME: {2}city/],
    // No row is read before these, and they have no position.
    ['select * from shop.vault h, shop.vault h', /42712.*table name "h" specified more than once/],
    [
      'select * from shop.vault a join shop.goods b using (emial)',
      /42703.*column "emial" specified in USING clause does not exist in left table/,
    ],
    ['copy shop.vault (nope) to stdout', /42703.*column "nope" of relation "vault" does not exist/],
    [
      'copy shop.vault_cities to stdout',
      /42809.*cannot copy from view "vault_cities"\nHINT: {2}Try the COPY \(SELECT/,
    ],
    ['show app.x', /42704.*unrecognized configuration parameter "app.x"/],
    ['select current_setting(email) from shop.vault', /42704.*invalid name or wrong use of one/],
    [
      'show app.x; select current_setting(email) from shop.vault',
      /42704.*"app.x"|42704.*wrong use/,
    ],
  ] as const) {
    const { stderr } = await run(sql)
    assert.match(stderr, said, sql)
  }
})

test('where a rule masks inference, nothing that touches the column is told by counting', async () => {
  for (const [sql, isMasked] of [
    [`select count(*) from shop.guarded where email like 'gerbil%'`, true],
    [`select exists(select 1 from shop.guarded where email > '')::text`, true],
    [`select upper(city) from shop.guarded where email > '' limit 1`, true],
    [`explain select 1 from shop.guarded where email > ''`, true],
    [
      `select upper(x) from (select count(*)::text || 'Hamburg' as x from shop.guarded natural join (select 1 as id) x) x`,
      true,
    ],
    [
      `select (select count(*) + 1 from shop.guarded natural join (select v.email) x) from (values ('${CANARY}')) v (email)`,
      true,
    ],
    [`select count(*) + 1 from shop.guarded_part where email like 'gerbil%'`, true],
    [`select upper('hamburg') from shop.guarded_part where email > ''`, true],
    [`select email || 'Hamburg' from shop.guarded_part`, true],
    [`select count(*) from shop.guarded where city = 'Hamburg'`, false],
    [`select city from shop.guarded where id = 1`, false],
    [`select count(*) from shop.vault where email like 'gerbil%'`, false],
  ] as const) {
    const { stdout, stderr } = await run(sql)
    assert.ok(!stderr.includes('ERROR'), stderr)
    assert.equal(/2|true|HAMBURG|Scan|Hamburg/.test(stdout), !isMasked, `${sql}: ${stdout}`)
  }
})

for (const ends of [
  ['commit'],
  ['commit and chain'],
  ['set constraints all immediate'],
  ['savepoint s', 'rollback to s; commit'],
  ['savepoint s', 'rollback to s', 'commit'],
  ['savepoint s', 'rollback to s; release s; select 1; commit and chain'],
  ['savepoint s', `rollback to s /* ${'x'.repeat(20_000)} */; commit`],
])
  test(`after a write beside masked columns nothing is quoted by ${ends.join(' · ').slice(0, 80)}`, async () => {
    const { stdout, stderr } = await run(
      'begin',
      `update shop.vault set n = 1 where id = 1`,
      `insert into shop.goods values (5, 1, 'x', 777)`,
      ...ends,
    )
    assert.ok(!`${stdout}${stderr}`.includes(CANARY))
    assert.ok(!stderr.includes('777'), stderr)
    assert.match(stderr, /23503/)
  })

test('what a statement computes of other columns arrives, and what it computes of masked ones does not', async () => {
  for (const [commands, expected] of [
    [[`select count(*) from shop.vault where email like 'gerbil%'`], '2'],
    [[`select exists(select 1 from shop.vault where email > '')`], 't'],
    [[`select upper(city) from shop.vault where email > '' limit 1`], 'HAMBURG'],
    [[`select max(email) from shop.vault`], '[masked]'],
    [
      [
        'begin',
        `declare c cursor for select upper(name) from shop.goods order by 1`,
        'fetch 1 from c',
      ],
      'INK',
    ],
    [
      [
        'begin',
        `declare "C d" cursor for select upper(city), lower(email) from shop.vault`,
        'fetch 1 from "C d"',
      ],
      'HAMBURG|[masked]',
    ],
    [
      [
        'begin',
        `declare h cursor with hold for select length(name) from shop.goods`,
        'commit',
        'fetch 1 from h',
      ],
      '3',
    ],
    [
      [
        'begin',
        `declare c cursor for select upper(name) from shop.goods`,
        'close c',
        `declare c cursor for select lower(email) from shop.vault`,
        'fetch 1 from c',
      ],
      '[masked]',
    ],
    [
      [
        'begin',
        `select 1; declare c cursor for select upper(name) from shop.goods`,
        'fetch 1 from c',
      ],
      '[masked]',
    ],
    [[`select ean from shop.goods order by id`], '4006381333931\n4111111111111111'],
    [[`select 4111111111111111::text`], '…1111'],
  ] as const) {
    const { stdout, stderr } = await run(...commands)
    assert.equal(
      stdout.trim().split('\n').slice(-expected.split('\n').length).join('\n'),
      expected,
      `${commands.join(';')}\n${stderr}`,
    )
  }
})

test('a plan is shown line by line, and a notification as it was sent', async () => {
  const { stdout } = await run(`explain (costs off) select city from shop.vault where email > 'a'`)
  assert.match(stdout, /Seq Scan on vault|Index/)
  const heard = await run('listen jobs', `notify jobs, '{"id":7}'`, 'select 1')
  assert.match(heard.stdout, /payload "\{"id":7\}"/)
})

test('a long text that is hard to search arrives as it is', async () => {
  const { stdout } = await run(`select repeat('4 ', 1000000)`)
  assert.equal(stdout, `${'4 '.repeat(1_000_000)}\n`)
})

test('what is masked is told once for each statement, by column and reason', async () => {
  const { stderr } = await run('select email, city from shop.vault', 'select city from shop.vault')
  assert.deepEqual(stderr.match(/NOTICE: .*/g), [
    'NOTICE:  00C04: countersign: masked email (email)',
  ])
})
