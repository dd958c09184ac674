import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { askTarget } from '../support/target.ts'
import { fieldOf, only, openWire, told } from '../support/wire.ts'

const system = await arena('dear')

/** A bulk insert as drivers write it. */
const rows = (from: number): string =>
  `insert into shop.orders (id, customer_id, total_cents, status, note, created_at) values ${Array.from(
    { length: ROWS },
    (_, row) => `(${from + row}, 1, ${row}, 'new', 'bulk', now())`,
  ).join(',')}`
const ROWS = 20_000

/** Texts that once kept policy, or the SQL parser, busy for seconds. */
const DEAR: Readonly<Record<string, string>> = {
  'nested comments': `select 1 ${'/*'.repeat(15_000)}${'*/'.repeat(15_000)}`,
  'operators in a row': `select ${'+'.repeat(60_000)}1`,
  'a long sum': `select 1${'+1'.repeat(20_000)}`,
  'columns and relations': `select ${Array.from({ length: 3_000 }, (_, n) => `c${n}`).join()} from ${Array.from({ length: 2_500 }, (_, n) => `t${n}`).join()}`,
  'more than the limit': `select '${'x'.repeat(1024 * 1024)}'`,
}

test('what costs too much is refused with a code of its own, and the session goes on', async () => {
  const wire = await openWire(system, 'shop-dev')
  for (const [name, sql] of Object.entries(DEAR)) {
    wire.send(toServer.query(sql))
    const message = fieldOf(only(await wire.ready(), 'E'), 'M')
    assert.match(message, /CS_REQUEST_TOO_COMPLEX/, name)
  }
  wire.send(toServer.query('select 1'))
  assert.ok(told(await wire.ready()).includes('row 1'))
  wire.end()
})

test('a bulk insert of nearly a mebibyte runs, and others are answered before many of them are', async () => {
  const dear = await Promise.all(Array.from({ length: 4 }, () => openWire(system, 'shop-dev')))
  const other = await openWire(system, 'shop-dev')
  const answered: string[] = []
  const done = dear.map(async (wire, index) => {
    let heard: string[]
    do {
      wire.send(toServer.query(rows((index + 1) * 1_000_000)))
      heard = told(await wire.ready())
      // Four at once may wait too long on a slow machine: then the answer (53C01) is to try again.
    } while (heard.includes('error 53C01'))
    answered.push('dear')
    assert.ok(
      heard.some((line) => line.includes(`INSERT 0 ${ROWS}`)),
      heard.join(),
    )
    wire.end()
  })
  for (let n = 0; n < 5; n++) {
    // Each text is new, so that policy is asked.
    other.send(toServer.query(`select ${n} as never_asked_${n}`))
    assert.ok(told(await other.ready()).includes(`row ${n}`))
    answered.push('other')
  }
  await Promise.all(done)
  other.end()
  assert.ok(answered.lastIndexOf('other') < answered.lastIndexOf('dear'), answered.join())
  const [row] = await askTarget(
    system,
    "select count(*)::int as count from shop.orders where note = 'bulk'",
    'shop_dev',
  )
  assert.equal(row?.['count'], 4 * ROWS)
  const run = await psql(system, { profile: 'shop-dev', commands: ['select 2 as after'] })
  assert.equal(run.status, 0, run.stderr)
})
