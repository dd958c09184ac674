import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { rested } from '@countersign/kernel'
import { loadStatements, type Understanding } from '@countersign/statements'
import { target } from '../core/example-under-test.ts'
import type { Understood } from '../core/understood.ts'
import { understander, type UnderstanderOptions } from './understander.ts'
import { understandingThread } from './understanding-thread.ts'
import type { Asked } from './understanding-worker.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const SHOP = target('shop-prod')
const GENEROUS = 1_000_000

before(loadStatements)

const started = (change: Partial<UnderstanderOptions> = {}) =>
  understander({
    logger: silent,
    statementBytesMax: 1024 * 1024,
    understandingMsMax: GENEROUS,
    waitingMsMax: GENEROUS,
    ...change,
  })

const asker = (sessionId: string, agent = sessionId) => ({ sessionId, agent })

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
  const found = understood(await texts.understand(asker('one'), text, SHOP))
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
    const found = understood(await texts.understand(asker('one'), text, target, beside))
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
  const found = understood(await texts.understand(asker('one'), rows(10_000), SHOP))
  assert.match(found.tooComplex ?? '', /5000 bytes/)
})

test('a text that takes too long is refused, and the next one is understood', async () => {
  await using texts = started({ understandingMsMax: 1 })
  const dear = understood(await texts.understand(asker('one'), rows(900_000), SHOP))
  assert.match(dear.tooComplex ?? '', /ms to understand/)
  const found = understood(await texts.understand(asker('one'), Buffer.from('select 1'), SHOP))
  assert.equal(found.tooComplex, null)
  // A new understander starts threads of its own.
  await using again = started()
  assert.equal(
    understood(await again.understand(asker('one'), rows(10_000), SHOP)).tooComplex,
    null,
  )
})

test('what others ask is answered while expensive sessions wait for each other', async () => {
  await using texts = started()
  // After this answer a thread is ready: one that is still starting answers nobody.
  await texts.understand(asker('first'), rows(10_000), SHOP)
  const order: string[] = []
  const ask = async (session: string, text: Buffer): Promise<void> => {
    await texts.understand(asker(session), text, SHOP)
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
    await texts.understand(asker(session), rows(300_000), SHOP)
    order.push(session)
  }
  await ask('greedy')
  await ask('greedy')
  // The first two take the threads that are free; all the others wait together.
  await Promise.all([ask('x'), ask('greedy'), ask('greedy'), ask('modest')])
  assert.ok(order.lastIndexOf('greedy') > order.indexOf('modest'), order.join())
})

test('an agent that has used more comes later, however many sessions it opens', async () => {
  await using texts = started()
  const order: string[] = []
  const ask = async (session: string, agent: string): Promise<void> => {
    await texts.understand(asker(session, agent), rows(300_000), SHOP)
    order.push(agent)
  }
  await ask('g1', 'greedy')
  await ask('g2', 'greedy')
  const many = ['g3', 'g4', 'g5'].map((session) => ask(session, 'greedy'))
  await Promise.all([ask('x', 'x'), ...many, ask('m', 'modest')])
  assert.ok(order.lastIndexOf('greedy') > order.indexOf('modest'), order.join())
})

/** Seen to fail, with a text that nobody answers, when a fault of whoever asks the thread leaves it taken. */
test('a description that no thread can be told is refused, and loses no thread', async () => {
  await using texts = started()
  const relations: never[] = []
  Object.assign(relations, { 0: () => 'not to be copied' })
  for (let round = 0; round < 4; round++) {
    const target = { ...SHOP, relations }
    const refused = understood(await texts.understand(asker('one'), rows(10_000), target))
    assert.match(refused.tooComplex ?? '', /cannot be given/)
  }
  const found = understood(await texts.understand(asker('one'), rows(10_000), SHOP))
  assert.equal(found.tooComplex, null)
  assert.equal(texts.healthy(), true)
})

/** Seen to fail, with effects, when a text about an unknown description is read under an empty one. */
test('a thread answers nothing about a description that it does not have', async () => {
  const worker = new Worker(new URL('./understanding-worker.ts', import.meta.url))
  const understoodIt = Promise.withResolvers<string>()
  worker.on('message', (answer) => {
    if (answer !== 'ready') understoodIt.resolve('it was understood')
  })
  const path = { searchPath: ['shop'] }
  const asked: Asked = { catalogId: 7, path, text: rows(10_000), beside: {}, bytesMax: 1_000_000 }
  worker.postMessage(asked)
  const fault = once(worker, 'error').then(([cause]) => String(cause))
  assert.match(await Promise.race([fault, understoodIt.promise]), /description that is not here/)
  await worker.terminate()
})

/** Seen to fail, with an answer of the loop, when the length alone decides where a text is understood. */
test('a short text is understood at once, unless its names cost much', async () => {
  await using texts = started({ program: program(ENDING['exits'] ?? '') })
  const list = (length: number, name: string) =>
    Array.from({ length }, (_, n) => `${name}${n}`).join()
  const ask = async (sql: string) =>
    understood(await texts.understand(asker('one'), Buffer.from(sql), SHOP))
  assert.equal((await ask(`select ${list(30, 'c')} from ${list(30, 't')}`)).tooComplex, null)
  const dear = await ask(`select ${list(100, 'c')} from ${list(60, 't')}`)
  assert.match(dear.tooComplex ?? '', /takes more memory than it may, or cannot be read/)
})

const ENDING: Readonly<Record<string, string>> = {
  exits:
    "parentPort.postMessage('ready'); parentPort.on('message', (asked) => 'text' in asked ? process.exit(0) : parentPort.postMessage('ready'))",
  throws:
    "parentPort.postMessage('ready'); parentPort.on('message', () => { throw new Error('broken') })",
}
for (const [how, code] of Object.entries(ENDING)) {
  test(`a text is refused when its thread ${how}, and so is the next one, by another thread`, async () => {
    await using texts = started({ program: program(code) })
    for (let round = 0; round < 4; round++) {
      const found = understood(await texts.understand(asker('one'), rows(10_000), SHOP))
      assert.notEqual(found.tooComplex, null)
    }
  })
}

/** Seen to fail, each with 0 ms, when a thread that is lost costs nothing. */
for (const [how, code] of Object.entries(ENDING)) {
  test(`a text whose thread ${how} is not for nothing`, async () => {
    const MS_MAX = 1_000
    const ready = Promise.withResolvers<void>()
    const onFree = () => ready.resolve()
    await using thread = understandingThread({
      ...{ logger: silent, statementBytesMax: GENEROUS, onFree, program: program(code) },
    })
    await ready.promise
    const text = { sessionId: 'one', bytes: rows(10_000), target: SHOP, beside: {} }
    const { spentMs } = await thread.ask(text, { msMax: MS_MAX, wallMsMax: GENEROUS })
    assert.equal(await spentMs, MS_MAX)
  })
}

/** Seen to fail, with an error for each thread, when the end of a thread is a loss whoever ended it. */
test('a thread that stops is no error', async () => {
  const errors: unknown[] = []
  const logger = { ...silent, error: (...what: unknown[]) => errors.push(what) }
  {
    await using texts = started({ logger })
    assert.notEqual(await texts.understand(asker('one'), rows(10_000), SHOP), 'busy')
  }
  assert.deepEqual(errors, [])
})

/** Seen to fail when threads know a description by the object that has a path too. */
test('a description is sent once for all paths, and names are those of the path', async (t) => {
  const SCHEMAS = Array.from({ length: 20 }, (_, index) => `tenant_${index}`)
  const relations = SCHEMAS.map((schema, index) => ({
    ...{ oid: index + 1, schema, name: 'orders', kind: 'table' as const },
    ...{ columns: [], dependsOn: [], inherits: [] },
  }))
  const sent = t.mock.method(Worker.prototype, 'postMessage')
  await using texts = started()
  const described = { ...SHOP, relations }
  for (const schema of SCHEMAS) {
    const target = { ...described, searchPath: [schema] }
    const { effects } = understood(await texts.understand(asker('one'), rows(10_000), target))
    assert.deepEqual(
      effects.map(({ relation }) => relation?.schema),
      [schema],
    )
  }
  const descriptions = sent.mock.calls.filter(({ arguments: [asked] }) => 'catalog' in asked)
  // At most one to each of the two threads.
  assert.ok(descriptions.length <= 2, `${descriptions.length} descriptions were sent`)
})

test('a text that waits too long is refused as busy', async () => {
  await using texts = started({ waitingMsMax: 1, program: program(IDLE) })
  assert.equal(await texts.understand(asker('one'), rows(10_000), SHOP), 'busy')
})

test('health says that texts wait', async () => {
  await using texts = started({ waitingMsMax: 600_000, stuckMs: 1, program: program(IDLE) })
  await rested(5)
  assert.equal(texts.healthy(), true)
  const waits = texts.understand(asker('one'), rows(10_000), SHOP)
  await rested(5)
  assert.equal(texts.healthy(), false)
  await texts[Symbol.asyncDispose]()
  assert.notEqual(understood(await waits).tooComplex, null)
})

/** Seen to fail when health asks only how long a text waits. */
test('one agent whose long texts wait for each other leaves policy healthy', async () => {
  const asked = Promise.withResolvers<void>()
  const logger = { ...silent, warn: () => asked.resolve() }
  await using texts = started({
    ...{ logger, waitingMsMax: 600_000, stuckMs: 1, understandingMsMax: 1 },
    program: program(NEVER_ANSWERS),
  })
  const long = [0, 1, 2].map(() => texts.understand(asker('one'), rows(100_000), SHOP))
  // The first text was given up; the others wait for the same thread.
  await asked.promise
  await rested(5)
  assert.equal(texts.healthy(), true)
  await texts[Symbol.asyncDispose]()
  for (const text of long) await text
})

test('a text is given up when nobody waits for it any more', async () => {
  const ready = Promise.withResolvers<void>()
  const onFree = () => ready.resolve()
  await using thread = understandingThread({
    ...{ logger: silent, statementBytesMax: GENEROUS, onFree, program: program(NEVER_ANSWERS) },
  })
  await ready.promise
  const text = { sessionId: 'one', bytes: rows(10_000), target: SHOP, beside: {} }
  const { understanding } = await thread.ask(text, { msMax: GENEROUS, wallMsMax: 1 })
  assert.match(understanding.tooComplex ?? '', /while somebody waits/)
})

test('health says that no thread lives', async () => {
  const ended = Promise.withResolvers<void>()
  let count = 0
  const logger = { ...silent, error: () => ++count === 2 && ended.resolve() }
  await using texts = started({ logger, program: program('throw new Error("at once")') })
  await ended.promise
  assert.equal(texts.healthy(), false)
})

/** A thread that takes in descriptions, and answers no text. */
const NEVER_ANSWERS =
  "parentPort.postMessage('ready'); parentPort.on('message', (asked) => 'text' in asked ? undefined : parentPort.postMessage('ready'))"

/** A thread that never says that it is ready. */
const IDLE = 'setInterval(() => {}, 1000)'

/** The program of a thread that runs this code instead. */
const program = (code: string): URL =>
  new URL(
    `data:text/javascript,${encodeURIComponent(`import { parentPort } from 'node:worker_threads'; ${code}`)}`,
  )

function understood(found: Understood | 'busy'): Understanding {
  assert.ok(found !== 'busy')
  return found.understanding
}
