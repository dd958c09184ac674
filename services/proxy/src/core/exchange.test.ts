import assert from 'node:assert/strict'
import { test } from 'node:test'
import { receiveServer, type ServerFrame, serverSide, toClient } from '@countersign/postgres-wire'
import { accept, type Exchange, isSettled, newExchange, type Step } from './exchange.ts'

test('a simple query ends at ReadyForQuery, and its rows are counted', () => {
  const exchange = expecting(step('Query', 0))
  const verdicts = feed(
    exchange,
    rowDescription(),
    row(),
    row(),
    toClient.commandComplete('SELECT 2'),
    toClient.readyForQuery('I'),
  )
  assert.deepEqual(verdicts, ['pass', 'row', 'row', 'pass', 'ready'])
  assert.equal(isSettled(exchange), true)
  assert.deepEqual(
    exchange.ended.map(({ request, outcome, commandTag, rows }) => ({
      request,
      outcome,
      commandTag,
      rows,
    })),
    [{ request: 0, outcome: 'Succeeded', commandTag: 'SELECT 2', rows: 2 }],
  )
})

/** Seen to fail when the columns of a portal stay for as long as the session. */
test('the columns of many portals are forgotten, the oldest first: its rows are those of unknown columns', () => {
  const exchange = newExchange()
  const describe = (portal: string) => {
    exchange.steps.push(step('Describe', null, { portal }))
    feed(exchange, rowDescription())
  }
  for (let number = 0; number < 20_000; number++) describe(`p${number}`)
  assert.equal(exchange.columns.size, 5_000)
  const columnsOf = (portal: string) => {
    exchange.steps.push(step('Execute', 0, { portal }))
    const [, [frame]] = receiveServer(serverSide(), row())
    assert.ok(frame !== undefined && 'raw' in frame)
    const verdict = accept(exchange, frame)
    feed(exchange, toClient.commandComplete('SELECT 1'))
    return verdict.do === 'row' ? verdict.columns : assert.fail(verdict.do)
  }
  assert.equal(columnsOf('p0'), null)
  assert.equal(columnsOf('p19999')?.length, 1)
})

test('an error in a pipeline fails its request and aborts those behind it up to Sync', () => {
  const exchange = expecting(
    step('Parse'),
    step('Bind'),
    step('Execute', 0),
    step('Bind'),
    step('Execute', 1),
    step('Sync'),
  )
  feed(exchange, toClient.parseComplete(), error('42P01'), toClient.readyForQuery('I'))
  assert.deepEqual(
    exchange.ended.map(({ request, outcome, sqlState }) => ({ request, outcome, sqlState })),
    [
      { request: 0, outcome: 'Failed', sqlState: '42P01' },
      { request: 1, outcome: 'Aborted', sqlState: null },
    ],
  )
  assert.equal(isSettled(exchange), true)
})

test('an error of what Countersign sent for the agent may be told in other words', () => {
  const words = toClient.errorResponse({ severity: 'ERROR', code: '40C01', message: 'no' })
  const guard = (is: string): Partial<Step> => ({
    ...{ isOurs: true, isForAgent: true },
    instead: (fields) => (fields.get('C') === is ? words : null),
  })
  for (const [is, told] of [
    ['22012', 'instead'],
    ['57014', 'message'],
  ] as const) {
    const exchange = expecting(step('Execute', 0, guard(is)), step('Execute', 1), step('Sync'))
    assert.deepEqual(feed(exchange, error('22012'), toClient.readyForQuery('E')), [told, 'ready'])
    assert.deepEqual(
      exchange.ended.map(({ request, outcome }) => ({ request, outcome })),
      [
        { request: 0, outcome: 'Failed' },
        { request: 1, outcome: 'Aborted' },
      ],
    )
  }
})

test('after an error without a Sync the target still skips', () => {
  const exchange = expecting(step('Parse'))
  feed(exchange, error('42601'))
  assert.equal(isSettled(exchange), true)
  assert.equal(exchange.skipping, true)
})

test('what Countersign asked itself never reaches the agent', () => {
  const ours = { isOurs: true }
  const exchange = expecting(
    step('Parse', null, ours),
    step('Bind', null, ours),
    step('Execute', null, ours),
    step('Sync', null, ours),
  )
  const verdicts = feed(
    exchange,
    toClient.parseComplete(),
    toClient.bindComplete(),
    row(),
    toClient.commandComplete('SELECT 1'),
    toClient.readyForQuery('T'),
  )
  assert.deepEqual(verdicts, ['drop', 'drop', 'ourRow', 'drop', 'ready'])
})

test('what the target tells of its work on what Countersign asked itself never reaches the agent', () => {
  for (const more of [{ isOurs: true }, { isOurs: true, isForAgent: true }, { isOurs: false }]) {
    const exchange = expecting(step('Parse', null, more))
    const told = ['DEBUG', 'LOG', 'INFO', 'NOTICE', 'WARNING'].map((severity) =>
      toClient.errorFrame(
        'N',
        new Map(Object.entries({ S: severity, V: severity, C: '00000', M: 'parse' })),
      ),
    )
    const work = more.isOurs ? 'drop' : 'message'
    const verdicts = [work, work, 'message', 'message', 'message']
    assert.deepEqual(feed(exchange, ...told), verdicts)
  }
})

test('a name is learned only when the target confirmed it', () => {
  const confirmed: string[] = []
  const exchange = expecting(
    { ...step('Parse'), confirmed: () => confirmed.push('a') },
    { ...step('Parse'), confirmed: () => confirmed.push('b') },
    step('Sync'),
  )
  feed(exchange, toClient.parseComplete(), error('42601'), toClient.readyForQuery('I'))
  assert.deepEqual(confirmed, ['a'])
})

test('a statement that is only prepared is a request that ends when the target has parsed it', () => {
  const exchange = expecting(step('Parse', 0), step('Sync'))
  feed(exchange, toClient.parseComplete(), toClient.readyForQuery('I'))
  assert.deepEqual(
    exchange.ended.map(({ request, outcome }) => ({ request, outcome })),
    [{ request: 0, outcome: 'Succeeded' }],
  )
})

test('an answer that nobody asked for is a violation', () => {
  assert.deepEqual(feed(expecting(step('Sync')), toClient.parseComplete()), ['violation'])
  assert.deepEqual(feed(expecting(), toClient.readyForQuery('I')), ['violation'])
})

test('the columns of a portal are those that were described last', () => {
  const exchange = expecting(
    step('Describe', null, { portal: 'p' }),
    step('Execute', 0, { portal: 'p' }),
  )
  feed(exchange, rowDescription())
  const [verdict] = frames(row()).map((frame) => accept(exchange, frame))
  assert.equal(verdict?.do === 'row' ? verdict.columns?.[0]?.name : null, 'email')
})

const step = (tag: Step['tag'], request: number | null = null, more: Partial<Step> = {}): Step => ({
  tag,
  request,
  portal: null,
  isOurs: false,
  ...more,
})

function expecting(...steps: Step[]): Exchange {
  const exchange = newExchange()
  exchange.steps.push(...steps)
  return exchange
}

const feed = (exchange: Exchange, ...bytes: Buffer[]): string[] =>
  frames(...bytes).map((frame) => accept(exchange, frame).do)

function frames(...bytes: Buffer[]): ServerFrame[] {
  const [, received] = receiveServer(serverSide(), Buffer.concat(bytes))
  return received.filter((frame) => frame.tag !== 'Violation')
}

const row = (): Buffer => toClient.dataRow([Buffer.from('a@b.example')])
const error = (code: string): Buffer =>
  toClient.errorResponse({ severity: 'ERROR', code, message: 'no' })
const rowDescription = (): Buffer =>
  toClient.rowDescription([
    {
      name: 'email',
      tableOid: 1,
      columnAttribute: 2,
      typeOid: 25,
      typeSize: -1,
      typeModifier: -1,
      format: 'text',
    },
  ])

test("the error of what Countersign asked on behalf of the agent is the agent's", () => {
  const exchange = expecting(
    step('Describe', null, { isOurs: true, isForAgent: true }),
    step('Execute', 0),
    step('Sync'),
  )
  assert.deepEqual(feed(exchange, error('25P02'), toClient.readyForQuery('E')), [
    'message',
    'ready',
  ])
  assert.deepEqual(
    exchange.ended.map(({ request, outcome, sqlState }) => ({ request, outcome, sqlState })),
    [{ request: 0, outcome: 'Failed', sqlState: '25P02' }],
  )
})

const copyOut = (format: number): Buffer => Buffer.from([0x48, 0, 0, 0, 9, format, 0, 1, 0, format])
const line = (data: string | Buffer): Buffer => toClient.copyData(Buffer.from(data))
const TRAILER = Buffer.from([0xff, 0xff])

for (const [what, { frames: sent, rows }] of Object.entries({
  'rows of a query': { frames: [rowDescription(), row(), row(), row()], rows: 3 },
  'a change of a million rows': { frames: [toClient.commandComplete('UPDATE 1000001')], rows: 0 },
  // Nothing says whether the first is a header; as many COPYs as one likes would send a row each for nothing.
  'lines of a COPY in text, of which one may be a header': {
    frames: [copyOut(0), line('id\n'), line('1\n'), line('2\n')],
    rows: 3,
  },
  'rows of a COPY in binary, without what ends it': {
    frames: [copyOut(1), line('\0\x01a'), line('\0\x01b'), line('\0\x01c'), line(TRAILER)],
    rows: 3,
  },
}))
  test(`of ${what} the agent was sent ${rows}`, () => {
    const exchange = expecting(step('Query', 0))
    feed(exchange, ...sent)
    assert.equal(exchange.rowsSent, rows)
  })

test('rows are summed up across ReadyForQuery: a cursor or portal that is read piece by piece is one result', () => {
  const exchange = expecting(
    step('Query', 0),
    step('Execute', 1, { portal: 'p' }),
    step('Execute', 2, { portal: 'p' }),
    step('Sync'),
    step('Query', 3),
  )
  const suspended = Buffer.from([0x73, 0, 0, 0, 4])
  feed(exchange, rowDescription(), row(), row(), toClient.commandComplete('FETCH 2'))
  feed(exchange, toClient.readyForQuery('T'), row(), suspended, row(), row(), suspended)
  assert.equal(exchange.rowsSent, 5)
  feed(exchange, toClient.readyForQuery('T'))
  assert.equal(exchange.rowsSent, 5)
})
