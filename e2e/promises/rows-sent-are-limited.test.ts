// Meant to fail when ROLLBACK TO ends the count.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import { fieldOf, group, openWire } from '../support/wire.ts'

const ROWS_MAX = 10

const system = await arena('rowsmax')
await askTarget(
  system,
  `create table shop.many as select id, 0 as n from generate_series(1, 100) id;
   grant select, update on shop.many to shop_dev_reader, shop_dev_writer`,
  'shop_dev',
)
const applied = await applyCatalog(system, (name, text) =>
  name === 'profiles.yaml' ? text.replace(/rowsMax: \d+/, `rowsMax: ${ROWS_MAX}`) : text,
)
assert.equal(applied.status, 200, JSON.stringify(applied.body))

const queries = (...texts: readonly string[]): Buffer[] => texts.map((sql) => toServer.query(sql))
const pipeline = (...messages: readonly Buffer[]): Buffer =>
  Buffer.concat([...messages, toServer.sync()])
const SIX = 'select id from shop.many limit 6'
const PIECE = pipeline(toServer.execute('p', 4))
const DECLARE = 'declare c cursor for select id from shop.many'
const BACK = 'rollback to s; fetch 6 from c; select 1/0; commit'

/** Turns of an agent that read more rows than the limit; the target answers each turn up to a ReadyForQuery. */
const MORE: Readonly<Record<string, readonly Buffer[]>> = {
  'one result': queries('select id from shop.many'),
  'the results of one text': queries(`${SIX}; ${SIX}`),
  'the results of one transaction': queries('begin', SIX, SIX),
  'what a change returns': queries('update shop.many set n = 1 where id <= 20 returning id'),
  'one result of the extended protocol': [pipeline(group('select id from shop.many'))],
  'the results of one pipeline': [pipeline(group(SIX), group(SIX))],
  'a portal in pieces': [
    ...queries('begin'),
    pipeline(
      toServer.parse('', 'select id from shop.many'),
      toServer.bind({ portal: 'p' }),
      toServer.execute('p', 4),
    ),
    ...[PIECE, PIECE],
  ],
  'a cursor in pieces': queries('begin', DECLARE, 'fetch 6 from c', 'fetch forward 6 from c'),
  'COPY of a table': queries('copy shop.many to stdout'),
  'COPY of a query, in binary': queries(
    'copy (select id from shop.many) to stdout (format binary)',
  ),
  'COPY of the extended protocol': [pipeline(group('copy shop.many to stdout'))],
  'what was read before ROLLBACK TO': queries('begin', 'savepoint s', SIX, 'rollback to s', SIX),
  'what was read between ROLLBACK TO and an error': queries(
    ...['begin', DECLARE, 'savepoint s', BACK, BACK],
  ),
}

const NO_MORE: Readonly<Record<string, readonly Buffer[]>> = {
  'as many rows as the limit': queries('select id from shop.many limit 10'),
  'a change of more rows': queries(
    'update shop.many set n = n + 1 where id <= 20',
    'update shop.many set n = n + 1 where id <= 20',
  ),
  'two transactions': queries(SIX, SIX),
  'two pipelines': [pipeline(group(SIX)), pipeline(group(SIX))],
  'a transaction and the one that its end chains': queries('begin', SIX, 'commit and chain', SIX),
  'the same in one text': queries(`begin; ${SIX}; commit and chain; ${SIX}; rollback`),
  'the same in one pipeline': [
    pipeline(...['begin', SIX, 'rollback and chain', SIX, 'commit'].map((sql) => group(sql))),
  ],
  'a transaction that ends behind ROLLBACK TO': queries(
    ...['begin', 'savepoint s', SIX, 'rollback to s; commit', SIX],
  ),
}

/** The number of rows that an agent is sent for these turns, and whether its session ends by the limit. */
async function sentFor(turns: readonly Buffer[]): Promise<{ rows: number; isEnded: boolean }> {
  const wire = await openWire(system, 'shop-dev')
  let rows = 0
  let isEnded = false
  for (const turn of turns) {
    wire.send(turn)
    for (let last = ''; last !== 'Z' && !isEnded;) {
      const got = await wire.until('Z', 'E')
      rows += got.filter(({ tag }) => tag === 'D' || tag === 'd').length
      isEnded = got.some((frame) => frame.tag === 'E' && fieldOf(frame, 'C') === '54C01')
      last = got.at(-1)?.tag ?? ''
    }
    if (isEnded) break
  }
  if (isEnded) await wire.closed
  else wire.end()
  return { rows, isEnded }
}

for (const [what, turns] of Object.entries(MORE))
  test(`an agent that reads too much ends with the limit: ${what}`, async () => {
    const { rows, isEnded } = await sentFor(turns)
    assert.ok(isEnded, `${rows} rows came`)
    assert.ok(rows <= ROWS_MAX, `${rows} rows came`)
  })

for (const [what, turns] of Object.entries(NO_MORE))
  test(`an agent that reads no more than that goes on: ${what}`, async () => {
    assert.equal((await sentFor(turns)).isEnded, false)
  })
