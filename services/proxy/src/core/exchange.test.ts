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
