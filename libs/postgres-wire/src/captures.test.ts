// Bytes that real clients sent (see ../captures/README.md): the engine must read them whole and in any pieces.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  authenticated,
  type ClientMessage,
  cleartextPassword,
  type Frontend,
  frontend,
  receive,
  type Violation,
} from './index.ts'

const FOLDER = join(import.meta.dirname, '..', 'captures')

/** The messages of each capture, checked against the commands that the client was given. */
const MESSAGES: Readonly<Record<string, string>> = {
  asyncpg: `
    Startup Password Query Parse Describe Flush Bind Execute Sync Bind Execute Sync Query Parse
    Describe Flush Bind Execute Sync Parse Describe Flush Bind Execute Sync Query×2 Parse
    Describe Flush Bind Execute Sync Execute Sync Close Sync Query Bind Execute Bind Execute
    Sync Parse Describe Flush Query CopyData CopyDone Terminate`,
  jdbc: `
    Startup Password Query Parse Bind Describe Execute Sync Parse Bind Describe Execute Sync
    Bind Execute Sync Query Parse Bind Describe Execute Bind Describe Execute Bind Describe
    Execute Sync Parse Bind Execute Sync Query Parse Bind Describe Execute Sync Execute Sync
    Execute Sync Close Parse Bind Describe Execute Sync Parse Bind Execute Sync Query CopyData
    CopyDone Query Terminate`,
  'node-postgres': `
    Startup Password Query Parse Bind Describe Execute Sync Parse Bind Describe Execute Sync
    Bind Describe Execute Sync Query Parse Bind Describe Execute Sync Query Parse Bind Describe
    Execute Sync Terminate`,
  'pgbench-extended': `
    Startup Password Parse Bind Describe Execute Sync Parse Bind Describe Execute Parse Bind
    Describe Execute Parse Bind Describe Execute Sync Parse Bind Describe Execute Sync Parse
    Bind Describe Execute Parse Bind Describe Execute Parse Bind Describe Execute Sync Terminate`,
  pgx: `
    Startup Password Parse Describe Sync Bind Execute Sync Bind Execute Sync Parse Describe Sync
    Parse Bind Describe Execute Sync Parse Describe Sync Bind Execute Sync Parse Bind Describe
    Execute Sync Query×2 Parse Describe Sync Bind Execute Sync Query Close Sync Parse Describe
    Parse Describe Sync Bind Describe Execute Bind Execute Sync Parse Describe Sync Query
    CopyData CopyDone Query Terminate`,
  'postgres-js': `
    Startup Password Parse Describe Bind Execute Sync Parse Describe Flush Bind Execute Sync
    Bind Execute Sync Query Parse Describe Bind Execute Flush Execute Flush Execute Flush Sync
    Query Parse Describe Flush Bind Execute Sync Parse Describe Flush Bind Execute Sync Parse
    Describe Bind Execute Sync Query CopyData×2 CopyDone CopyFail Terminate`,
  psql: `
    Startup Password Query×5 CopyData CopyDone Terminate`,
  psycopg: `
    Startup Password Query Parse Bind Describe Execute Sync Parse Sync Bind Describe Execute
    Sync Parse Bind Describe Execute Sync Parse Bind Describe Execute Parse Bind Describe
    Execute Parse Bind Describe Execute Sync Flush Query Parse Bind Describe Execute Sync
    Describe Sync Query×4 CopyData CopyDone Terminate`,
}

/** Plays the server for these bytes: a client that gave a password may go on. */
function played(bytes: Buffer, sizeOfPiece: number): (ClientMessage | Violation)[] {
  const messages: (ClientMessage | Violation)[] = []
  let engine: Frontend = frontend()
  let at = 0
  while (at < bytes.length) {
    // A client waits for its server while it logs in: nothing else comes with these packets.
    const isLogin = engine.phase === 'startup' || engine.phase === 'authenticating'
    const size = isLogin ? 1 : sizeOfPiece
    const [next, some] = receive(engine, Buffer.from(bytes.subarray(at, at + size)))
    messages.push(...some)
    engine = some.at(-1)?.tag === 'Password' ? authenticated(next) : next
    at += size
  }
  return messages
}

/** The names of the messages, each with the number of times that it came in a row. */
function tagsOf(messages: readonly (ClientMessage | Violation)[]): string {
  const runs: { tag: string; times: number }[] = []
  for (const { tag } of messages) {
    const last = runs.at(-1)
    if (last?.tag === tag) last.times++
    else runs.push({ tag, times: 1 })
  }
  return runs.map(({ tag, times }) => (times === 1 ? tag : `${tag}×${times}`)).join(' ')
}

/** Passwords are secrets that print as nothing; here they are compared, too. */
const printed = (messages: readonly (ClientMessage | Violation)[]): unknown =>
  messages.map((message) =>
    message.tag === 'Password' ? cleartextPassword(message)?.expose() : message,
  )

const captures = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.bin'))
  .sort()

test('there is a capture of each client that is promised to work', () => {
  assert.deepEqual(
    captures.map((name) => name.replace('.bin', '')),
    Object.keys(MESSAGES),
  )
})

for (const name of captures) {
  const bytes = readFileSync(join(FOLDER, name))
  const whole = played(bytes, bytes.length)

  test(`${name} is understood to its last byte`, () => {
    assert.equal(tagsOf(whole), MESSAGES[name.replace('.bin', '')]?.trim().replace(/\s+/g, ' '))
    assert.equal(whole.at(-1)?.tag, 'Terminate')
    const raw = whole.flatMap((message) => ('raw' in message ? [message.raw] : []))
    assert.equal(Buffer.concat(raw).length + PASSWORD_BYTES, bytes.length)
  })

  test(`${name} is the same messages byte by byte and in pieces`, () => {
    for (const size of [1, 2, 3, 7, 64, 1_000])
      assert.deepEqual(printed(played(bytes, size)), printed(whole))
  })
}

/** The letter, the length, and "capture" with its zero. */
const PASSWORD_BYTES = 1 + 4 + 'capture\0'.length
