// Seen to fail when `systemTags` in libs/masking-plan/src/plan.ts gives nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { askTarget } from '../support/target.ts'

const system = await arena('statistics')

await askTarget(
  system,
  `analyze shop.customers;
   create view shop.guesses as select attname, histogram_bounds::text as bounds, null_frac as raw from pg_stats;
   grant select on shop.guesses to public;
   alter database shop_prod set app.secret = 'of-the-application'`,
  'shop_prod',
)
const people = await askTarget(system, 'select email, name from shop.customers', 'shop_prod')

/** Statements that would show e-mail addresses, or a value of another application, if nothing were masked. */
const SHOWING: readonly string[] = [
  "select histogram_bounds, most_common_vals from pg_stats where tablename = 'customers'",
  "select histogram_bounds::text from pg_stats where tablename = 'customers'",
  "select replace(histogram_bounds::text, '@', ' at ') from pg_stats where tablename = 'customers'",
  "select s from pg_stats s where tablename = 'customers'",
  "select row_to_json(s) from pg_stats s where tablename = 'customers'",
  'table pg_stats',
  'copy (select histogram_bounds from pg_stats) to stdout',
  'select * from shop.guesses',
  'select bounds, raw::text from shop.guesses',
  "select current_setting('app.secret')",
  'select setconfig from pg_db_role_setting',
  'select prosrc from pg_proc',
]

test('what PostgreSQL keeps of the values of users is masked, however it is asked for', async () => {
  const shown = await askTarget(
    system,
    "select histogram_bounds::text || coalesce(most_common_vals::text, '') as all from pg_stats where tablename = 'customers'",
    'shop_prod',
  )
  const known = JSON.stringify(shown)
  const emails = people.map(({ email }) => String(email)).filter((email) => known.includes(email))
  assert.ok(emails.length > 0, 'the statistics have no email')
  for (const sql of SHOWING) {
    const { stdout } = await psql(system, { profile: 'shop-prod', commands: [sql] })
    assert.match(stdout, /masked|\(\d+ rows?\)|^$/i, sql)
    for (const email of emails)
      for (const text of [email, email.replace('@', ' at ')])
        assert.ok(!stdout.includes(text), `${text} is clear in ${sql}`)
    assert.ok(!stdout.includes('of-the-application'), sql)
  }
})

test('what tools need of the catalogs is not masked', async () => {
  const commands = ['\\d shop.customers', '\\dt shop.*', '\\df shop.*', '\\du']
  const { stdout, stderr } = await psql(system, { profile: 'shop-prod', commands })
  assert.equal(stderr, '')
  assert.match(stdout, /email/)
  assert.doesNotMatch(stdout, /\[masked\]/)
})
