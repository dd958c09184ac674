// Seen to fail when the StartupMessage does not say what statements are read under, when what the target reported is not
// looked at, and when a name of another session is let through.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { backendKeyOf, toServer } from '@countersign/postgres-wire'
import { psql } from '../support/agent.ts'
import { arena } from '../support/arena.ts'
import { eventsOf, eventually, observe } from '../support/ledger.ts'
import { applyCatalog } from '../support/reviewer.ts'
import { askTarget } from '../support/target.ts'
import {
  cancel,
  fieldOf,
  frames,
  loginBytes,
  only,
  openTls,
  openWire,
  told,
} from '../support/wire.ts'

const system = await arena('session-begins')

const READ_UNDER = {
  standard_conforming_strings: ['off', 'on'],
  backslash_quote: ['on', 'safe_encoding'],
  client_encoding: ['LATIN1', 'UTF8'],
} as const

for (const [name, [atTarget, inSession]] of Object.entries(READ_UNDER)) {
  test(`a database with ${name} = ${atTarget} is read under ${inSession}`, async () => {
    await askTarget(system, `alter database shop_dev set ${name} = ${atTarget}`)
    try {
      const run = await psql(system, {
        profile: 'shop-dev',
        args: ['-At'],
        commands: [`show ${name}`],
      })
      assert.equal(run.stdout.trim(), inSession, run.stderr)
    } finally {
      await askTarget(system, `alter database shop_dev reset ${name}`)
    }
  })
}

test('a login trigger that makes the target read otherwise leaves no session', async () => {
  await askTarget(
    system,
    `create function public.read_otherwise() returns event_trigger language plpgsql
       as $$ begin perform set_config('standard_conforming_strings', 'off', false); end $$;
     create event trigger read_otherwise on login execute function public.read_otherwise()`,
    'shop_dev',
  )
  try {
    const run = await psql(system, { profile: 'shop-dev', commands: ['select 1'] })
    assert.notEqual(run.status, 0)
    assert.match(run.stderr, /CS_TARGET_FAILED/)
    assert.equal(run.stdout, '')
  } finally {
    await askTarget(
      system,
      'drop event trigger read_otherwise; drop function public.read_otherwise()',
      'shop_dev',
    )
  }
})

// In LATIN1 63 bytes of a name are 63 characters, so two names that begin alike would be one to us and two to the target.
test('a database in another encoding is no target', async () => {
  await askTarget(
    system,
    "create database shop_latin template template0 encoding 'LATIN1' locale 'C'",
  )
  await askTarget(system, 'revoke temporary on database shop_latin from public')
  const moved = await applyCatalog(system, (_, text) =>
    text.replaceAll('database: shop_dev', 'database: shop_latin'),
  )
  assert.equal(moved.status, 200, JSON.stringify(moved.body))
  try {
    const run = await psql(system, { profile: 'shop-dev', commands: ['select 1'] })
    assert.notEqual(run.status, 0)
    assert.match(run.stderr, /CS_TARGET_FAILED/)
    assert.match(run.stderr, /LATIN1/)
    assert.equal(run.stdout, '')
  } finally {
    await applyCatalog(system)
  }
})

const ASKED: Readonly<Record<string, readonly [Record<string, string>, string, string]>> = {
  'a limit in the options': [
    { PGOPTIONS: '-c statement_timeout=5s' },
    'show statement_timeout',
    '5s',
  ],
  'another one, as a long option': [{ PGOPTIONS: '--lock-timeout=3s' }, 'show lock_timeout', '3s'],
  'a value with a space': [
    { PGOPTIONS: '-c DateStyle=German,\\ DMY' },
    'show datestyle',
    'German, DMY',
  ],
  'a time zone': [{ PGTZ: 'Europe/Vienna' }, 'show timezone', 'Europe/Vienna'],
  'a setting of every transaction': [
    { PGOPTIONS: '-c default_transaction_read_only=on' },
    'show default_transaction_read_only',
    'on',
  ],
  'a setting that libpq knows': [{ PGGEQO: 'off' }, 'show geqo', 'off'],
  'a setting of an application': [{ PGOPTIONS: '-c myapp.user_id=7' }, 'select 1', '1'],
  'what it has anyway': [
    { PGOPTIONS: '-c client_encoding=UTF8 --standard-conforming-strings=on' },
    'show client_encoding',
    'UTF8',
  ],
  'the encoding of no locale': [{ PGCLIENTENCODING: 'SQL_ASCII' }, 'show client_encoding', 'UTF8'],
}

for (const [what, [env, sql, expected]] of Object.entries(ASKED)) {
  test(`a session begins with ${what}`, async () => {
    const run = await psql(system, { profile: 'shop-dev', env, args: ['-At'], commands: [sql] })
    assert.equal(run.stdout.trim(), expected, run.stderr)
  })
}

test('RESET leads back to what a session began with', async () => {
  const run = await psql(system, {
    profile: 'shop-dev',
    env: { PGOPTIONS: '-c default_transaction_isolation=serializable' },
    args: ['-Atq'],
    commands: [
      "set default_transaction_isolation = 'read committed'",
      'reset all',
      'show default_transaction_isolation',
    ],
  })
  assert.equal(run.stdout.trim(), 'serializable', run.stderr)
})

/** Settings that no session begins with, and the words of the refusal. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'array_nulls=off': /array_nulls is forbidden by policy no-dangerous-settings/,
  'no_such=1': /unrecognized configuration parameter "no_such"/,
  'log_min_messages=debug1': /not allowed: log_min_messages/,
  'role=postgres': /not allowed: role/,
  'user=postgres': /not allowed: user/,
  'local_preload_libraries=x': /not allowed: local_preload_libraries/,
  'standard_conforming_strings=off': /not allowed: standard_conforming_strings/,
}

for (const [setting, words] of Object.entries(REFUSED)) {
  test(`no session begins with ${setting}`, async () => {
    const run = await psql(system, {
      profile: 'shop-dev',
      env: { PGOPTIONS: `-c ${setting}` },
      commands: ['select 1'],
    })
    assert.notEqual(run.status, 0)
    assert.match(run.stderr, /CS_STARTUP_PARAMETER_REFUSED/)
    assert.match(run.stderr, words)
  })
}

test('who asks for another encoding in the session is told that only UTF8 is possible', async () => {
  const commands = ["set client_encoding = 'LATIN1'", "set names 'LATIN1'"]
  for (const sql of commands) {
    const run = await psql(system, { profile: 'shop-dev', commands: [sql] })
    assert.match(run.stderr, /Only UTF8 is possible/)
  }
})

test('what fails again and again is not tried each time, and keeps nobody else out', async () => {
  const startup = [['TimeZone', 'Mars/Phobos']] as const
  const refused = async (): Promise<string> => {
    const tls = await openTls(system)
    const heard = frames(tls)
    for (const bytes of await loginBytes(system, 'shop-dev', { startup })) tls.write(bytes)
    const error = only(await heard.until('E'), 'E')
    tls.destroy()
    return fieldOf(error, 'M')
  }
  let words = ''
  for (let login = 0; login < 60 && !words.includes('too often'); login++) words = await refused()
  assert.match(words, /Mars\/Phobos.*tried only each 5 s/)
  const run = await psql(system, { profile: 'shop-dev', args: ['-At'], commands: ['select 1'] })
  assert.equal(run.stdout.trim(), '1', run.stderr)
})

test('a client of another encoding is told that it gets UTF8', async () => {
  const run = await psql(system, {
    profile: 'shop-dev',
    env: { PGCLIENTENCODING: 'SQL_ASCII' },
    commands: ['select 1'],
  })
  assert.match(run.stderr, /WARNING: .*UTF8/)
})

test('a time zone that does not exist is refused with the SQLSTATE and the words of the target', async () => {
  const tls = await openTls(system)
  const heard = frames(tls)
  const startup = [['TimeZone', 'Mars/Base']] as const
  for (const bytes of await loginBytes(system, 'shop-dev', { startup })) tls.write(bytes)
  const error = only(await heard.until('E'), 'E')
  assert.equal(fieldOf(error, 'C'), '22023')
  assert.match(fieldOf(error, 'M'), /Mars\/Base/)
  assert.match(fieldOf(error, 'M'), /CS_STARTUP_PARAMETER_REFUSED/)
  tls.destroy()
})

for (const minor of [0, 2]) {
  test(`the key in protocol 3.${minor} names the process of the target, and cancels it`, async () => {
    const tls = await openTls(system)
    const heard = frames(tls)
    const [startup, password] = await loginBytes(system, 'shop-dev')
    startup.writeUInt16BE(minor, MINOR_OFFSET)
    tls.write(startup)
    const asked = await heard.until('R')
    assert.ok(!asked.some(({ tag }) => tag === 'v'), 'the version was negotiated')
    tls.write(password)
    const key = backendKeyOf(only(await heard.until('Z'), 'K'))
    assert.ok(key.ok)
    assert.equal(key.value.secretKey.length, minor === 0 ? 4 : 32)
    tls.write(toServer.query('select pg_backend_pid()'))
    assert.ok(told(await heard.until('Z')).includes(`row ${key.value.processId}`))
    await using log = await observe(system)
    const opened = await eventually('the event', async () =>
      (await eventsOf(log, 'sessions', 'SessionOpened')).find(
        ({ targetProcessId }) => targetProcessId === key.value.processId,
      ),
    )
    assert.ok(opened.role.startsWith('cs_'))
    tls.write(toServer.query('select count(*) from generate_series(1, 100000000000)'))
    await eventually('the statement', async () => {
      const [row] = await askTarget(
        system,
        `select count(*)::int as n from pg_stat_activity
         where pid = ${key.value.processId} and state = 'active'`,
      )
      return row?.['n'] === 1
    })
    await cancel(system, { key: key.value })
    assert.deepEqual(told(await heard.until('Z')).slice(-2), ['error 57014', 'ready I'])
    tls.destroy()
  })
}

const OTHER = 'countersign/0192f000-0000-7000-8000-000000000002'

for (const name of [OTHER, `x ${OTHER}`, `[${OTHER}`]) {
  test(`a statement that takes the name "${name}" is refused`, async () => {
    const run = await psql(system, {
      profile: 'shop-dev',
      commands: [`set application_name = '${name}'`],
    })
    assert.match(run.stderr, /CS_REQUEST_/)
  })
}

test('a session that takes the name of another one unseen is ended before anything else runs', async () => {
  const wire = await openWire(system, 'shop-dev')
  wire.send(
    toServer.parse('', "select set_config('application_name', $1, false)"),
    toServer.bind({ values: [Buffer.from(OTHER)] }),
    toServer.execute(),
    toServer.sync(),
  )
  const heard = told(await wire.until('E'))
  assert.ok(!heard.includes('ready I'), heard.join(' | '))
  wire.end()
})

test('what an agent calls itself at the start stands behind the name of its session', async () => {
  const wire = await openWire(system, 'shop-dev', { startup: [['application_name', OTHER]] })
  wire.send(toServer.query('show application_name'))
  const [row = ''] = told(await wire.ready()).filter((line) => line.startsWith('row'))
  assert.match(row, /^row countersign\/[0-9a-f-]{36} countersign\?/)
  assert.ok(!row.includes('000000000002'))
  wire.end()
})

/** The offset of the minor version in a StartupMessage, in bytes. */
const MINOR_OFFSET = 6
