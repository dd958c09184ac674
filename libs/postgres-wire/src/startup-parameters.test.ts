import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, ok } from '@countersign/kernel'
import { startupSettings } from './index.ts'

const ALLOWED = new Set([
  ...['application_name', 'datestyle', 'timezone', 'intervalstyle', 'extra_float_digits'],
  ...['statement_timeout', 'jit'],
])

const settingsOf = (parameters: Readonly<Record<string, string>>) =>
  startupSettings(new Map(Object.entries(parameters)), (name) => ALLOWED.has(name.toLowerCase()))

test('what usual drivers send is admitted', () => {
  const result = settingsOf({
    user: 'ci-deploy',
    database: 'shop-prod',
    application_name: 'psql',
    client_encoding: "'utf-8'",
    datestyle: 'ISO, MDY',
    TimeZone: 'UTC',
    intervalstyle: 'postgres',
    extra_float_digits: '2',
    replication: 'false',
    '_pq_.command_tag': '1',
  })
  const settings = new Map([
    ['application_name', 'psql'],
    ['datestyle', 'ISO, MDY'],
    ['timezone', 'UTC'],
    ['intervalstyle', 'postgres'],
    ['extra_float_digits', '2'],
    ['client_encoding', 'UTF8'],
  ])
  assert.deepEqual(
    result,
    ok({
      user: 'ci-deploy',
      database: 'shop-prod',
      settings,
      otherEncoding: null,
      unknownOptions: ['_pq_.command_tag'],
    }),
  )
})

test('without a database the user name is meant, and the encoding is always UTF8', () => {
  const settings = new Map([['client_encoding', 'UTF8']])
  assert.deepEqual(
    settingsOf({ user: 'ana' }),
    ok({ user: 'ana', database: 'ana', settings, otherEncoding: null, unknownOptions: [] }),
  )
})

const OPTIONS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {},
  '  ': {},
  '-c jit=off': { jit: 'off' },
  '-cjit=off': { jit: 'off' },
  '--jit=off': { jit: 'off' },
  '-c statement_timeout=5s  --jit=off': { statement_timeout: '5s', jit: 'off' },
  '--statement-timeout=5s': { statement_timeout: '5s' },
  '-c JIT=off -c jit=on': { jit: 'on' },
  '-c DateStyle=ISO,\\ DMY': { datestyle: 'ISO, DMY' },
  '-c TimeZone=a\\\\b': { timezone: 'a\\b' },
  '-c TimeZone=': { timezone: '' },
  '-c client_encoding=UTF8': {},
  "--client-encoding='utf-8' -c jit=off": { jit: 'off' },
}

for (const [options, expected] of Object.entries(OPTIONS)) {
  test(`the options "${options}" are settings like those that are given by name`, () => {
    const result = settingsOf({ user: 'ana', options })
    assert.ok(result.ok, JSON.stringify(result))
    const { client_encoding: _, ...settings } = Object.fromEntries(result.value.settings)
    assert.deepEqual(settings, expected)
  })
}

test('a setting that is given by name counts more than the same in the options', () => {
  const result = settingsOf({ user: 'ana', options: '-c jit=on', jit: 'off' })
  assert.equal(result.ok && result.value.settings.get('jit'), 'off')
})

for (const encoding of ['SQL_ASCII', 'sql-ascii', 'LATIN1', 'ISO_8859_5', 'WIN1252', 'koi8r']) {
  test(`a client of ${encoding} gets UTF8, and is told`, () => {
    const result = settingsOf({ user: 'ana', client_encoding: encoding })
    assert.ok(result.ok)
    assert.equal(result.value.settings.get('client_encoding'), 'UTF8')
    assert.equal(result.value.otherEncoding, encoding)
  })
}

test('a client that asks for another encoding in the options gets UTF8, and is told', () => {
  const result = settingsOf({ user: 'ana', options: '-c client_encoding=LATIN1' })
  assert.ok(result.ok)
  assert.equal(result.value.settings.get('client_encoding'), 'UTF8')
  assert.equal(result.value.otherEncoding, 'LATIN1')
})

const REFUSED: readonly (readonly [string, string, string?])[] = [
  ['options', '-c search_path=evil', 'search_path'],
  ['options', '--role=postgres', 'role'],
  ['options', '-c standard-conforming-strings=off', 'standard_conforming_strings'],
  ['options', '-c client_encoding=SJIS', 'client_encoding'],
  ['options', '-c jit=off -f s'],
  ['options', '-c'],
  ['options', '-cjit'],
  ['options', '-W 1'],
  ['options', 'jit=off'],
  ['search_path', 'evil'],
  ['role', 'postgres'],
  ['session_authorization', 'postgres'],
  ['standard_conforming_strings', 'off'],
  ['replication', 'database'],
  ['replication', 'true'],
  ['client_encoding', 'SJIS'],
  ['client_encoding', 'GB18030'],
  ['Options', '-c jit=off'],
  ['User', 'postgres'],
]

for (const [name, value, told = name] of REFUSED) {
  test(`${name}=${value} is refused by name`, () => {
    assert.deepEqual(settingsOf({ user: 'ana', [name]: value }), failed([told]))
  })
}

test('every refused name is listed, and a missing user and a doubled setting are too', () => {
  const result = settingsOf({ options: '-x', TimeZone: 'UTC', timezone: 'CET' })
  assert.deepEqual(result, failed(['user', 'options', 'timezone']))
})
