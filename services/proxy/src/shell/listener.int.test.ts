// Seen to fail when bytes behind an SSLRequest are not looked for, when a handler is not guarded, and when the answer to a
// password does not wait.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { after, before, test } from 'node:test'
import { Secret } from '@countersign/kernel'
import { errorFieldsOf, receiveServer, serverSide, toServer } from '@countersign/postgres-wire'
import { type Listening, listening } from './listening.fixture.ts'
import type { SessionTable } from './proxy-context.ts'
import { play, startsFrom } from './starts.fixture.ts'

let served: Listening
const sessions: SessionTable = new Map()
before(async () => {
  served = await listening({ sessions })
})
after(() => served[Symbol.asyncDispose]())

const GSS_ENC_REQUEST = Buffer.from('0000000804d21630', 'hex')
const SSL_REQUEST = toServer.sslRequest()
const STARTUP = toServer.startupMessage(new Map([['user', 'ci-deploy']]))
const PASSWORD = toServer.passwordMessage(new Secret('a.token'))
const CANCEL = toServer.cancelRequest({ processId: 1, secretKey: Buffer.alloc(4) })

async function tcp(port = served.port): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

async function tls(port = served.port): Promise<Socket> {
  const plain = await tcp(port)
  plain.write(SSL_REQUEST)
  await once(plain, 'data')
  const socket = connectTls({ socket: plain, rejectUnauthorized: false })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

/** Sends these bytes, waits for the end of the connection, and gives what the client heard. */
async function heard(socket: Socket, ...chunks: readonly Buffer[]): Promise<string[]> {
  const parts: Buffer[] = []
  socket.on('data', (chunk: Buffer) => parts.push(chunk))
  const closed = once(socket, 'close')
  for (const chunk of chunks) socket.write(chunk)
  await closed
  const bytes = Buffer.concat(parts)
  // The answer to a question for encryption is one byte.
  const answers = /^[SN]*/.exec(bytes.toString('latin1'))?.[0] ?? ''
  const [, frames] = receiveServer(serverSide(), bytes.subarray(answers.length))
  const said = frames.map((frame) => {
    if (frame.tag !== 'E') return frame.tag
    const fields = errorFieldsOf(frame)
    return fields.ok
      ? `${fields.value.get('C')} ${/CS_\w+/.exec(fields.value.get('M') ?? '')}`
      : '?'
  })
  return [...answers, ...said]
}

const VIOLATION = '08C01 CS_PROTOCOL_VIOLATION'

const STARTS: Readonly<Record<string, readonly [Buffer[], string[]]>> = {
  'an SSLRequest and one more byte': [[SSL_REQUEST, Buffer.of(0)], [VIOLATION]],
  'a GSSENCRequest and one more byte': [[GSS_ENC_REQUEST, Buffer.of(0)], [VIOLATION]],
  'an SSLRequest and a StartupMessage': [[SSL_REQUEST, STARTUP], [VIOLATION]],
  'an SSLRequest twice': [[SSL_REQUEST, SSL_REQUEST], [VIOLATION]],
  'an SSLRequest and the beginning of TLS': [[SSL_REQUEST, Buffer.of(0x16, 3, 1)], [VIOLATION]],
  'a GSSENCRequest and an SSLRequest': [[GSS_ENC_REQUEST, SSL_REQUEST], [VIOLATION]],
  'a StartupMessage in clear': [[STARTUP], ['28C06 CS_TLS_REQUIRED']],
  'a StartupMessage and a password in clear': [[STARTUP, PASSWORD], ['28C06 CS_TLS_REQUIRED']],
  'a cancel request': [[CANCEL], []],
  'a cancel request and one more byte': [[CANCEL, Buffer.of(0)], []],
}

for (const [name, [parts, expected]] of Object.entries(STARTS)) {
  test(`${name}, in one packet, gets ${expected.join() || 'no answer'}`, async () => {
    assert.deepEqual(await heard(await tcp(), Buffer.concat(parts)), expected)
    assert.deepEqual(served.lines, [])
  })
}

test('after a GSSENCRequest that was answered another one is a violation', async () => {
  const socket = await tcp()
  socket.write(GSS_ENC_REQUEST)
  const [answer]: unknown[] = await once(socket, 'data')
  assert.equal(String(answer), 'N')
  assert.deepEqual(await heard(socket, GSS_ENC_REQUEST), [VIOLATION])
})

const LOGINS: Readonly<Record<string, readonly [Buffer[], string[]]>> = {
  'a token from nowhere': [
    [STARTUP, PASSWORD],
    ['R', '28C02 CS_AUTH_INVALID'],
  ],
  'a query instead of a password': [
    [STARTUP, toServer.query('select 1')],
    ['R', VIOLATION],
  ],
  'a query behind the password': [
    [STARTUP, PASSWORD, toServer.query('select 1')],
    ['R', VIOLATION],
  ],
  'a second password': [
    [STARTUP, PASSWORD, PASSWORD],
    ['R', VIOLATION],
  ],
  'one byte that is no message behind the password': [
    [STARTUP, PASSWORD, Buffer.from('?\0\0\0\x04')],
    ['R', VIOLATION],
  ],
  'goodbye behind the password': [
    [STARTUP, PASSWORD, toServer.terminate()],
    ['R', '28C01 CS_AUTH_REQUIRED'],
  ],
  'a password of two strings': [
    [STARTUP, Buffer.from('p\0\0\0\x08a\0b\0')],
    ['R', '28C01 CS_AUTH_REQUIRED'],
  ],
}

test('a login that a limit refuses names the limit and its knob', async () => {
  await using full = await listening({}, { CS_SESSIONS_MAX: 0, CS_LOGIN_LIMIT_MS: 5_000 })
  const [many] = await wordsOf(await tls(full.port), STARTUP)
  assert.match(many ?? '', /holds 0 sessions.*CS_SESSIONS_MAX.*\(CS_SESSION_LIMIT\)/)
  await using hasty = await listening({}, { CS_LOGIN_LIMIT_MS: 200 })
  const [late] = await wordsOf(await tls(hasty.port), STARTUP)
  assert.match(late ?? '', /within 200 ms.*CS_LOGIN_LIMIT_MS.*\(CS_AUTH_REQUIRED\)/)
})

/** The messages of the errors that a client hears before the end. */
async function wordsOf(socket: Socket, bytes: Buffer): Promise<string[]> {
  const parts: Buffer[] = []
  socket.on('data', (chunk: Buffer) => parts.push(chunk))
  const closed = once(socket, 'close')
  socket.write(bytes)
  await closed
  const [, frames] = receiveServer(serverSide(), Buffer.concat(parts))
  return frames.flatMap((frame) => {
    const fields = frame.tag === 'E' ? errorFieldsOf(frame) : null
    return fields?.ok === true ? [fields.value.get('M') ?? ''] : []
  })
}

for (const [name, [parts, expected]] of Object.entries(LOGINS)) {
  test(`inside TLS ${name} gets ${expected.at(-1)}`, async () => {
    assert.deepEqual(await heard(await tls(), Buffer.concat(parts)), expected)
    assert.deepEqual(served.lines, [])
  })
}

test(
  'both ends of a connection are probed after 30 s of silence',
  { skip: !isLinux() },
  async () => {
    const socket = await tcp()
    const [before = 0] = await keepAliveTimersMs(served.port)
    assert.ok(before > 25_000 && before <= 30_000, `the timer is at ${before} ms`)
    socket.destroy()
  },
)

test('a fault in a handler ends its connection, is logged, and nobody else notices', async () => {
  const broken: SessionTable = new Map()
  broken.values = () => {
    throw new Error('broken')
  }
  await using other = await listening({ sessions: broken })
  const socket = connectTcp({ port: other.port, host: '127.0.0.1' })
  assert.deepEqual(await heard(socket, CANCEL), [])
  assert.deepEqual(
    other.lines.map(({ where, message }) => [where, message]),
    [['first bytes', 'a fault was caught']],
  )
  const next = connectTcp({ port: other.port, host: '127.0.0.1' })
  assert.deepEqual(await heard(next, STARTUP), ['28C06 CS_TLS_REQUIRED'])
})

test('two hundred nonsense logins are a handful of events, and slow each other down', async () => {
  await using other = await listening()
  const nonsense = async (): Promise<string[]> => {
    const plain = connectTcp({ port: other.port, host: '127.0.0.1', noDelay: true })
    plain.on('error', () => undefined)
    await once(plain, 'connect')
    plain.write(SSL_REQUEST)
    await once(plain, 'data')
    const socket = connectTls({ socket: plain, rejectUnauthorized: false })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return heard(socket, STARTUP, PASSWORD)
  }
  for (let round = 0; round < 12; round++) await nonsense()
  const beganMs = performance.now()
  const answers = await Promise.all(Array.from({ length: 188 }, nonsense))
  assert.ok(performance.now() - beganMs > 50)
  assert.ok(answers.every((answer) => /CS_AUTH_INVALID|CS_SESSION_LIMIT/.test(answer.at(-1) ?? '')))
  await other.logins.tell()
  const refused = other.log
    .records('sessions')
    .flatMap((record) =>
      record.status === 'understood' && record.message.type === 'SessionRefused'
        ? [record.message]
        : [],
    )
  assert.equal(refused.length, 6)
  assert.equal(
    refused.reduce((sum, { logins }) => sum + logins, 0),
    200,
  )
})

test('random and mutated starts leave no fault and no session behind', async () => {
  const seed = Number(process.env['CS_FUZZ_SEED'] ?? Date.now() % 2 ** 31)
  const starts = startsFrom(seed)
  let played = 0
  // A machine that is busy plays fewer of them; e2e/long plays 100,000.
  const until = performance.now() + FUZZ_MS_MAX
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      while (played < PLAYED_MAX && (played < PLAYED_MIN || performance.now() < until)) {
        played++
        const { value } = await starts.next()
        if (value !== undefined) await play(served.port, value)
      }
    }),
  )
  assert.deepEqual(served.lines, [], `CS_FUZZ_SEED=${seed}`)
  assert.deepEqual(await heard(await tls(), STARTUP, PASSWORD), ['R', '28C02 CS_AUTH_INVALID'])
  assert.equal(sessions.size, 0)
})

const PLAYED_MIN = 100
const PLAYED_MAX = 2_000
const FUZZ_MS_MAX = 8_000

function isLinux(): boolean {
  return process.platform === 'linux'
}

/** The time left on the keepalive timers of the accepted connections, in ms; Linux gives hundredths of a second. */
async function keepAliveTimersMs(port: number): Promise<number[]> {
  const local = port.toString(16).toUpperCase().padStart(4, '0')
  return readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, address, , state]) => address?.endsWith(`:${local}`) === true && state === '01')
    .map((fields) => /^02:([0-9A-F]{8})$/.exec(fields[5] ?? '')?.[1])
    .flatMap((ticks) => (ticks === undefined ? [] : [parseInt(ticks, 16) * 10]))
}
