// Each conversation is held with PostgreSQL itself and through Countersign: the frames must be the same. Seen to fail when
// `feed` in services/proxy/src/shell/answers.ts sends no Flush behind CopyDone, when `failed` in core/exchange.ts drops the
// error of what Countersign asked for the agent, and when `nextPipeline` waits for Sync whatever comes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toServer } from '@countersign/postgres-wire'
import { arena } from '../support/arena.ts'
import { heardIn, READY, type Turn } from '../support/conversation.ts'
import { openDirectWire } from '../support/direct-wire.ts'
import { askTarget } from '../support/target.ts'
import { openWire } from '../support/wire.ts'

const system = await arena('as-postgresql')
await askTarget(
  system,
  `create table shop.notes (id int primary key, note text);
   grant all on shop.notes to shop_dev_reader, shop_dev_writer`,
  'shop_dev',
)

const sync = toServer.sync()
const flush = toServer.flush()
const query = toServer.query
const rows = (...lines: readonly string[]): Buffer =>
  Buffer.concat(lines.map((line) => toServer.copyData(Buffer.from(`${line}\n`))))
/** A statement of the extended protocol, without Sync. */
const ran = (sql: string, portal = '', maxRows = 0): Buffer =>
  Buffer.concat([
    toServer.parse('', sql),
    toServer.bind({ portal }),
    toServer.execute(portal, maxRows),
  ])
const begin: Turn[] = [query('begin'), READY]
const rollback: Turn[] = [query('rollback'), READY]
const COPY = 'copy shop.notes from stdin'
const done = toServer.copyDone()

const CONVERSATIONS: Readonly<Record<string, readonly Turn[]>> = {
  'COPY by the extended protocol: Sync with the Execute, and again behind the data (tokio-postgres, libpq)':
    [
      ...begin,
      ran(COPY),
      sync,
      ['G'],
      rows('1\ta', '2\tb'),
      Buffer.concat([done, sync]),
      READY,
      query('select id, note from shop.notes order by id'),
      READY,
      ...rollback,
    ],
  'COPY by the extended protocol: one Sync, behind the data': [
    ...begin,
    Buffer.concat([ran(COPY), flush]),
    ['G'],
    rows('1\ta'),
    done,
    sync,
    READY,
    ...rollback,
  ],
  'COPY by the extended protocol: data that nobody waited with, and statements behind it': [
    ...begin,
    Buffer.concat([
      ran(COPY),
      rows('1\ta', '2\tb'),
      done,
      ran('select count(*) from shop.notes'),
      sync,
    ]),
    READY,
    ...rollback,
  ],
  'COPY by the extended protocol that the client fails': [
    Buffer.concat([ran(COPY), sync]),
    ['G'],
    rows('1\ta'),
    Buffer.concat([toServer.copyFail('enough'), sync]),
    READY,
    query('select count(*) from shop.notes'),
    READY,
  ],
  'COPY by the extended protocol with a row that is wrong': [
    Buffer.concat([ran(COPY), sync]),
    ['G'],
    rows('no number'),
    Buffer.concat([done, sync]),
    READY,
    ran('select 1'),
    sync,
    READY,
  ],
  'COPY by the extended protocol that cannot begin': [
    Buffer.concat([ran('copy shop.nothing from stdin'), sync]),
    READY,
    Buffer.concat([ran('select 1'), sync]),
    READY,
  ],
  'COPY by simple queries, two in one text': [
    ...begin,
    query(`${COPY}; ${COPY}; select count(*) from shop.notes`),
    ['G'],
    Buffer.concat([rows('1\ta'), done]),
    ['G'],
    Buffer.concat([rows('2\tb'), done]),
    READY,
    ...rollback,
  ],
  'COPY by a simple query, with Sync and Flush in the middle of its data': [
    ...begin,
    query(COPY),
    ['G'],
    Buffer.concat([rows('1\ta'), sync, flush, rows('2\tb'), done]),
    READY,
    ...rollback,
  ],
  'a portal that is resumed': [
    ...begin,
    Buffer.concat([ran('select generate_series(1, 5)', 'p', 2), sync]),
    READY,
    Buffer.concat([toServer.execute('p', 2), sync]),
    READY,
    Buffer.concat([toServer.execute('p', 2), sync]),
    READY,
    ...rollback,
  ],
  'a portal that is resumed in a failed transaction': [
    ...begin,
    Buffer.concat([ran('select generate_series(1, 5)', 'p', 2), sync]),
    READY,
    query('select 1/0'),
    READY,
    Buffer.concat([toServer.execute('p', 2), sync]),
    READY,
    ...rollback,
  ],
  'a portal that fails when it is resumed': [
    ...begin,
    Buffer.concat([ran('select 1/(3-g) from generate_series(1, 5) g', 'p', 2), sync]),
    READY,
    Buffer.concat([toServer.execute('p', 2), sync]),
    READY,
    ...rollback,
  ],
  'an error that no Sync follows': [
    toServer.parse('', 'select no_such_column'),
    ['E'],
    sync,
    READY,
  ],
  'an error of an execution that no Sync follows': [
    ran('select 1/(length(current_database()) - 8)'),
    ['E'],
    ran('select 1'),
    sync,
    READY,
    Buffer.concat([ran('select 1'), sync]),
    READY,
  ],
  'a comment between the parts of a literal': [query("select 'a' -- it goes on\n 'b'"), READY],
}

for (const [name, turns] of Object.entries(CONVERSATIONS))
  test(name, async () => {
    const direct = await openDirectWire(system, 'shop_dev')
    const expected = await heardIn(direct, turns)
    direct.end()
    const wire = await openWire(system, 'shop-dev')
    try {
      assert.deepEqual(await heardIn(wire, turns), expected)
    } finally {
      wire.end()
    }
  })
