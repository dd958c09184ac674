// Seen to fail when `recordOf` in libs/log/src/envelope.ts throws instead of giving an unreadable record; the tests of what
// is put aside and of the session that ends when `hear` in services/proxy/src/shell/lanes.ts returns where one comes; that
// of the protocol options when `openSession` in services/proxy/src/shell/open-session.ts looks at the minor version alone;
// the test of a later version when `learned` in libs/log/src/schemas.ts says no.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { codecOf, SCHEMAS } from '@countersign/contracts'
import { connectKafkaLog, formatPosition, type Position } from '@countersign/log'
import { writeForeign } from '@countersign/log/foreign-writer'
import { published } from '@countersign/log/provision'
import { Instant, Secret, SessionId, uuidv7 } from '@countersign/kernel'
import { ROOT, topologies } from '@countersign/local'
import { toClient } from '@countersign/postgres-wire'
import { psql, startPsql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { connectAs, eventsOf, eventually, newestSession, observe } from '../support/ledger.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { frames, loginBytes, only, openTls, told } from '../support/wire.ts'

const system = await arena('bad-input')
await using log = await observe(system)

/** A target without TLS: it answers N to the SSLRequest, and would go on in clear. */
const withoutTls = createServer((socket) => socket.on('data', () => socket.write('N')))
await new Promise<void>((resolve) => withoutTls.listen(0, '127.0.0.1', resolve))
after(() => withoutTls.close())
const address = withoutTls.address()
const plainPort = typeof address === 'object' ? (address?.port ?? 0) : 0

const WRONG_TARGETS = {
  'an unreachable target': { port: 1, says: /could not be reached|not reachable|ECONNREFUSED/ },
  'a target without TLS': { port: plainPort, says: /TLS|SSL/ },
}

for (const [what, { port, says }] of Object.entries(WRONG_TARGETS)) {
  test(`${what} is named, with a code, and the other targets are as before`, async () => {
    await applyCatalog(system, (name, text) =>
      name === 'profiles.yaml'
        ? text.replace(/(name: shop-staging[\s\S]*?port: )\S+/, `$1${port}`)
        : text,
    )
    const run = await psql(system, { profile: 'shop-staging', commands: ['select 1'] })
    assert.notEqual(run.status, 0)
    assert.match(run.stderr, /CS_(TARGET|CREDENTIAL)_[A-Z_]+/)
    assert.match(run.stderr, says)
    assert.match(run.stderr, /HINT|next|Check|Switch/)
    const other = await psql(system, { profile: 'shop-dev', commands: ['select 40 + 2'] })
    assert.match(other.stdout, /42/, other.stderr)
  })
}

/** A message type for each topic of sessions or proxies. Not `catalog` and `keys`: a service that cannot read those stops. */
const TYPES = {
  sessions: 'SessionEnded',
  transcript: 'TranscriptRecorded',
  decisions: 'RequestAllowed',
  approvals: 'ApprovalGranted',
  credentials: 'CredentialRevoked',
  masking: 'MaskingPlanned',
  reviews: 'Countersign',
  leases: 'LeaseRenewed',
}
type Topic = keyof typeof TYPES
const TOPICS = Object.keys(TYPES).filter((topic): topic is Topic => topic in TYPES)

const UNREADABLE = {
  'a corrupt Avro record': (topic: Topic) => ({
    type: TYPES[topic],
    value: Buffer.from('this is no Avro'),
  }),
  'a message from the future': () => ({ type: 'Teleported', value: Buffer.from([2, 4, 6]) }),
}

const readers = await topologies()

for (const [what, recordOf] of Object.entries(UNREADABLE)) {
  test(`${what} is put aside by everyone who reads its topic, and nothing stops`, async () => {
    for (const topic of TOPICS) {
      const position = await writeUnreadable(topic, uuidv7(Date.now()), recordOf(topic))
      for (const { service } of readers.filter(({ reads }) => reads.includes(topic)))
        await putAsideBy(service, position)
    }
    for (const service of system.services) {
      const ready = await fetch(`http://127.0.0.1:${service.healthPort}/readyz`)
      assert.equal(ready.status, 200, service.name)
    }
    const run = await psql(system, { profile: 'shop-dev', commands: ['select 40 + 2'] })
    assert.match(run.stdout, /42/, run.stderr)
  })
}

test('what a later version wrote with a compatible schema is understood by everyone who reads it', async () => {
  const { schema } = SCHEMAS.SessionEnded
  const more = { name: 'words', type: 'string', default: '', doc: 'Words.' }
  const { type, fingerprint } = codecOf({ ...schema, fields: [...schema.fields, more] })
  const ended = {
    type: 'SessionEnded',
    sessionId: SessionId(uuidv7(Date.now())),
    sequence: 0,
    previousHash: '',
    at: Instant(Date.now() * 1_000),
    reason: 'ClientTerminated',
    code: null,
    requestCount: 0,
    transcriptHead: '',
    transcriptCount: 0,
    inDoubt: [],
  } as const
  // Provisioning publishes the new schema first, while the services of this version go on.
  {
    await using provisioning = await connectAs(system, 'admin')
    const later = { ...schema, fields: [...schema.fields, more] }
    await provisioning.append([published('SessionEnded', fingerprint, later)])
  }
  const value = type.toBuffer({ ...ended, words: 'goodbye' })
  const write = (print: string) =>
    writeUnreadable('sessions', ended.sessionId, { type: 'SessionEnded', value }, print)
  const understood = await write(fingerprint)
  const another = await write('0123456789abcdef')
  for (const { service } of readers.filter(({ reads }) => reads.includes('sessions'))) {
    await putAsideBy(service, another)
    const rejected = await eventsOf(log, `${service}.rejected`, 'MessageRejected')
    const isAside = rejected.some(
      (one) =>
        formatPosition(one) === formatPosition(understood) && one.code === 'CS_MESSAGE_UNREADABLE',
    )
    assert.equal(isAside, false, service)
  }
})

test('a session does not go on when something that was said about it cannot be read', async (t) => {
  const running = await startPsql(system, { profile: 'shop-dev' })
  t.after(() => running.signal('SIGKILL'))
  running.type("select 'open';")
  await running.says(/open/)
  const sessionId = await newestSession(log)
  const record = UNREADABLE['a corrupt Avro record']('credentials')
  const position = await writeUnreadable('credentials', sessionId, record)
  await putAsideBy('proxy', position)
  running.type('select 40 + 2;')
  await running.says(/CS_MESSAGE_UNREADABLE/)
  await running.finish()
  const ended = await eventually('the end of the session', async () =>
    (await eventsOf(log, 'sessions', 'SessionEnded')).find((one) => one.sessionId === sessionId),
  )
  assert.equal(ended.code, 'CS_MESSAGE_UNREADABLE')
  await eventually('the end of its credential', async () =>
    (await eventsOf(log, 'credentials', 'CredentialRevoked')).find(
      (one) => one.sessionId === sessionId,
    ),
  )
})

async function writeUnreadable(
  topic: Topic,
  key: string,
  { type, value }: { type: string; value: Buffer },
  fingerprint = '0123456789abcdef',
): Promise<Position> {
  const login = { brokers: system.brokers, ...system.kafkaLogin('admin') }
  const headers = {
    'content-type': 'application/avro',
    ce_specversion: '1.0',
    ce_id: uuidv7(Date.now()),
    ce_type: `countersign.${topic}.${type}`,
    ce_source: 'somebody',
    ce_dataschema: `countersign:${fingerprint}`,
  }
  return { topic, ...(await writeForeign(login, { topic, key, headers, value })) }
}

async function putAsideBy(service: string, position: Position): Promise<void> {
  await eventually(`${service} putting ${formatPosition(position)} aside`, async () =>
    (await eventsOf(log, `${service}.rejected`, 'MessageRejected')).some(
      (one) =>
        formatPosition(one) === formatPosition(position) && one.code === 'CS_MESSAGE_UNREADABLE',
    ),
  )
}

test('a client that asks for more than there is is told which version and options it gets', async () => {
  for (const [minor, options] of [
    [0, ['_pq_.future']],
    [2, ['_pq_.future', '_pq_.other']],
    [3, []],
    [9999, ['_pq_.future']],
  ] as const) {
    const socket = await openTls(system)
    const [startup, password] = await loginBytes(system, 'shop-dev', {
      startup: options.map((name) => [name, 'on']),
    })
    startup.writeUInt16BE(minor, MINOR_OFFSET)
    const heard = frames(socket)
    socket.write(startup)
    const negotiated = only(await heard.until('R'), 'v')
    assert.deepEqual(negotiated.raw, toClient.negotiateProtocolVersion(Math.min(minor, 2), options))
    socket.write(password)
    assert.ok(told(await heard.until('Z')).includes('ready I'))
    socket.destroy()
  }
})

test('a service whose port is in use says so in one line, with the next step, and ends', async () => {
  const env = Object.fromEntries(
    readFileSync(join(system.instance.dir, 'console.env'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => [
        line.slice(0, line.indexOf('=')),
        unquoted(line.slice(line.indexOf('=') + 1)),
      ]),
  )
  const { status, stderr } = await ran(join(ROOT, 'services/console/src/main.ts'), env)
  assert.equal(status, 1)
  assert.match(stderr, /CS_[A-Z_]+: .*\d+.* in use/)
  assert.match(stderr, /next: /)
})

test('a service without its settings names all of them at once, and what to set', async () => {
  const { status, stderr } = await ran(join(ROOT, 'services/policy/src/main.ts'), {})
  assert.equal(status, 1)
  assert.match(stderr, /KAFKA_BROKERS: is missing/)
  assert.match(stderr, /KAFKA_USERNAME|CS_OIDC_ISSUER/)
  assert.match(stderr, /set it to/)
})

test('a Kafka user whose password is wrong is told so', async () => {
  await assert.rejects(
    connectKafkaLog({
      brokers: [system.brokers],
      clientId: 'policy',
      username: 'policy',
      password: new Secret('wrong'),
    }),
    /policy|authenticat/i,
  )
})

/** The offset of the minor version in a StartupMessage, in bytes: behind the length and the major version. */
const MINOR_OFFSET = 6

function ran(
  file: string,
  env: Readonly<Record<string, string>>,
): Promise<{ status: number; stderr: string }> {
  const options = { env: { PATH: process.env['PATH'], ...env }, timeout: 20_000 }
  return new Promise((resolve) => {
    execFile(process.execPath, [file], options, (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : Number(error.code), stderr: stderr + stdout }),
    )
  })
}

const unquoted = (text: string): string => text.replace(/^(["'])([\s\S]*)\1$/, '$2')
