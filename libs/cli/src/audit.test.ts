import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { decode, hashOf } from '@countersign/contracts'
import {
  EventId,
  InstanceId,
  Instant,
  Problem,
  RequestId,
  SessionId,
  sha256,
  uuidv7,
} from '@countersign/kernel'
import { type Draft, draftOf, type Log } from '@countersign/log'
import { type InMemoryLog, inMemoryLog } from '@countersign/log/in-memory'
import { publishedSchemas } from '@countersign/log/provision'
import { auditSettings } from './audit-log.ts'
import { events, type EventsOptions } from './commands/events.ts'
import { exported, type ExportOptions } from './commands/export.ts'
import { contextOf } from './context.ts'
import { putInPlace } from './extract-place.ts'
import { eventLine, eventObject } from './event-line.ts'

const MARIA = uuidv7(1)
const BO = uuidv7(2)
const POISON = '\u001b[2J\u202e'
const folder = mkdtempSync(join(tmpdir(), 'countersign-audit-'))
after(() => rmSync(folder, { recursive: true, force: true }))

describe('events', () => {
  let log: InMemoryLog
  beforeEach(async () => {
    log = await filled()
  })

  it('prints each event with its place, and all of its fields', async () => {
    const found = await listed(log, { topic: ['sessions'] })
    assert.deepEqual(found.map(({ type }) => String(type)).toSorted(), [
      'RequestCompleted',
      'SessionRequested',
      'SessionRequested',
    ])
    const first = found.find(({ key }) => key === MARIA)
    assert.equal(first?.topic, 'sessions')
    assert.equal(typeof first?.partition, 'number')
    assert.equal(first?.offset, 0)
    assert.match(String(first?.time), /^\d{4}-.*Z$/)
    assert.equal(Reflect.get(Object(first?.fields), 'agent'), 'ci')
  })

  it('shows escapes and does not run them, for people and for programs', async () => {
    for (const isJson of [false, true]) {
      const { out } = await printed(log, {}, isJson)
      assert.match(out, /u001b\[2J/)
      assert.doesNotMatch(out, /[\u001b\u202e]/)
    }
  })

  const filters: [string, EventsOptions, readonly string[]][] = [
    [
      'everything but signs of life',
      {},
      ['SessionRequested', 'SessionRequested', 'RequestCompleted', 'CountersignatureRefused'],
    ],
    [
      'everything',
      { all: true },
      [
        'SessionRequested',
        'SessionRequested',
        'RequestCompleted',
        'CountersignatureRefused',
        'LeaseRenewed',
      ],
    ],
    ['a topic', { topic: ['approvals'] }, ['CountersignatureRefused']],
    ['a message', { type: ['RequestCompleted'] }, ['RequestCompleted']],
    ['a sign of life by its name', { type: ['LeaseRenewed'] }, ['LeaseRenewed']],
    ['a session', { session: BO }, ['SessionRequested']],
    [
      'an agent',
      { agent: 'ci' },
      ['SessionRequested', 'RequestCompleted', 'CountersignatureRefused'],
    ],
    [
      'an agent and a topic that does not name it',
      { agent: 'ci', topic: ['approvals'] },
      ['CountersignatureRefused'],
    ],
    ['an agent that is not there', { agent: 'nobody' }, []],
    ['what is to come', { since: '2999-01-01T00:00:00Z' }, []],
    ['what was long ago', { until: '2000-01-01T00:00:00Z' }, []],
    ['the newest', { limit: 1 }, ['CountersignatureRefused']],
  ]
  for (const [name, options, types] of filters)
    it(`can be only: ${name}`, async () => {
      const found = (await listed(log, options)).map(({ type }) => String(type))
      assert.deepEqual(found.toSorted(), types.toSorted())
    })

  it('prints by the times of records, also where a later record has an earlier one', async () => {
    const backwards: Log = {
      ...log,
      read: async (options) =>
        log.read({
          ...options,
          onRecords: (records, next) =>
            options.onRecords(
              records.map((record) => ({
                ...record,
                timestampMs: filledAtMs - record.position.offset,
              })),
              next,
            ),
        }),
    }
    const own = { topic: ['sessions'], session: MARIA }
    const offsets = (await listed(backwards, own)).map(({ offset }) => offset)
    assert.equal(offsets.length, 2)
    assert.deepEqual(
      offsets,
      offsets.toSorted((a, b) => Number(b) - Number(a)),
    )
  })

  it('says that older ones are left out', async () => {
    assert.match((await printed(log, { limit: 1 })).err, /^3 older events are left out/)
  })

  it('shows a record that it cannot read, and why', async () => {
    log.appendRaw('sessions', 0, 'k', { ce_type: 'countersign.sessions.Newer' }, Buffer.from('x'))
    const found = (await listed(log, {})).find(({ key }) => key === 'k')
    assert.equal(found?.type, 'Newer')
    assert.equal(found?.fields, null)
    assert.match(String(found?.problem), /Newer/)
  })

  it('refuses what it does not understand', async () => {
    for (const options of [
      { topic: ['nothing'] },
      { type: ['Nothing'] },
      { session: 'abcd' },
      { follow: true, until: '2999-01-01T00:00:00Z' },
    ])
      await assert.rejects(printed(log, options), Problem)
  })

  it('follows from a moment on without leaving anything out', async () => {
    const more = Array.from({ length: 1_100 }, () => completed(MARIA))
    await log.append(more)
    const lines: string[] = []
    const enough = Promise.withResolvers<void>()
    const told = context((text) => {
      lines.push(text)
      if (lines.length === more.length + 4) enough.resolve()
    }, true)
    void events(told, { follow: true, since: '2020-01-01T00:00:00Z' }, async () => log)
    await enough.promise
  })

  it('follows: what comes later is printed as it comes, of an agent too', async () => {
    const lines: string[] = []
    const opened = context((text) => void lines.push(text), true)
    const following = events(opened, { follow: true, agent: 'ci' }, async () => log)
    const ended = following.then(() => assert.fail('it ended'))
    const late = uuidv7(Date.now())
    // The command is known to follow only when something arrives.
    for (let sent = 0; !lines.some((line) => line.includes('CountersignatureRefused')); sent++) {
      await log.append([requested(sent === 0 ? late : uuidv7(Date.now()), 'ci'), refused(late)])
      await Promise.race([ended, setImmediate()])
      assert.ok(sent < 10_000, 'what came later was not printed')
    }
    assert.ok(lines.every((line) => !line.includes(BO)))
  })
})

describe('export', () => {
  let log: InMemoryLog
  beforeEach(async () => {
    log = await filled()
  })

  it('writes every record of the span, which can be decoded and verified without us', async () => {
    const { status, out } = await extracted(log, 'whole')
    assert.equal(status, 0)
    const { complete, files, manifestSha256 } = JSON.parse(out)
    assert.equal(complete, true)
    const dir = join(folder, 'whole')
    assert.equal(manifestSha256, sha256(readFileSync(join(dir, 'manifest.json'))))
    assert.deepEqual(readdirSync(dir).sort(), [
      'approvals.ndjson',
      'leases.ndjson',
      'manifest.json',
      'schemas.ndjson',
      'sessions.ndjson',
    ])
    for (const { file, sha256: hash, records } of files) {
      const content = readFileSync(join(dir, file))
      assert.equal(hash, sha256(content), file)
      assert.equal(records, linesOf(content.toString()).length, file)
    }
    const schemas = linesOf(readFileSync(join(dir, 'schemas.ndjson'), 'utf8'))
    const sessions = linesOf(readFileSync(join(dir, 'sessions.ndjson'), 'utf8'))
    assert.equal(sessions.length, 3)
    for (const { type, schema, value, fields } of sessions) {
      assert.ok(
        schemas.some(({ fingerprint, message }) => fingerprint === schema && message === type),
      )
      const bytes = Buffer.from(String(value), 'base64')
      const { type: _, ...decoded } = decode(String(type), String(schema), bytes)
      assert.equal(
        Reflect.get(decoded, 'previousHash'),
        Reflect.get(Object(fields), 'previousHash'),
      )
      assert.match(hashOf(String(type), String(schema), bytes), /^[0-9a-f]{64}$/)
    }
  })

  it('writes the same bytes again', async () => {
    await extracted(log, 'once')
    await log.append([requested(uuidv7(Date.now()), 'later')])
    await extracted(log, 'twice')
    execFileSync('diff', ['-r', join(folder, 'once'), join(folder, 'twice')])
  })

  it('replaces only an extract, and only where that is wanted', async () => {
    await extracted(log, 'there')
    await assert.rejects(extracted(log, 'there'), /is there/)
    assert.equal((await extracted(log, 'there', { force: true })).status, 0)
    const own = join(folder, 'own')
    writeFileSync(own, 'mine')
    await assert.rejects(extracted(log, 'own', { force: true }), /no extract/)
    assert.equal(readFileSync(own, 'utf8'), 'mine')
    await assert.rejects(extracted(log, '.', { force: true }), /no extract/)
  })

  // Seen to fail when the folder that is written to has a name that another may have already.
  it('deletes nothing that is not its own, and no extract before another is in its place', async () => {
    const write = (dir: string, name: string): void => {
      mkdirSync(join(folder, dir), { recursive: true })
      writeFileSync(join(folder, dir, name), '{"files":[]}')
    }
    const left = () => readdirSync(folder, { recursive: true }).map(String).toSorted()
    write('kept.partial', 'mine')
    write('site', 'manifest.json')
    await extracted(log, 'kept')
    write('more', 'mine')
    cpSync(join(folder, 'kept'), join(folder, 'more'), { recursive: true })
    const before = left()
    assert.ok(before.includes(join('kept.partial', 'mine')))
    for (const name of ['site', 'more'])
      await assert.rejects(extracted(log, name, { force: true }), /no extract/)
    const failing = { ...log, readToEnd: () => Promise.reject(new Error('no more')) }
    await assert.rejects(extracted(failing, 'kept', { force: true }), /no more/)
    await assert.rejects(putInPlace(join(folder, 'nothing'), join(folder, 'kept')), /ENOENT/)
    assert.deepEqual(left(), before)
    await extracted(log, 'kept', { force: true })
    assert.deepEqual(left(), before)
  })

  it('says what is missing, with the status 1', async () => {
    const holes: [string, Log][] = [
      ['retention', { ...log, spansSince: async (...at) => shifted(await log.spansSince(...at)) }],
      [
        'a hole',
        {
          ...log,
          read: async (options) =>
            log.read({
              ...options,
              onRecords: (records, next) => options.onRecords(records.slice(1), next),
            }),
        },
      ],
      ['a schema', { ...log, readToEnd: async () => undefined }],
    ]
    for (const [name, holed] of holes) {
      const { status, out } = await extracted(holed, name)
      assert.equal(status, 1, name)
      const { complete, missing } = JSON.parse(out)
      assert.equal(complete, false)
      assert.ok(missing.length > 0)
    }
  })

  it('leaves nothing where it fails', async () => {
    const failing = { ...log, readToEnd: () => Promise.reject(new Error('no more')) }
    await assert.rejects(extracted(failing, 'failed'), /no more/)
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('failed')),
      [],
    )
  })

  it('refuses a span without an end or a beginning', async () => {
    const [from, to] = ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z']
    await assert.rejects(extracted(log, 'x', { from, to }), /before/)
    await assert.rejects(extracted(log, 'x', { to: '2999-01-01T00:00:00Z' }), /yet to come/)
  })

  /** The spans of a log that began later. */
  function shifted(spans: Awaited<ReturnType<Log['spansSince']>>): typeof spans {
    return new Map(
      [...spans].map(([at, { end }]) => [
        at,
        { first: Math.min(1, end), since: Math.min(1, end), end },
      ]),
    )
  }
})

describe('the login of the audit user', () => {
  const settings = (env: Record<string, string>) =>
    auditSettings(context(() => undefined, false, env))

  it('sends a password in clear to this machine only, and never that of an instance elsewhere', () => {
    const local = settings({ KAFKA_BROKERS: '127.0.0.1:1', KAFKA_PASSWORD: 'p' })
    assert.equal(local.username, 'audit')
    assert.equal(local.clientId, 'audit')
    const remote = { KAFKA_BROKERS: 'localhost:1,kafka.example:9092', KAFKA_PASSWORD: 'p' }
    assert.throws(() => settings(remote), /in clear to kafka\.example/)
    assert.equal(settings({ ...remote, KAFKA_TLS: 'true' }).ssl, true)
    assert.throws(() => settings({ KAFKA_BROKERS: '127.0.0.1:1' }), /password/)
    assert.throws(() => settings({}), /the address of the log/)
  })
})

describe('a line of an event', () => {
  it('shows moments as such, and leaves out what is empty', async () => {
    const [record] = (await filled()).records('sessions')
    assert.ok(record)
    const line = eventLine(eventObject(record), (_, text) => text)
    assert.match(line, /^\S+Z sessions \S+ SessionRequested /)
    assert.match(line, /agent=\S+/)
    assert.doesNotMatch(line, /sequence=|previousHash=|applicationName=/)
  })
})

let filledAtMs = 0

/** A log with two sessions of two agents, one refused vote with words that draw, one sign of life, and the schemas. */
async function filled(): Promise<InMemoryLog> {
  const log = inMemoryLog({ partitions: 2 })
  await log.append([requested(MARIA, 'ci'), requested(BO, 'other'), completed(MARIA)])
  await log.append(publishedSchemas())
  await log.append([
    draftOf(
      { type: 'LeaseRenewed', instanceId: INSTANCE, at: Instant(1), leaseMs: 1, renewal: 1 },
      { id: EventId(uuidv7(3)), key: INSTANCE },
    ),
  ])
  await passed()
  await log.append([refused(MARIA)])
  await passed()
  filledAtMs = Date.now()
  return log
}

/** Waits until the clock shows another time. */
async function passed(): Promise<void> {
  for (const at = Date.now(); Date.now() <= at;) await setImmediate()
}

const requested = (session: string, agent: string): Draft =>
  draftOf(
    {
      type: 'SessionRequested',
      ...{ sessionId: SessionId(session), sequence: 0, previousHash: '', at: Instant(1) },
      ...{ instanceId: INSTANCE, profile: 'shop', agent, clientAddress: '127.0.0.1:1' },
      ...{ applicationName: null, proof: 'sealed', sessionKey: '', signature: null },
    },
    { id: EventId(uuidv7(Date.now())), key: session },
  )

const completed = (session: string): Draft =>
  draftOf(
    {
      type: 'RequestCompleted',
      ...{ sessionId: SessionId(session), sequence: 1, previousHash: 'p', at: Instant(1) },
      ...{ requestId: RequestId(uuidv7(4)), outcome: 'Succeeded', commandTag: POISON },
      ...{ sqlState: null, rows: 1, resultBytes: 10, durationMicros: 100 },
      ...{ transactionStatus: 'Idle', transcriptHead: '', transcriptCount: 0 },
    },
    { id: EventId(uuidv7(Date.now())), key: session },
  )

const refused = (session: string): Draft =>
  draftOf(
    {
      type: 'CountersignatureRefused',
      ...{ sessionId: SessionId(session), at: Instant(1), approvalId: uuidv7(6) },
      ...{ requestId: RequestId(uuidv7(4)), by: 'ana', reason: 'TooLate', detail: POISON },
    },
    { id: EventId(uuidv7(Date.now())), key: session },
  )

const INSTANCE = InstanceId(uuidv7(5))

type Line = Readonly<Record<string, unknown>>

const linesOf = (text: string): Line[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Line => JSON.parse(line))

async function listed(log: Log, options: EventsOptions): Promise<Line[]> {
  return linesOf((await printed(log, options, true)).out)
}

async function printed(log: Log, options: EventsOptions, isJson = false) {
  const written = { out: '', err: '' }
  const told = context(
    (text) => void (written.out += text),
    isJson,
    {},
    (text) => void (written.err += text),
  )
  await events(told, options, async () => kept(log))
  return written
}

async function extracted(log: Log, name: string, options: Partial<ExportOptions> = {}) {
  let out = ''
  const told = context((text) => void (out += text), true)
  const status = await exported(
    told,
    { from: '2020-01-01T00:00:00Z', to: new Date(filledAtMs).toISOString(), out: name, ...options },
    async () => kept(log),
  )
  return { status, out }
}

/** The log for a command: when the command closes it, the log of the test stays open. */
const kept = (log: Log): Log => ({ ...log, [Symbol.asyncDispose]: async () => undefined })

function context(
  out: (text: string) => void,
  isJson: boolean,
  env: Record<string, string> = {},
  err: (text: string) => void = () => undefined,
) {
  const io = {
    out,
    err,
    env,
    workingDirectory: folder,
    isTerminal: false,
    nowMs: Date.now,
    ask: null,
  }
  return contextOf(io, { json: isJson, instance: 'none-such' })
}
