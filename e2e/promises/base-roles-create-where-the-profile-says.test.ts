// Seen to fail when `isKeptBack` in services/proxy/src/shell/answers.ts keeps nothing back (its last test).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { heldStatement } from '../support/held.ts'
import { applyCatalog, countersign } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('may-create')
await askTarget(
  system,
  'grant create on schema shop to shop_dev_writer; grant temp on database shop_dev to shop_dev_writer',
  'shop_dev',
)

test('without mayCreate no session opens with base roles that may create', async () => {
  const run = await psql(system, { profile: 'shop-dev', commands: ['select 1'] })
  assert.match(run.stderr, /CS_CREDENTIAL_FAILED/)
  assert.match(run.stderr, /may create/)
})

/** The statements that `create_all` of an ORM, a restored dump and a test suite send. */
const SCRIPT: readonly string[] = [
  "create type shop.kind as enum ('one', 'two')",
  'create table shop.parts (id serial primary key, title text not null, kind int)',
  'create table shop.of_parts (id int primary key, part_id int references shop.parts)',
  'create index parts_title on shop.parts (title)',
  "insert into shop.parts (title) values ('made without people')",
  'select title from shop.parts',
  "create function shop.twice(int) returns int language sql immutable as 'select $1 * 2'",
  'create view shop.titles as select title from shop.parts',
  'create or replace view shop.titles as select title, id from shop.parts',
  'create temporary table scratch (id int)',
  'alter table shop.parts add column more text',
]

test('with mayCreate a script of an ORM runs to its end, and every session uses, changes and drops what it made', async () => {
  const applied = await applyCatalog(system, (name, text) => {
    if (name === 'profiles.yaml')
      return text.replace('  record: full\n', '  record: full\n  mayCreate: true\n')
    if (name === 'dev.cedar') return text.replace('@review("dev-change")', '')
    return text
  })
  assert.equal(applied.status, 200, JSON.stringify(applied.body))
  const args = ['-v', 'ON_ERROR_STOP=1']
  const first = await psql(system, { profile: 'shop-dev', args, commands: SCRIPT })
  assert.equal(first.status, 0, first.stderr)
  assert.match(first.stdout, /made without people/)
  const other = await psql(system, {
    profile: 'shop-dev',
    args,
    commands: [
      // Flyway sets the role back in this way, to the value of current_user.
      'set role cs_shop_dev_maker',
      'reset role',
      "insert into shop.parts (title) values ('of another session')",
      'select title from shop.titles',
      'alter table shop.parts drop column more',
      'drop view shop.titles',
    ],
  })
  assert.equal(other.status, 0, other.stderr)
  assert.match(other.stdout, /made without people\s+of another session/)
  const owners = await askTarget(
    system,
    `select distinct relowner::regrole::text as owner from pg_class where relname ~ '^(of_)?parts'
     union select proowner::regrole::text from pg_proc where proname = 'twice'`,
    'shop_dev',
  )
  assert.deepEqual(owners, [{ owner: 'cs_shop_dev_maker' }])
})

test('what a session changed in its open transaction shows nothing computed, and the rest stays readable', async () => {
  await askTarget(
    system,
    `insert into shop.customers (id, name, email, ssn, created_at)
     values (90007, 'Maker', 'canarymaker@aviary.example', '078-05-1120', now())`,
    'shop_dev',
  )
  const { status, stdout, stderr } = await psql(system, {
    profile: 'shop-dev',
    args: ['-v', 'ON_ERROR_STOP=1'],
    commands: [
      'create view shop.scratch as select title as note from shop.parts',
      'create view shop.replaced as select title as note from shop.parts',
      "select note || ' before' from shop.scratch limit 1",
      'begin',
      'drop view shop.scratch',
      `create view shop.scratch as
         select split_part(email, '@', 1) as note from shop.customers where id = 90007`,
      "select note || ' amidst' from shop.scratch",
      // A view that is replaced keeps its OID.
      `create or replace view shop.replaced as
         select split_part(email, '@', 1) as note from shop.customers where id = 90007`,
      'select note from shop.replaced',
      "insert into shop.parts (title) values ('in its transaction') returning title",
      "select relname || ' in the catalog' from pg_class where oid = 'shop.parts'::regclass",
      'commit',
      "select note || ' behind' from shop.scratch",
      'drop view shop.scratch, shop.replaced',
      "select title || ' again' from shop.parts where title = 'in its transaction'",
    ],
  })
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stdout, /canarymaker/)
  for (const readable of [' before', 'parts in the catalog', 'in its transaction again'])
    assert.match(stdout, new RegExp(readable))
  assert.match(stdout, /in its transaction\n/)
})

test('what people approve there is the owner’s nevertheless', async () => {
  const applied = await applyCatalog(system, (name, text) =>
    name === 'profiles.yaml'
      ? text.replace('  record: full\n', '  record: full\n  mayCreate: true\n')
      : text,
  )
  assert.equal(applied.status, 200, JSON.stringify(applied.body))
  const held = await heldStatement(system, 'create table shop.approved (id int)', {
    profile: 'shop-dev',
  })
  assert.equal((await countersign(system, 'dev', held.requestId)).status, 200)
  const run = await held.psql.finish()
  assert.equal(run.status, 0, run.stderr)
  const owners = await askTarget(
    system,
    "select relowner::regrole::text as owner from pg_class where relname = 'approved'",
    'shop_dev',
  )
  assert.deepEqual(owners, [{ owner: 'shop_dev_owner' }])
})
