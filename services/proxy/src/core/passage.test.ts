import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import fc from 'fast-check'
import {
  cellsOf,
  receiveServer,
  type Request,
  type ServerFrame,
  serverSide,
  toClient,
  toServer,
} from '@countersign/postgres-wire'
import { loadStatements } from '@countersign/statements'
import { accept, type Exchange, newExchange } from './exchange.ts'
import { ownPassage } from './own-passage.ts'
import { type Owner, passage } from './passage.ts'
import { type Ask, namesFollow, planned } from './pipeline-plan.ts'
import { requests } from './requests-under-test.ts'
import {
  doubtAll,
  forgetPortal,
  learnPortal,
  learnStatement,
  meansOthers,
  noNames,
  readingBehind,
  readingNow,
  readOtherwise,
  type StatementNames,
} from './statement-names.ts'

before(loadStatements)

test('a portal is described by Countersign where the client does not', () => {
  const sent = tagsSent(toServer.parse('', 'select 1'), toServer.bind(), toServer.execute())
  assert.deepEqual(sent, ['Parse', 'Bind', 'Describe', 'Execute'])
})

test('the description that the client asks for itself is enough', () => {
  const described = [toServer.bind(), toServer.describe('portal'), toServer.execute()]
  assert.deepEqual(tagsSent(...described), ['Bind', 'Describe', 'Execute'])
})

test('a description from before the portal was bound again is of another statement', () => {
  const sent = tagsSent(
    ...[toServer.bind(), toServer.describe('portal'), toServer.bind(), toServer.execute()],
  )
  assert.deepEqual(sent, ['Bind', 'Describe', 'Bind', 'Describe', 'Execute'])
})

test('a description from before something else ran does not count', () => {
  const sent = tagsSent(
    ...[toServer.bind({ portal: 'p' }), toServer.describe('portal', 'p')],
    ...[toServer.execute('q'), toServer.execute('p')],
  )
  assert.deepEqual(sent, ['Bind', 'Describe', 'Describe', 'Execute', 'Describe', 'Execute'])
})

test('what of our own goes before a request stands right before its first message', () => {
  const messages = requests(
    ...[toServer.parse('', 'select 1'), toServer.bind(), toServer.describe('portal')],
    ...[toServer.execute(), toServer.bind(), toServer.describe('portal'), toServer.execute()],
  )
  const own = { name: 'own', sql: 'select 2', resultFormats: [], request: 9, step: {} }
  const { outbound, steps } = passage(noNames(), {
    ...{ messages, from: 0, end: messages.length },
    requestOf: () => ({ number: 0, lastStep: 0 }),
    guardOf: (step) => (step === 4 ? ownPassage(own) : null),
    settings,
  })
  assert.deepEqual(
    requests(...outbound.map(({ bytes }) => bytes)).map(({ tag }) => tag),
    [
      ...['Parse', 'Bind', 'Describe', 'Execute'],
      ...['Close', 'Parse', 'Bind', 'Execute', 'Close', 'Close'],
      ...['Bind', 'Describe', 'Execute'],
    ],
  )
  assert.deepEqual(
    steps.map(({ tag, isOurs, request }) => (isOurs ? `our ${tag} ${request}` : tag)),
    [
      ...['Parse', 'Bind', 'Describe', 'Execute'],
      ...['our Close null', 'our Parse null', 'our Bind null', 'our Execute 9'],
      ...['our Close null', 'our Close null', 'Bind', 'Describe', 'Execute'],
    ],
  )
})

test('what the client had an answer to already is not answered again', () => {
  const names = noNames()
  const [parse, bind, execute] = requests(
    ...[toServer.parse('s', 'copy t from stdin'), toServer.bind({ statement: 's' })],
    toServer.execute(),
  )
  assert.ok(parse?.tag === 'Parse' && bind !== undefined && execute !== undefined)
  // This is how a COPY is sent whose data were asked for first.
  learnStatement(names, parse)
  names.doubtfulStatements.add('s')
  const { steps } = passage(names, {
    messages: [bind, execute],
    ...{ from: 0, end: 2, answered: new Set([parse, bind]) },
    requestOf: () => ({ number: 1, lastStep: 1 }),
    settings: () => '',
  })
  assert.deepEqual(
    steps.map(({ tag, isOurs }) => `${tag}${isOurs ? ', hidden' : ''}`),
    ['Close, hidden', 'Parse, hidden', 'Bind, hidden', 'Describe, hidden', 'Execute'],
  )
})

/** A statement that is prepared under reading 0, the readings of its Binds, and the messages that go out for it. */
const BOUND: Readonly<Record<string, readonly [sql: string, readings: string[], sent: string[]]>> =
  {
    'as it was read': ['select 1', ['0'], ['Bind', 'Execute']],
    'read otherwise since': ['select 1', ['1'], ['Close', 'Parse', 'Bind', 'Execute']],
    'read otherwise since, and bound twice': [
      'select 1',
      ['1', '1'],
      ['Close', 'Parse', 'Bind', 'Execute', 'Bind', 'Execute'],
    ],
    'behind two changes that were not asked about': [
      'select 1',
      ['0', '0, state 2', '0, state 3'],
      [
        ...['Bind', 'Execute', 'Close', 'Parse', 'Bind', 'Execute'],
        ...['Close', 'Parse', 'Bind', 'Execute'],
      ],
    ],
    'of the end of a transaction, which reads nothing': ['rollback', ['1'], ['Bind', 'Execute']],
    'of a text that nobody can parse': ['rolback', ['1'], ['Close', 'Parse', 'Bind', 'Execute']],
  }

// Seen to fail when `isReadOtherwise` in passage.ts is always false, when it leaves `isEnd` out, and when `readings` is not
// written behind `prepareAgain`.
for (const [when, [sql, readings, expected]] of Object.entries(BOUND))
  for (const name of ['s', ''])
    test(`a statement with the name "${name}" that is bound ${when}`, () => {
      const names = noNames()
      const [parse] = requests(toServer.parse(name, sql))
      assert.ok(parse?.tag === 'Parse')
      learnStatement(names, parse)
      const bound = requests(
        ...readings.flatMap(() => [toServer.bind({ statement: name }), toServer.execute()]),
      )
      const { outbound, steps } = passage(names, {
        ...{ messages: bound, from: 0, end: bound.length, settings },
        requestOf: (step) => ({ number: step >> 1, lastStep: step | 1 }),
        readingOf: (step) => readings[step >> 1] ?? '',
      })
      const sent = requests(...outbound.map(({ bytes }) => bytes))
      assert.deepEqual(
        sent.map(({ tag }) => tag).filter((tag) => tag !== 'Describe'),
        expected,
      )
      for (const one of sent) if (one.tag === 'Parse') assert.deepEqual(one.raw, parse.raw)
      const hidden = steps.filter(({ tag, isOurs }) => tag !== 'Describe' && isOurs)
      assert.deepEqual(
        hidden.map(({ tag }) => tag),
        expected.filter((tag) => tag === 'Close' || tag === 'Parse'),
      )
    })

// Seen to fail when `passage` looks at `names.statements` alone.
test('a statement is prepared again with the text that the same pipeline gave it', () => {
  const names = noNames()
  const messages = requests(
    ...[toServer.parse('s', 'select 1'), toServer.bind({ statement: 's' }), toServer.execute()],
  )
  const { outbound } = passage(names, {
    ...{ messages, from: 0, end: 3, settings },
    requestOf: (step) => ({ number: step === 0 ? 0 : 1, lastStep: step === 0 ? 0 : 2 }),
    readingOf: (step) => (step === 0 ? '0' : '0, state 1'),
  })
  assert.deepEqual(
    requests(...outbound.map(({ bytes }) => bytes)).map(({ tag }) => tag),
    ['Parse', 'Describe', 'Close', 'Parse', 'Bind', 'Describe', 'Execute'],
  )
})

// Seen to fail when a Parse, a Bind, or the Parse of `prepareAgain` is learned as read under what is in force when it is confirmed.
test('what is read behind a change that was not asked about is not taken for what is read when it was', () => {
  const names = noNames()
  const confirmed = (frame: Buffer, reading: string): string[] => {
    const messages = requests(frame)
    const { outbound, steps } = passage(names, {
      ...{ messages, from: 0, end: 1, settings },
      requestOf: () => ({ number: 0, lastStep: 0 }),
      readingOf: () => reading,
    })
    for (const step of steps) step.confirmed?.()
    return requests(...outbound.map(({ bytes }) => bytes)).map(({ tag }) => tag)
  }
  const bind = toServer.bind({ portal: 'p', statement: 's' })
  confirmed(toServer.parse('s', 'select 1'), '0, state 1')
  assert.deepEqual(confirmed(bind, '0, state 1'), ['Bind'])
  assert.equal(planned(requests(toServer.execute('p')), names).stop?.code, 'CS_PORTAL_UNKNOWN')
  assert.deepEqual(confirmed(bind, '0, state 2'), ['Describe', 'Close', 'Parse', 'Bind'])
  assert.deepEqual(confirmed(bind, '0'), ['Describe', 'Close', 'Parse', 'Bind'])
  assert.deepEqual(confirmed(bind, '0'), ['Bind'])
  assert.equal(planned(requests(toServer.execute('p')), names).stop, null)
})

// Seen to fail when a Describe is not taken for a use, or when a PREPARE is learned whatever it was read under.
test('a statement that is described behind a change that was not asked about may have been read anew', () => {
  const names = noNames()
  const sent = (frame: Buffer, reading: string): string[] => {
    const messages = requests(frame)
    const { outbound, steps } = passage(names, {
      ...{ messages, from: 0, end: 1, settings },
      requestOf: () => ({ number: 0, lastStep: 0 }),
      readingOf: () => reading,
    })
    for (const step of steps) step.confirmed?.()
    return requests(...outbound.map(({ bytes }) => bytes)).map(({ tag }) => tag)
  }
  const bind = toServer.bind({ statement: 's' })
  sent(toServer.parse('s', 'select 1'), '0')
  sent(toServer.describe('statement', 's'), '0')
  assert.deepEqual(sent(bind, '0'), ['Bind'])
  sent(toServer.describe('statement', 's'), '0, state 1')
  assert.deepEqual(sent(bind, '0'), ['Describe', 'Close', 'Parse', 'Bind'])
  for (const [reading, isKnown] of [
    ['0', true],
    ['0, state 1', false],
  ] as const) {
    sent(toServer.query('prepare p as select 1'), reading)
    assert.equal(names.prepared.has('p'), isKnown)
    sent(toServer.describe('statement', 'p'), '0, state 2')
    assert.equal(names.prepared.has('p'), false)
  }
})

// Seen to fail when `refuseOtherColumns` is not called, or also called for a name in doubt, and when the Close of `prepareAgain` puts
// nothing in doubt.
test('the target says whether a statement has other columns by now, before it is prepared again', () => {
  const names = noNames()
  const [parse] = requests(toServer.parse('s', 'select * from t'))
  assert.ok(parse?.tag === 'Parse')
  learnStatement(names, parse)
  meansOthers(names)
  const bound = () => {
    const messages = requests(toServer.bind({ statement: 's' }), toServer.execute())
    const requestOf = (): Owner => ({ number: 0, lastStep: 1 })
    return passage(names, { messages, from: 0, end: 2, requestOf, settings })
  }
  const sent = ({ outbound }: ReturnType<typeof bound>): string[] =>
    requests(...outbound.map(({ bytes }) => bytes)).map((message) =>
      message.tag === 'Describe' ? `Describe ${message.kind}` : message.tag,
    )
  const again = ['Close', 'Parse', 'Bind', 'Describe portal', 'Execute']
  const first = bound()
  assert.deepEqual(sent(first), ['Describe statement', ...again])
  assert.deepEqual(
    first.steps.map(({ isOurs, isForAgent }) => isOurs && isForAgent),
    [true, true, true, false, true, false],
  )
  assert.deepEqual(sent(bound()), ['Describe statement', ...again], 'it was refused')
  const [described, closed, ...others] = first.steps
  described?.confirmed?.()
  closed?.confirmed?.()
  assert.deepEqual(sent(bound()), again, 'it was closed, and not prepared again')
  for (const step of others) step.confirmed?.()
  assert.deepEqual(sent(bound()), ['Bind', 'Describe portal', 'Execute'])
})

// Seen to fail when `forgetTypes` gives the copy no reading.
test('what was decided before names came to stand for others runs as it was prepared then', () => {
  const names = noNames()
  const [parse] = requests(toServer.parse('s', 'delete from t'))
  assert.ok(parse?.tag === 'Parse')
  learnStatement(names, parse)
  const asked = readingNow(names)
  meansOthers(names)
  const messages = requests(toServer.bind({ statement: 's' }))
  const tags = (reading: string): string[] =>
    passage(names, {
      ...{ messages, from: 0, end: 1, settings },
      requestOf: () => ({ number: 0, lastStep: 0 }),
      readingOf: () => reading,
    }).steps.map(({ tag }) => tag)
  assert.deepEqual(tags(asked), ['Bind'])
  assert.deepEqual(tags(readingNow(names)), ['Describe', 'Close', 'Parse', 'Bind'])
})

test('the types of values are those that the target described for the statement', () => {
  const names = noNames()
  const [parse, bind, execute] = requests(
    ...[toServer.parse('s', 'select $1'), toServer.bind({ statement: 's' }), toServer.execute()],
  )
  assert.ok(parse?.tag === 'Parse' && bind !== undefined && execute !== undefined)
  learnStatement(names, parse)
  const asked = () => planned([bind, execute], names).asks.map(({ valueTypes }) => valueTypes)
  assert.deepEqual(asked(), [[]])
  described(names, 1234)
  assert.deepEqual(asked(), [[1234]])
  learnStatement(names, { ...parse })
  assert.deepEqual(asked(), [[]])
})

// Seen to fail when `forgetTypes` keeps the Parse as it is, and when `learnValueTypes` does not look at the doubt.
test('a statement that is prepared again has the types of values that the target describes from then on', () => {
  const names = noNames()
  const [parse, early, again, ...runs] = requests(
    ...[toServer.parse('s', 'select $1'), toServer.bind({ portal: 'p', statement: 's' })],
    ...[toServer.bind({ statement: 's' }), toServer.execute(), toServer.execute('p')],
  )
  assert.ok(parse?.tag === 'Parse' && early?.tag === 'Bind' && again !== undefined)
  const [execute, executeEarly] = runs
  assert.ok(execute !== undefined && executeEarly !== undefined)
  const asked = (...messages: Request[]) =>
    planned(messages, names).asks.map(({ valueTypes }) => valueTypes)
  learnStatement(names, parse)
  described(names, 23)
  learnPortal(names, early)
  assert.deepEqual(asked(again, execute), [[23]])
  doubtAll(names)
  assert.deepEqual(asked(again, execute), [[]], 'types from before the doubt')
  described(names, 25)
  assert.deepEqual(asked(again, execute), [[]], 'types of a statement in doubt')
  const requestOf = (): Owner => ({ number: 0, lastStep: 1 })
  const { steps } = passage(names, {
    messages: [again, execute],
    from: 0,
    end: 2,
    requestOf,
    settings,
  })
  for (const step of steps) if (step.tag === 'Parse') step.confirmed?.()
  assert.deepEqual(asked(again, execute), [[]], 'types from before it was prepared again')
  described(names, 700)
  assert.deepEqual(asked(again, execute), [[700]])
  assert.deepEqual(asked(executeEarly), [[23]], 'a portal has the types that it was bound with')
  meansOthers(names)
  assert.deepEqual(asked(again, execute), [[]], 'types from before names came to stand for others')
})

const settings = (): string => ''

/** The target describes the parameter of `s` as of this type. */
function described(names: StatementNames, type: number): void {
  const messages = requests(toServer.describe('statement', 's'))
  const { steps } = passage(names, { messages, from: 0, end: 1, requestOf: () => null, settings })
  const raw = Buffer.from('740000000a000100000000', 'hex')
  raw.writeUInt32BE(type, 7)
  accept({ ...newExchange(), steps: [...steps] }, { tag: 't', raw })
}

// Seen to fail when `isReadOtherwise` in passage.ts is always false.
test('whatever is sent: what is decided is what runs, a row has the columns of its own statement, and a text is read as it is bound', () => {
  fc.assert(
    fc.property(fc.array(fc.array(MESSAGES, { maxLength: 8 }), { maxLength: 4 }), (pipelines) => {
      const agent = {
        ...{ names: noNames(), exchange: newExchange(), target: modelTarget() },
        ...{ stateVersion: 0, known: { stateVersion: 0, mode: 'none' } },
      }
      for (const pipeline of pipelines) serve(agent, requests(...pipeline, toServer.sync()))
      assert.deepEqual(agent.target.misread, [])
    }),
    { numRuns: 3_000 },
  )
})

type Agent = {
  readonly names: StatementNames
  readonly exchange: Exchange
  readonly target: ModelTarget
  stateVersion: number
  known: { readonly stateVersion: number; readonly mode: string }
}

/** Serves a pipeline in which everything is allowed, as the proxy does. */
function serve(agent: Agent, messages: readonly Request[]): void {
  const sync = messages.length - 1
  let next = 0
  while (next < messages.length) {
    // The target is asked for its settings once after each change.
    if (agent.known.stateVersion !== agent.stateVersion) {
      const { mode } = agent.target
      if (mode !== agent.known.mode) readOtherwise(agent.names)
      agent.known = { stateVersion: agent.stateVersion, mode }
    }
    const plan = planned(messages, agent.names, { from: next })
    const opaque = plan.asks.find(
      ({ sql, lastStep }) => isOpaque(sql) && namesFollow(messages, lastStep),
    )
    const end = opaque === undefined ? plan.end : opaque.lastStep + 1
    const running = plan.asks.filter(({ lastStep }) => lastStep < end)
    send(agent, { messages, from: next, end, asks: running })
    for (const { kind, sql } of running) {
      if (kind === 'Prepare') continue
      if (isOpaque(sql)) doubtAll(agent.names)
    }
    // The model does not tell when a portal was made, so a portal in doubt is taken for another.
    for (const name of [...agent.names.doubtfulPortals]) forgetPortal(agent.names, name)
    next = end
    if (next > sync) return
    if (agent.exchange.skipping || (opaque === undefined && plan.stop !== null)) next = sync
  }
}

type Sent = {
  messages: readonly Request[]
  from: number
  end: number
  asks: readonly Ask[]
}

function send(agent: Agent, { messages, from, end, asks }: Sent): void {
  const { names, exchange, target } = agent
  const readings = asks.map((ask) => {
    const reading = readingOf(agent)
    if (ask.kind !== 'Prepare' && ask.sql?.startsWith('set') === true) agent.stateVersion++
    return reading
  })
  const { outbound, steps } = passage(names, {
    messages,
    from,
    end,
    requestOf: (step) => ownerIn(asks, step),
    readingOf: (step) => readings[ownerIn(asks, step)?.number ?? -1] ?? readingOf(agent),
    settings,
  })
  exchange.steps.push(...steps)
  for (const frame of target.receive(requests(...outbound.map(({ bytes }) => bytes)))) {
    const [step] = exchange.steps
    const verdict = accept(exchange, frame)
    assert.notEqual(verdict.do, 'violation', 'why' in verdict ? verdict.why : '')
    if (verdict.do !== 'row') continue
    const cells = cellsOf(frame)
    const value = cells.ok ? cells.value.map(String).join() : '?'
    assert.equal(asks[step?.request ?? -1]?.sql, `select ${value}`, 'what ran was not decided')
    assert.equal(verdict.columns?.[0]?.name, `c${value}`, 'the columns are of another statement')
  }
}

const readingOf = ({ names, stateVersion, known }: Agent): string =>
  known.stateVersion === stateVersion ? readingNow(names) : readingBehind(names, stateVersion)

function ownerIn(asks: readonly Ask[], step: number): Owner | null {
  const number = asks.findIndex(({ firstStep, lastStep }) => firstStep <= step && step <= lastStep)
  const lastStep = asks[number]?.lastStep
  return lastStep === undefined ? null : { number, lastStep }
}

const isOpaque = (sql: string | null): boolean => sql?.startsWith('call') ?? true

type ModelTarget = {
  /** A setting. */
  readonly mode: string
  /** The statements that were bound under another mode than they were read under. */
  readonly misread: readonly string[]
  receive(messages: readonly Request[]): ServerFrame[]
}

/** PostgreSQL as far as names go, inside one transaction block. A select gives its number, in a column of that name. */
function modelTarget(): ModelTarget {
  const statements = new Map<string, string>()
  const modes = new Map<string, string>()
  const misread: string[] = []
  let mode = 'none'
  const portals = new Map<string, string>()
  let isSkipping = false

  function answer(message: Request): Buffer[] {
    switch (message.tag) {
      case 'Parse':
        define(statements, message.name, message.sql ?? '')
        modes.set(message.name, mode)
        return [toClient.parseComplete()]
      case 'Bind':
        define(portals, message.portal, known(statements, message.statement))
        if (modes.get(message.statement) !== mode) misread.push(message.statement)
        return [toClient.bindComplete()]
      case 'Describe':
        return [columnsOf(known(message.kind === 'portal' ? portals : statements, message.name))]
      case 'Close':
        ;(message.kind === 'portal' ? portals : statements).delete(message.name)
        return [toClient.closeComplete()]
      case 'Execute':
        return run(known(portals, message.portal))
      default:
        return []
    }
  }

  function run(sql: string): Buffer[] {
    const [, verb = '', name = '', text = ''] = SQL.exec(sql) ?? []
    const done = toClient.commandComplete(verb.toUpperCase())
    switch (verb) {
      case 'select':
        return [toClient.dataRow([Buffer.from(name)]), done]
      case 'prepare':
        define(statements, name, text)
        return [done]
      case 'deallocate':
        known(statements, name)
        statements.delete(name)
        return [done]
      case 'set':
        mode = name
        return [done]
      case 'declare':
        define(portals, name, text)
        return [done]
      case 'close':
        known(portals, name)
        portals.delete(name)
        return [done]
      default:
        // Code that gives a name another meaning, as a function can.
        statements.set(name, text)
        portals.set(name, text)
        return [done]
    }
  }

  return {
    misread,
    get mode() {
      return mode
    },
    receive(messages) {
      const out: Buffer[] = []
      for (const message of messages) {
        if (message.tag === 'Sync') {
          isSkipping = false
          out.push(toClient.readyForQuery('T'))
        }
        if (isSkipping || message.tag === 'Sync') continue
        try {
          out.push(...answer(message))
        } catch {
          isSkipping = true
          out.push(toClient.errorResponse({ severity: 'ERROR', code: '26000', message: 'no' }))
        }
      }
      const [, frames] = receiveServer(serverSide(), Buffer.concat(out))
      return frames.filter((frame) => frame.tag !== 'Violation')
    },
  }
}

/** A verb, a name, and for some the text that gets this name. */
const SQL = /^(\w+) (\w+)(?: (?:as|cursor for) (.*))?$/

function define(texts: Map<string, string>, name: string, text: string): void {
  if (name !== '' && texts.has(name)) throw new Error('it exists')
  texts.set(name, text)
}

function known(texts: ReadonlyMap<string, string>, name: string): string {
  const text = texts.get(name)
  if (text === undefined) throw new Error('it does not exist')
  return text
}

function columnsOf(sql: string): Buffer {
  const [verb, value] = sql.split(' ')
  if (verb !== 'select') return toClient.noData()
  return toClient.rowDescription([
    {
      name: `c${value}`,
      tableOid: 1,
      columnAttribute: 1,
      typeOid: 25,
      typeSize: -1,
      typeModifier: -1,
      format: 'text',
    },
  ])
}

const tagsSent = (...frames: readonly Buffer[]): string[] => {
  const messages = requests(...frames)
  const requestOf = (): Owner => ({ number: 0, lastStep: 0 })
  const { outbound } = passage(noNames(), {
    messages,
    from: 0,
    end: messages.length,
    requestOf,
    settings,
  })
  return requests(...outbound.map(({ bytes }) => bytes)).map(({ tag }) => tag)
}

// Few names and texts, so that they meet.
const NAME = fc.constantFrom('a', 'b')
const NAME_OR_NONE = fc.constantFrom('', 'a', 'b')
const SELECT = fc.constantFrom('select 1', 'select 2')
const KIND = fc.constantFrom('statement' as const, 'portal' as const)

/** A statement without a name, as drivers send it. */
const ran = (sql: string): Buffer[] => [
  toServer.parse('', sql),
  toServer.bind(),
  toServer.execute(),
]

const MESSAGES = fc
  .oneof(
    // Single messages, which most often fail, and groups of them, which seldom do.
    fc.tuple(NAME_OR_NONE, SELECT).map(([name, sql]) => [toServer.parse(name, sql)]),
    fc
      .tuple(NAME_OR_NONE, NAME_OR_NONE)
      .map(([portal, statement]) => [toServer.bind({ portal, statement })]),
    fc.tuple(KIND, NAME_OR_NONE).map(([kind, name]) => [toServer.describe(kind, name)]),
    fc.tuple(KIND, NAME_OR_NONE).map(([kind, name]) => [toServer.close(kind, name)]),
    NAME_OR_NONE.map((portal) => [toServer.execute(portal)]),
    SELECT.map(ran),
    fc
      .tuple(NAME, SELECT)
      .map(([name, sql]) => [
        ...[toServer.close('statement', name), toServer.parse(name, sql)],
        ...[toServer.close('portal', name), toServer.bind({ portal: name, statement: name })],
      ]),
    NAME.map((statement) => [toServer.bind({ statement }), toServer.execute()]),
    // SQL that gives a name another meaning.
    fc
      .tuple(NAME, SELECT)
      .map(([name, sql]) => [...ran(`deallocate ${name}`), ...ran(`prepare ${name} as ${sql}`)]),
    fc
      .tuple(NAME, SELECT)
      .map(([name, sql]) => [...ran(`close ${name}`), ...ran(`declare ${name} cursor for ${sql}`)]),
    fc.tuple(NAME, SELECT).map(([name, sql]) => ran(`call ${name} as ${sql}`)),
    fc.constantFrom('set dmy', 'set mdy').map(ran),
  )
  .map((frames) => Buffer.concat(frames))
