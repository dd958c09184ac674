// Seen to fail when `takeFrames` passes each CopyInResponse on, when `giveUpCopy` sends no Sync, and when `feed` keeps data that
// were sent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Instant, RequestId, uuidv7 } from '@countersign/kernel'
import { receiveServer, serverSide, toClient } from '@countersign/postgres-wire'
import { UNTAINTED } from '../core/answer-taint.ts'
import { newExchange, type Step } from '../core/exchange.ts'
import { noNames } from '../core/statement-names.ts'
import { answers, takeFrames } from './answers.ts'
import type { HeldData, Session, UnderWay } from './session-state.ts'
import type { Outgoing } from './target.ts'
import { nothingWithheld } from './withheld.ts'

const step = (tag: Step['tag'], request: number | null = null): Step => ({
  ...{ tag, request, portal: null, isOurs: false },
})
const running = (more: Partial<UnderWay>): UnderWay => ({
  requestId: RequestId(uuidv7(0)),
  releasedAtMs: 0,
  answer: UNTAINTED,
  recording: 'Digest',
  endsTransaction: false,
  changesBeside: false,
  isOfSetting: false,
  takesCopyData: false,
  heldData: null,
  streamed: 0,
  ...more,
})

/** A session with one request at its target, and only what is used of it when the target asks for data. */
function serving(steps: readonly Step[], more: Partial<UnderWay>) {
  const told: Buffer[] = []
  const sent: string[] = []
  const exchange = newExchange()
  exchange.steps.push(...steps)
  const request = running(more)
  const never = new Promise<void>(() => undefined)
  const session = {
    exchange,
    underWay: new Map([[0, request]]),
    proxy: {
      searchTurns: { isOver: () => false },
      lease: { isHeld: () => true },
      clock: { now: () => Instant(0), monotonicMs: () => 0 },
    },
    profile: { rowsMax: 1, recording: 'Digest' },
    expiry: { at: Instant(1) },
    ending: Promise.withResolvers(),
    isEnding: false,
    framesBehind: null,
    behindRow: null,
    raised: null,
    withheld: nothingWithheld(),
    largeRow: { held: null, isWaiting: false },
    target: {
      frameUnderWay: () => 0,
      forward: (all: readonly Outgoing[]) =>
        void sent.push(...all.map(({ bytes }) => String.fromCharCode(bytes[0] ?? 0))),
    },
    client: {
      closed: never,
      isCongested: () => false,
      write: (bytes: Buffer) => void told.push(bytes),
    },
    journal: { isCongested: () => false },
    wake: () => undefined,
  } as unknown as Session
  return { session, request, told, sent }
}

/** Takes a CopyInResponse, and says what the agent was told and the target was sent. */
async function askedForData(steps: readonly Step[], more: Partial<UnderWay>) {
  const { session, request, told, sent } = serving(steps, more)
  const [, frames] = receiveServer(serverSide(), toClient.copyInResponse('text', 1))
  const asked = (): string => {
    takeFrames(session, frames)
    // It goes on until it waits for the target, in the same turn.
    void answers(session)
    return `${told.splice(0).length} told, ${sent.splice(0).join('')}`
  }
  const first = asked()
  const left = session.exchange.steps.map(({ tag }) => tag).join()
  return { first, left, request, asked }
}

test('no data are let into what was not decided on as a COPY FROM STDIN', async () => {
  const cases: [string, Step[], string, string][] = [
    ['a simple query', [step('Query', 0)], '0 told, f', 'Query'],
    ['with Flush', [step('Execute', 0)], '0 told, fH', 'Execute'],
    // The target has ignored the first Sync, so it gets another.
    ['with Sync', [step('Execute', 0), step('Sync')], '0 told, fHS', 'Execute,Sync'],
    // The target fails at the Bind.
    [
      'amid a pipeline',
      [step('Execute', 0), step('Bind'), step('Execute', 1), step('Sync')],
      '0 told, ',
      'Execute,Bind,Execute,Sync',
    ],
  ]
  for (const [name, steps, expected, stepsLeft] of cases) {
    const { first, left } = await askedForData(steps, {})
    assert.deepEqual([first, left], [expected, stepsLeft], name)
  }
})

// Seen to fail when `feed` streams what still has memory for copies: a target may wait for a lock while it does not read.
test('the data of a COPY keep no memory for copies while they are streamed', () => {
  const { session } = serving([step('Query', 0)], { takesCopyData: true })
  session.exchange.copyIn = true
  const done: string[] = []
  const message = { tag: 'CopyData', data: Buffer.from('1\n'), raw: Buffer.from('d') }
  const queue = [message]
  Object.assign(session, {
    untaken: null,
    dataKey: { encrypt: (piece: Buffer) => piece },
  })
  Object.assign(session.client, { take: () => queue.shift(), lasts: () => done.push('lasts') })
  Object.assign(session.journal, { record: () => (done.push('record'), new Promise(() => {})) })
  void answers(session)
  assert.deepEqual(done, ['lasts', 'record'])
})

test('held data are sent once, and kept no longer', async () => {
  const heldData = { bytes: Buffer.from('1\n'), released: null } as unknown as HeldData
  const { first, request, asked } = await askedForData([step('Execute', 0)], {
    takesCopyData: true,
    heldData,
  })
  assert.equal(first, '0 told, dcH')
  assert.equal(request.heldData, null)
  // A target that asks twice gets nothing.
  assert.equal(asked(), '0 told, fH')
})

// Seen to fail when `takeFrames` only passes settings on.
test('a setting that texts are read under moves the state of the session when the target reports another one', () => {
  const { session, told } = serving([], {})
  Object.assign(session, {
    stateVersion: 0,
    reported: new Map([['TimeZone', 'UTC']]),
    filter: { setting: ({ raw }: { raw: Buffer }) => raw },
  })
  const stateAfter = (name: string, value: string): number => {
    const [, frames] = receiveServer(serverSide(), toClient.parameterStatus(name, value))
    takeFrames(session, frames)
    return session.stateVersion
  }
  assert.equal(stateAfter('TimeZone', 'UTC'), 0)
  assert.equal(stateAfter('in_hot_standby', 'on'), 0)
  assert.equal(stateAfter('TimeZone', 'Asia/Tokyo'), 1)
  assert.equal(stateAfter('TimeZone', 'Asia/Tokyo'), 1)
  assert.equal(stateAfter('DateStyle', 'ISO, DMY'), 2)
  assert.equal(told.length, 5)
})

// Seen to fail when `takeFrames` asks behind each answer: SET TRANSACTION failed with 25001 before PostgreSQL 18.
test('a target that does not report its path is asked for it behind the end of a transaction, not behind its begin', () => {
  const isAskedBehind = (status: 'I' | 'T', isUnheard: boolean, isOurs = false): boolean => {
    const { session } = serving([{ ...step('Sync'), isOurs }], {})
    Object.assign(session, { isPathUnheard: isUnheard, names: noNames(), hasChangedState: false })
    // bound: one test
    Object.assign(session, { cursors: new Map(), nextFilter: null })
    Object.assign(session.target, { parameters: new Map() })
    takeFrames(session, receiveServer(serverSide(), toClient.readyForQuery(status))[1])
    return session.isPathUnheard
  }
  assert.equal(isAskedBehind('T', false), false)
  // Its effects were noted when it was released.
  assert.equal(isAskedBehind('T', true), true)
  assert.equal(isAskedBehind('I', false), true)
  assert.equal(isAskedBehind('I', false, true), false)
})

// Seen to fail when `takeFrames` has statements end at CommandComplete alone.
test('what was masked is told with its own statement, also of a portal that is suspended and of a statement that fails', () => {
  const suspended = Buffer.from([0x73, 0, 0, 0, 4])
  const failed = toClient.errorResponse({ severity: 'ERROR', code: '22012', message: 'division' })
  for (const [end, expected] of [
    [toClient.commandComplete('SELECT 1'), 'DNC'],
    [suspended, 'DNs'],
    [failed, 'DNE'],
  ] as const) {
    const { session, told } = serving([{ ...step('Execute', 0), portal: 'p' }], {})
    let isMasked = false
    Object.assign(session.proxy.searchTurns, { searched: () => undefined })
    Object.assign(session, {
      described: { relations: [] },
      filter: {
        row: ({ raw }: { raw: Buffer }) => ((isMasked = true), raw),
        message: ({ raw }: { raw: Buffer }) => raw,
        statementEnds: () => (isMasked ? [Buffer.from('N')] : []),
      },
    })
    const rows = toClient.dataRow([Buffer.from('1')])
    takeFrames(session, receiveServer(serverSide(), Buffer.concat([rows, end]))[1])
    const all = Buffer.concat(told)
    const ends = expected.slice(-1)
    const at = all.indexOf('N', rows.length)
    assert.equal(at, rows.length, expected)
    assert.equal(String.fromCharCode(all[at + 1] ?? 0), ends, expected)
  }
})

test('the filter is told what an error answers, and of a setting only where no commit can be behind it', () => {
  const error = toClient.errorResponse({ severity: 'ERROR', code: '42704', message: 'unknown' })
  const cases: [Step, Partial<UnderWay>, mayQuoteAtEnd: boolean, expected: string][] = [
    [step('Parse', 0), {}, false, 'Parse'],
    [step('Parse', 0), {}, true, 'Parse'],
    [step('Bind', 0), {}, false, 'Any'],
    [step('Query', 0), {}, false, 'Any'],
    [step('Query', 0), { isOfSetting: true }, false, 'Setting'],
    [step('Query', 0), { isOfSetting: true }, true, 'Any'],
    [step('Describe', 0), { isOfSetting: true }, false, 'Setting'],
    [step('Sync', 0), { isOfSetting: true }, false, 'Any'],
  ]
  for (const [first, more, mayQuoteAtEnd, expected] of cases) {
    const { session } = serving([first, step('Sync')], more)
    const heard: unknown[] = []
    Object.assign(session, {
      mayQuoteAtEnd,
      described: { relations: [] },
      filter: {
        message: ({ raw }: { raw: Buffer }, _: boolean, __: unknown, answersTo: unknown) => {
          heard.push(answersTo)
          return raw
        },
        statementEnds: () => [],
      },
    })
    takeFrames(session, receiveServer(serverSide(), error)[1])
    assert.deepEqual(heard, [expected], `${first.tag} ${JSON.stringify(more)}`)
  }
})
