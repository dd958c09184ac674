// Seen to fail when a record may not be larger than a batch (`RECORD_BYTES_MAX` in libs/log/src/appending.ts).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '@countersign/contracts'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { countersignCli } from '../support/cli.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('large-target')
await using log = await observe(system)

const TABLES = 1_500
const COLUMNS = 40
await askTarget(
  system,
  `do $$ begin
     for number in 1..${TABLES} loop
       execute format('create table shop.order_archive_%s (id int, email text, %s)', number,
         (select string_agg(format('measured_quantity_of_article_%s int', n), ', ') from generate_series(3, ${COLUMNS}) n));
     end loop;
   end $$;
   insert into shop.order_archive_7 (id, email) values (7, 'zebra.canary@aviary.example');
   grant select on all tables in schema shop to shop_prod_reader`,
  'shop_prod',
)

const ROW = 'select id, email, measured_quantity_of_article_40 as q from shop.order_archive_7'

test('a target of many tables is described, masked and decided on as a small one is', async (t) => {
  const { stdout, stderr } = await psql(system, { profile: 'shop-prod', commands: [ROW] })
  assert.match(stdout, /\(1 row\)/, stderr)
  assert.ok(!stdout.includes('zebra'), 'an email is clear')
  const [described] = await eventsOf(log, 'credentials', 'TargetDescribed')
  assert.ok(described !== undefined && described.relations.length > TABLES)
  assert.ok(encode(described).length > 1_800_000, 'it is not larger than a batch of the log')

  // A change reaches an open session, too.
  const running = await startPsql(system, { profile: 'shop-prod' })
  t.after(() => running.signal('SIGKILL'))
  running.type(`${ROW};`)
  await running.says(/\(1 row\)/)
  await askTarget(
    system,
    `create table shop.newest (id int, email text); insert into shop.newest values (1, 'zebra.canary@aviary.example');
     grant select on shop.newest to shop_prod_reader`,
    'shop_prod',
  )
  let asked = 0
  await eventually('the new table, unmasked but for its email', async () => {
    asked += 1
    running.type(
      `select 'number ' || id as plain, id, email from shop.newest; \\echo asked ${asked}`,
    )
    await running.says(new RegExp(`asked ${asked}\n`))
    return /number 1 +\| +1 \|/.test(running.stdout())
  })
  assert.ok(!running.stdout().includes('zebra'), 'an email of the new table is clear')
})

test('doctor says how large each target is', async () => {
  const { stdout } = await countersignCli(system, 'doctor', '--json', '--as', 'ana')
  const { checks }: { checks: { check: string; status: string; detail: string }[] } =
    JSON.parse(stdout)
  const found = checks.find(({ check }) => check === 'shop-prod: description')
  assert.equal(found?.status, 'ok')
  assert.match(found?.detail ?? '', /^1,?5\d\d relations with 6\d,?\d{3} columns/)
})
