import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loadStatements } from '@countersign/statements'
import { target } from '../core/example-under-test.ts'
import { understander, type UnderstanderOptions } from './understander.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const SHOP = target('shop-prod')
const GENEROUS = 1_000_000

before(loadStatements)

const started = (change: Partial<UnderstanderOptions> = {}) =>
  understander({
    logger: silent,
    statementBytesMax: 1024 * 1024,
    understandingMsMax: GENEROUS,
    ...change,
  })

/** A bulk insert as drivers write it. */
const rows = (bytes: number): Buffer =>
  Buffer.from(
    `insert into orders (id, total, note) values ${Array.from(
      { length: Math.floor(bytes / 30) },
      (_, row) => `(${String(row).padStart(7)}, 12.50, 'a note')`,
    ).join(',')}`,
  )

test('a bulk insert of nearly a mebibyte is understood', async () => {
  await using texts = started()
  const text = rows(900_000)
  const found = await texts.understand('one', text, SHOP)
  assert.deepEqual(
    found.effects.map(({ effect, relation }) => [effect, relation?.name]),
    [['write', 'orders']],
  )
})

test('a thread knows the types of the target, and what came beside the text, as the loop does', async () => {
  await using texts = started()
  const domain = { oid: 20_001, schema: 'shop', name: 'checked', kind: 'domain' }
  const mood = { oid: 20_002, schema: 'shop', name: 'mood', kind: 'enum' }
  const types = [
    { ...domain, plain: false, composed: false, runsWhenRead: false, of: 0, parts: [] },
    { ...mood, plain: true, composed: false, runsWhenRead: false, of: 0, parts: [] },
  ]
  const target = { ...SHOP, types }
  const effects = async (sql: string, isLong: boolean, beside = {}) => {
    const text = Buffer.from(isLong ? `${sql} -- ${' '.repeat(10_000)}` : sql)
    const found = await texts.understand('one', text, target, beside)
    return found.effects.map(({ effect }) => effect)
  }
  for (const isLong of [false, true]) {
    assert.deepEqual(await effects("select 'x'::mood", isLong), [])
    assert.deepEqual(await effects("select 'x'::checked", isLong), ['opaque'])
    assert.deepEqual(await effects('select $1', isLong, { parameterTypes: [20_001] }), ['opaque'])
    const parameters = [Buffer.from('work_mem'), Buffer.from('8MB')]
    const sets = await effects('select set_config($1, $2, false)', isLong, { parameters })
    assert.deepEqual(sets, ['session-change'])
  }
})

test('a text that is longer than allowed is refused as such', async () => {
  await using texts = started({ statementBytesMax: 5_000 })
  const found = await texts.understand('one', rows(10_000), SHOP)
  assert.match(found.tooComplex ?? '', /5000 bytes/)
})

test('a text that takes too long is refused, and the next one is understood', async () => {
  await using texts = started({ understandingMsMax: 1 })
  const dear = await texts.understand('one', rows(900_000), SHOP)
  assert.match(dear.tooComplex ?? '', /ms to understand/)
  const found = await texts.understand('one', Buffer.from('select 1'), SHOP)
  assert.equal(found.tooComplex, null)
  // Its threads were started anew.
  await using again = started()
  assert.equal((await again.understand('one', rows(10_000), SHOP)).tooComplex, null)
})

test('what others ask is answered while expensive sessions wait for each other', async () => {
  await using texts = started()
  const order: string[] = []
  const ask = async (session: string, text: Buffer): Promise<void> => {
    await texts.understand(session, text, SHOP)
    order.push(session)
  }
  const text = rows(900_000)
  const dear = ['a', 'b', 'c', 'd'].flatMap((session) => [ask(session, text), ask(session, text)])
  const cheap = ask('cheap', rows(10_000))
  await Promise.all([...dear, cheap])
  assert.ok(order.indexOf('cheap') <= 1, order.join())
  assert.equal(order.length, 9)
})

test('a session that has used more comes later', async () => {
  await using texts = started()
  const order: string[] = []
  const ask = async (session: string): Promise<void> => {
    await texts.understand(session, rows(300_000), SHOP)
    order.push(session)
  }
  await ask('greedy')
  await ask('greedy')
  // The first two take the threads that are free; all the others wait together.
  await Promise.all([ask('x'), ask('greedy'), ask('greedy'), ask('modest')])
  assert.ok(order.lastIndexOf('greedy') > order.indexOf('modest'), order.join())
})
