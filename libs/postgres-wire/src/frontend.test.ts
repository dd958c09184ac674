import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { serialize } from 'pg-protocol'
import { Secret } from '@countersign/kernel'
import {
  answered,
  authenticated,
  type ClientMessage,
  cleartextPassword,
  type Frontend,
  frontend,
  FRONTEND_LIMITS,
  opensWithTls,
  receive,
  toServer,
  type Violation,
} from './index.ts'

const STARTUP = toServer.startupMessage(
  new Map([
    ['user', 'ci-deploy'],
    ['database', 'shop-prod'],
  ]),
)

const GSS_ENC_REQUEST = Buffer.from('0000000804d21630', 'hex')

/** Every phase, in the order in which a connection goes through them. */
const PHASES = Object.keys({
  startup: 1,
  asked: 1,
  declined: 1,
  secured: 1,
  authenticating: 1,
  verifying: 1,
  ready: 1,
  closed: 1,
  broken: 1,
} satisfies Record<Frontend['phase'], 1>) as Frontend['phase'][]

const ready = (): Frontend => ({ ...frontend(), phase: 'ready' })

const only = (engine: Frontend, bytes: Uint8Array): ClientMessage | Violation => {
  const [, messages] = receive(engine, bytes)
  assert.equal(messages.length, 1)
  const [message] = messages
  assert(message)
  return message
}

const reasonOf = (engine: Frontend, bytes: Uint8Array): string => {
  const message = only(engine, bytes)
  assert.equal(message.tag, 'Violation')
  return message.tag === 'Violation' ? message.reason : ''
}

const EVERY_REQUEST: Readonly<Record<string, { bytes: Buffer; fields: object }>> = {
  'a simple query': {
    bytes: toServer.query('select 1'),
    fields: { tag: 'Query', text: Buffer.from('select 1'), sql: 'select 1' },
  },
  'a query in another script': {
    bytes: serialize.query("select 'Grüße 🐘'"),
    fields: {
      tag: 'Query',
      text: Buffer.from("select 'Grüße 🐘'"),
      sql: "select 'Grüße 🐘'",
    },
  },
  'a statement with types, an OID above 2^31 among them': {
    bytes: toServer.parse('s1', 'select $1, $2', [23, 4_000_000_000]),
    fields: {
      tag: 'Parse',
      name: 's1',
      text: Buffer.from('select $1, $2'),
      sql: 'select $1, $2',
      parameterTypes: [23, 4_000_000_000],
    },
  },
  'values, NULL, and binary formats': {
    bytes: toServer.bind({
      portal: 'p',
      statement: 's1',
      formats: [0, 1, 0],
      values: [Buffer.from('7'), Buffer.from([0, 255]), null],
      resultFormats: [1],
    }),
    fields: {
      tag: 'Bind',
      portal: 'p',
      statement: 's1',
      formats: [0, 1, 0],
      values: [Buffer.from('7'), Buffer.from([0, 255]), null],
      resultFormats: [1],
    },
  },
  'values as node-postgres writes them': {
    bytes: serialize.bind({ statement: 's', values: ['a', null, Buffer.from([1])] }),
    fields: {
      tag: 'Bind',
      portal: '',
      statement: 's',
      formats: [0, 0, 1],
      values: [Buffer.from('a'), null, Buffer.from([1])],
      resultFormats: [0],
    },
  },
  'describe a statement': {
    bytes: serialize.describe({ type: 'S', name: 's1' }),
    fields: { tag: 'Describe', kind: 'statement', name: 's1' },
  },
  'describe a portal': {
    bytes: toServer.describe('portal'),
    fields: { tag: 'Describe', kind: 'portal', name: '' },
  },
  'close a portal': {
    bytes: serialize.close({ type: 'P', name: 'p' }),
    fields: { tag: 'Close', kind: 'portal', name: 'p' },
  },
  'run a portal for some rows': {
    bytes: serialize.execute({ portal: 'p', rows: 50 }),
    fields: { tag: 'Execute', portal: 'p', maxRows: 50 },
  },
  sync: { bytes: serialize.sync(), fields: { tag: 'Sync' } },
  flush: { bytes: serialize.flush(), fields: { tag: 'Flush' } },
  'copied data': {
    bytes: serialize.copyData(Buffer.from('1\tana\n')),
    fields: { tag: 'CopyData', data: Buffer.from('1\tana\n') },
  },
  'the end of a copy': { bytes: serialize.copyDone(), fields: { tag: 'CopyDone' } },
  'the failure of a copy': {
    bytes: serialize.copyFail('no more'),
    fields: { tag: 'CopyFail', reason: 'no more', fault: null },
  },
  'a function call': {
    bytes: Buffer.from([0x46, 0, 0, 0, 6, 1, 2]),
    fields: { tag: 'FunctionCall' },
  },
  goodbye: { bytes: serialize.end(), fields: { tag: 'Terminate' } },
}

for (const [name, { bytes, fields }] of Object.entries(EVERY_REQUEST)) {
  test(`an authenticated client may send ${name}`, () => {
    const message = only(ready(), bytes)
    const expected = { ...fields, raw: bytes }
    // The lists of a Bind are no properties of its own.
    const found = Object.keys(expected).map((key): unknown => Reflect.get(message, key))
    assert.deepEqual(found, Object.values(expected))
  })
}

test('our encoders write what pg-protocol writes', () => {
  assert.deepEqual(toServer.query('select 1'), serialize.query('select 1'))
  assert.deepEqual(
    toServer.parse('s', 'select $1', [25]),
    serialize.parse({ name: 's', text: 'select $1', types: [25] }),
  )
  assert.deepEqual(toServer.execute('p', 9), serialize.execute({ portal: 'p', rows: 9 }))
  assert.deepEqual(
    toServer.describe('statement', 's'),
    serialize.describe({ type: 'S', name: 's' }),
  )
  assert.deepEqual(toServer.close('portal', 'p'), serialize.close({ type: 'P', name: 'p' }))
  assert.deepEqual(toServer.sslRequest(), serialize.requestSsl())
  assert.deepEqual(toServer.passwordMessage(new Secret('x')), serialize.password('x'))
  assert.deepEqual(
    toServer.saslInitialResponse('SCRAM-SHA-256', 'n,,n=,r=x'),
    serialize.sendSASLInitialResponseMessage('SCRAM-SHA-256', 'n,,n=,r=x'),
  )
  assert.deepEqual(toServer.saslResponse('c='), serialize.sendSCRAMClientFinalMessage('c='))
  const secretKey = Buffer.from([0, 0, 0, 9])
  assert.deepEqual(toServer.cancelRequest({ processId: 7, secretKey }), serialize.cancel(7, 9))
  assert.deepEqual(
    [toServer.sync(), toServer.flush(), toServer.terminate()],
    [serialize.sync(), serialize.flush(), serialize.end()],
  )
  assert.deepEqual(toServer.copyFail('why'), serialize.copyFail('why'))
})

test('an encoder refuses a zero inside a string instead of writing two strings', () => {
  assert.throws(() => toServer.query('select 1\0select 2'), assert.AssertionError)
})

test('a client asks for TLS, says who it is, gives a token, and may then send requests', () => {
  const [asked, first] = receive(frontend(), toServer.sslRequest())
  assert.deepEqual(first, [{ tag: 'SslRequest', raw: toServer.sslRequest() }])
  const [started, second] = receive(answered(asked, 'S'), STARTUP)
  assert.deepEqual(second, [
    {
      tag: 'Startup',
      raw: STARTUP,
      major: 3,
      minor: 0,
      parameters: new Map([
        ['user', 'ci-deploy'],
        ['database', 'shop-prod'],
      ]),
    },
  ])
  const [proved, third] = receive(started, toServer.passwordMessage(new Secret('a.token')))
  const [password] = third
  assert(password?.tag === 'Password')
  assert.equal(cleartextPassword(password)?.expose(), 'a.token')
  assert.doesNotMatch(JSON.stringify(password), /a\.token/)
  const [, fourth] = receive(authenticated(proved), toServer.query('select 1'))
  assert.equal(fourth[0]?.tag, 'Query')
})

test('bytes that come with the question for TLS are never read as if they came out of it', () => {
  const stuffed = Buffer.concat([toServer.sslRequest(), STARTUP])
  const [engine, messages] = receive(frontend(), stuffed)
  assert.deepEqual(
    messages.map((message) => message.tag),
    ['SslRequest', 'Violation'],
  )
  assert.equal(engine.phase, 'broken')
})

test('after a refused encryption the client may ask for another, and inside TLS it may not', () => {
  const [asked, first] = receive(frontend(), GSS_ENC_REQUEST)
  assert.equal(first[0]?.tag, 'GssEncRequest')
  assert.equal(only(answered(asked, 'N'), toServer.sslRequest()).tag, 'SslRequest')
  assert.equal(reasonOf(answered(asked, 'N'), GSS_ENC_REQUEST), 'NotLegalHere')
  assert.equal(reasonOf(answered(asked, 'S'), toServer.sslRequest()), 'NotLegalHere')
  assert.equal(only(frontend(FRONTEND_LIMITS, 'secured'), STARTUP).tag, 'Startup')
})

test('a cancel request has a key of 4 to 256 bytes', () => {
  for (const size of [4, 32, 256]) {
    const secretKey = Buffer.alloc(size, 7)
    const raw = toServer.cancelRequest({ processId: -5, secretKey })
    assert.deepEqual(only(frontend(), raw), { tag: 'Cancel', raw, processId: -5, secretKey })
  }
  for (const size of [0, 3, 257]) {
    const raw = toServer.cancelRequest({ processId: 1, secretKey: Buffer.alloc(size) })
    assert.equal(reasonOf(frontend(), raw), 'Malformed')
  }
})

test('a password that is not one text with one zero at its end is no password', () => {
  for (const body of ['', 'no zero', 'two\0zeros\0', '\xff\0']) {
    const bytes = Buffer.from(body, 'latin1')
    assert.equal(cleartextPassword({ tag: 'Password', body: new Secret(bytes) }), null)
  }
})

test('a statement that is not UTF-8 has bytes and no text', () => {
  const raw = Buffer.from([0x51, 0, 0, 0, 6, 0xff, 0])
  assert.deepEqual(only(ready(), raw), { tag: 'Query', raw, text: Buffer.from([0xff]), sql: null })
})

const VIOLATIONS: Readonly<Record<string, readonly [() => Frontend, Buffer, string]>> = {
  'a request before authentication': [
    () => ({ ...frontend(), phase: 'authenticating' }),
    toServer.query('x'),
    'NotLegalHere',
  ],
  'a password after authentication': [ready, serialize.password('x'), 'NotLegalHere'],
  'a letter that does not exist': [ready, Buffer.from('?\0\0\0\x04', 'latin1'), 'UnknownMessage'],
  'a length below the header': [ready, Buffer.from('Q\0\0\0\x03', 'latin1'), 'FrameTooSmall'],
  'a length of 4 GiB, before its body': [
    ready,
    Buffer.from('Q\xff\xff\xff\xff', 'latin1'),
    'FrameTooLarge',
  ],
  'a sync of 1 MiB, before its body': [
    ready,
    Buffer.from('S\0\x10\0\0', 'latin1'),
    'FrameTooLarge',
  ],
  'a startup packet of 10,001 bytes': [frontend, Buffer.from([0, 0, 0x27, 0x11]), 'FrameTooLarge'],
  'a TLS handshake where a packet should be': [
    frontend,
    Buffer.from([0x16, 3, 1, 2, 0]),
    'FrameTooLarge',
  ],
  'a startup packet of 7 bytes': [frontend, Buffer.from([0, 0, 0, 7]), 'FrameTooSmall'],
  'protocol 2': [frontend, Buffer.from([0, 0, 0, 8, 0, 2, 0, 0]), 'UnsupportedProtocol'],
  'a parameter that is given twice': [
    frontend,
    Buffer.from('\0\0\0\x11\0\x03\0\0a\0b\0a\0c\0\0', 'latin1'),
    'Malformed',
  ],
  'bytes after the parameters': [
    frontend,
    Buffer.from('\0\0\0\x0a\0\x03\0\0\0x', 'latin1'),
    'Malformed',
  ],
}

for (const [name, [engine, bytes, reason]] of Object.entries(VIOLATIONS)) {
  test(`${name} is a violation, and nothing is read after it`, () => {
    const [broken, messages] = receive(engine(), bytes)
    assert.deepEqual(
      messages.map((m) => (m.tag === 'Violation' ? m.reason : m.tag)),
      [reason],
    )
    assert.deepEqual(receive(broken, toServer.query('select 1'))[1], [])
  })
}

const latin1 = (frame: string): Buffer => Buffer.from(frame, 'latin1')
const NO_STRING = '08P01 invalid string in message'
const TOO_FEW = '08P01 insufficient data left in message'
const BYTES_LEFT = '08P01 invalid message format'
const notUtf8 = (hex: string): string => `22021 invalid byte sequence for encoding "UTF8": ${hex}`

const MALFORMED: Readonly<Record<string, readonly [bytes: Buffer, fault: string]>> = {
  'a query without its zero': [latin1('Q\0\0\0\x05x'), NO_STRING],
  'a query with a second string': [latin1('Q\0\0\0\x08x\0y\0'), BYTES_LEFT],
  'a query that is no UTF-8, with a second string': [
    latin1('Q\0\0\0\x08\xff\0y\0'),
    notUtf8('0xff'),
  ],
  'a parse without its types': [latin1('P\0\0\0\x07\0x\0'), TOO_FEW],
  'a parse that is no UTF-8, without its types': [latin1('P\0\0\0\x07\0\xe9\0'), notUtf8('0xe9')],
  'a sync with a body': [latin1('S\0\0\0\x05x'), BYTES_LEFT],
  'a flush with a body': [latin1('H\0\0\0\x05x'), BYTES_LEFT],
  'a describe of nothing': [latin1('D\0\0\0\x04'), '08P01 no data left in message'],
  'a describe of neither kind': [
    latin1('D\0\0\0\x06X\0'),
    '08P01 invalid DESCRIBE message subtype 88',
  ],
  'a close of neither kind': [
    latin1('C\0\0\0\x06\xff\0'),
    '08P01 invalid CLOSE message subtype 255',
  ],
  'a name that is not UTF-8': [latin1('D\0\0\0\x07S\xff\0'), notUtf8('0xff')],
  'an execute without rows': [latin1('E\0\0\0\x05\0'), TOO_FEW],
  'a bind that promises more values than it has': [latin1('B\0\0\0\x0a\0\0\0\0\xff\xff'), TOO_FEW],
  'a value of a negative length': [
    latin1('B\0\0\0\x10\0\0\0\0\0\x01\xff\xff\xff\xfe\0\0'),
    TOO_FEW,
  ],
}

for (const [name, [bytes, fault]] of Object.entries(MALFORMED))
  test(`${name} is malformed, keeps no bytes, and ends nothing`, () => {
    const [engine, messages] = receive(ready(), bytes)
    const [message, ...behind] = messages
    assert(message?.tag === 'Malformed')
    assert.deepEqual(
      [`${message.fault.code} ${message.fault.message}`, message.raw.length],
      [fault, 0],
    )
    // A Sync ends the skipping whatever its body is.
    assert.deepEqual(
      behind.map(({ tag }) => tag),
      message.of === 'Sync' ? ['Sync'] : [],
    )
    assert.equal(only(engine, toServer.query('select 1')).tag, 'Query')
  })

test('a malformed bind tells its statement, which is looked for before the rest is read', () => {
  for (const [body, statement] of [
    ['p\0s\0', 's'],
    ['p\0s', null],
    ['p\0\xff\0', null],
    ['\xff\0s\0', null],
  ] as const) {
    const message = only(ready(), latin1(`B\0\0\0${String.fromCharCode(4 + body.length)}${body}`))
    assert(message.tag === 'Malformed')
    assert.equal(message.statement, statement)
  }
})

test('the end of a copy and goodbye have no body that counts', () => {
  for (const [bytes, fault] of [
    [latin1('c\0\0\0\x05x'), undefined],
    [latin1('f\0\0\0\x05x'), NO_STRING],
    [latin1('f\0\0\0\x07\xff\0x'), notUtf8('0xff')],
    [latin1('f\0\0\0\x06\0x'), null],
    [latin1('X\0\0\0\x05x'), undefined],
  ] as const) {
    const message = only(ready(), bytes)
    assert.equal(
      { c: 'CopyDone', f: 'CopyFail', X: 'Terminate' }[bytes.toString('latin1', 0, 1)],
      message.tag,
    )
    const found = message.tag === 'CopyFail' ? message.fault : undefined
    assert.equal(found && `${found.code} ${found.message}`, fault)
  }
})

test('names are the same where their first 63 bytes are, and are written so that the server cuts them alike', () => {
  const character = fc.oneof(
    fc.constantFrom(
      'n',
      'é',
      'à',
      '€',
      '\u0800',
      '\u1000',
      '\ud7ff',
      '🐘',
      '\u{10000}',
      '\u{10ffff}',
    ),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).filter((one) => one !== '\0'),
  )
  const long = fc.array(character, { minLength: 10, maxLength: 80 }).map((all) => all.join(''))
  const near = fc
    .tuple(long, long, fc.nat(64))
    .map(([a, b, at]) => [a, a.slice(0, at) + b] as const)
  const nameOf = (name: string): string => {
    const message = only(ready(), toServer.parse(name, 'select 1'))
    assert(message.tag === 'Parse')
    return message.name
  }
  const cut = (name: string): string => Buffer.from(name).toString('latin1', 0, 63)
  fc.assert(
    fc.property(near, ([one, other]) => {
      assert.equal(nameOf(one) === nameOf(other), cut(one) === cut(other))
      assert.equal(cut(nameOf(one)), cut(one))
      assert(Buffer.byteLength(nameOf(one)) <= 66)
      // It is written again as it was read.
      assert.equal(nameOf(nameOf(one)), nameOf(one))
    }),
    { numRuns: 2_000 },
  )
})

test('after goodbye nothing is read', () => {
  const bytes = Buffer.concat([toServer.terminate(), toServer.query('select 1')])
  const [engine, messages] = receive(ready(), bytes)
  assert.deepEqual(
    [engine.phase, messages.map((message) => message.tag)],
    ['closed', ['Terminate']],
  )
})

test('a connection that begins with TLS is recognised by its first byte', () => {
  assert(opensWithTls(0x16))
  assert(!opensWithTls(STARTUP.readUInt8(0)))
})

const requests = fc.array(
  fc.constantFrom(
    ...Object.values(EVERY_REQUEST)
      .map(({ bytes }) => bytes)
      .filter((bytes) => bytes[0] !== 0x58),
  ),
  { maxLength: 12 },
)

/** The messages, and the last phase, when the bytes arrive in pieces of these sizes. */
function inPieces(engine: Frontend, bytes: Buffer, sizes: readonly number[]) {
  const messages: (ClientMessage | Violation)[] = []
  let current = engine
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = Math.max(1, sizes[index % Math.max(1, sizes.length)] ?? bytes.length)
    const [next, some] = receive(current, Buffer.from(bytes.subarray(at, at + size)))
    messages.push(...some)
    current = next
    at += size
  }
  return { messages, phase: current.phase }
}

test('splitting the bytes anywhere gives the same messages', () => {
  fc.assert(
    fc.property(requests, fc.array(fc.integer({ min: 1, max: 40 })), (frames, sizes) => {
      const bytes = Buffer.concat(frames)
      const whole = inPieces(ready(), bytes, [])
      assert.equal(whole.messages.length, frames.length)
      assert.deepEqual(inPieces(ready(), bytes, sizes), whole)
    }),
  )
})

test('any bytes in any pieces end in the same messages and violations, and never throw', () => {
  const letters = fc.constantFrom(...Buffer.from('QPBDECSHdcfFXp?'))
  const framed = fc
    .tuple(letters, fc.uint8Array({ maxLength: 40 }))
    .map(([letter, body]) => Buffer.from([letter, 0, 0, 0, 4 + body.length, ...body]))
  const anything = fc.oneof(framed, fc.uint8Array({ maxLength: 60 }))
  fc.assert(
    fc.property(
      fc.constantFrom<Frontend['phase']>(...PHASES),
      fc.array(anything),
      fc.array(fc.integer({ min: 1, max: 9 })),
      (phase, parts, sizes) => {
        const engine: Frontend = { ...frontend(), phase }
        const bytes = Buffer.concat(parts)
        const printed = ({ messages }: ReturnType<typeof inPieces>): unknown =>
          messages.map((m) => (m.tag === 'Password' ? m.body.expose() : m))
        assert.deepEqual(
          printed(inPieces(engine, bytes, sizes)),
          printed(inPieces(engine, bytes, [])),
        )
      },
    ),
    { numRuns: 500 },
  )
})

test('whatever a client sends, and however it is answered, no answer throws', () => {
  const sent = fc.constantFrom(
    toServer.sslRequest(),
    GSS_ENC_REQUEST,
    STARTUP,
    toServer.passwordMessage(new Secret('a.token')),
    toServer.cancelRequest({ processId: 1, secretKey: Buffer.alloc(4) }),
    toServer.terminate(),
    toServer.sync(),
    Buffer.of(0),
  )
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.array(sent, { minLength: 1, maxLength: 3 }).map(Buffer.concat) },
    { weight: 1, arbitrary: fc.constantFrom('S', 'N', 'in') },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      let engine = frontend()
      for (const one of steps) {
        const before = engine
        if (typeof one !== 'string') [engine] = receive(engine, one)
        else if (one === 'in') engine = authenticated(engine)
        else engine = answered(engine, one === 'S' ? 'S' : 'N')
        // A client that broke the protocol, or that left, is not let in again.
        if (before.phase === 'broken' || before.phase === 'closed')
          assert.equal(engine.phase, before.phase)
        if (engine.phase === 'ready' && before.phase !== 'ready')
          assert.equal(before.phase, 'verifying')
      }
    }),
    { numRuns: 2_000 },
  )
})

const BEHIND: Readonly<Record<string, readonly [Buffer, Frontend['phase']]>> = {
  'the question for TLS': [toServer.sslRequest(), 'asked'],
  'the question for GSS': [GSS_ENC_REQUEST, 'asked'],
  'the password': [toServer.passwordMessage(new Secret('a.token')), 'verifying'],
}

for (const [name, [bytes, phase]] of Object.entries(BEHIND)) {
  test(`a client that does not wait behind ${name} is a violation, however its bytes come`, () => {
    const begun: Frontend = {
      ...frontend(),
      phase: phase === 'verifying' ? 'authenticating' : 'startup',
    }
    assert.equal(receive(begun, bytes)[0].phase, phase)
    for (const behind of [STARTUP, toServer.query('select 1'), bytes, Buffer.of(0, 0, 0, 0, 0)]) {
      for (const sizes of [[], [1], [bytes.length]]) {
        const { messages } = inPieces(begun, Buffer.concat([bytes, behind]), sizes)
        assert.deepEqual(
          messages.slice(1).map(({ tag }) => tag),
          ['Violation'],
        )
      }
    }
  })
}

test('a client that gives up while its password is looked at says goodbye', () => {
  const [engine, messages] = receive({ ...frontend(), phase: 'verifying' }, toServer.terminate())
  assert.deepEqual([engine.phase, messages[0]?.tag], ['closed', 'Terminate'])
  assert.equal(authenticated(engine).phase, 'closed')
})

test('an engine is a value: what it received once does not change what it receives again', () => {
  const bytes = toServer.query('select 12345')
  const [some] = receive(ready(), bytes.subarray(0, 3))
  const [half] = receive(some, bytes.subarray(3, 8))
  const [other] = receive(half, Buffer.from('ZZZZ'))
  assert.deepEqual(only(half, bytes.subarray(8)), only(ready(), bytes))
  assert.notDeepEqual(only(other, bytes.subarray(12)), only(ready(), bytes))
})

test('a length alone makes the engine keep no more than what has arrived', () => {
  const header = Buffer.from('Q\0\xff\xff\xf0', 'latin1')
  const [first] = receive(ready(), header)
  const [second] = receive(first, Buffer.from('select'))
  assert(second.held.store.bytes.length <= 64)
})

test('a message that comes byte by byte costs work linear in its length', () => {
  const bytes = toServer.query('x'.repeat(1_000_000))
  let engine = ready()
  let copied = 0
  let messages: readonly (ClientMessage | Violation)[] = []
  for (let at = 0; at < bytes.length; at++) {
    const before = engine.held.store
    ;[engine, messages] = receive(engine, bytes.subarray(at, at + 1))
    // A new store means that everything held was copied into it.
    if (engine.held.store !== before) copied += engine.held.length
  }
  assert.equal(messages[0]?.tag, 'Query')
  assert(copied < 3 * bytes.length, `${copied} bytes were copied`)
})

// Seen to fail when the values are decoded once and for all.
test('a Bind of 65,535 values takes little more than its bytes while it is kept', () => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  assert(typeof collect === 'function')
  const values = Array.from({ length: 65_535 }, () => Buffer.from('1'))
  const bytes = toServer.bind({ formats: values.map(() => 1), values })
  const heap = (): number => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = heap()
  const kept = Array.from({ length: 20 }, () => only(ready(), bytes))
  const grown = heap() - before
  assert.ok(grown < 20 * bytes.length, `the heap has grown by ${grown} bytes`)
  for (const bind of kept.slice(0, 2)) {
    assert(bind.tag === 'Bind')
    assert.deepEqual([bind.values.length, bind.formats.length], [65_535, 65_535])
  }
})
