import assert from 'node:assert/strict'
import { test } from 'node:test'
import { failed, ok } from '@countersign/kernel'
import { startupSettings } from './index.ts'

const settingsOf = (parameters: Readonly<Record<string, string>>) =>
  startupSettings(new Map(Object.entries(parameters)))

test('what usual drivers send is admitted under its usual name', () => {
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
    ['client_encoding', 'UTF8'],
    ['DateStyle', 'ISO, MDY'],
    ['TimeZone', 'UTC'],
    ['IntervalStyle', 'postgres'],
    ['extra_float_digits', '2'],
  ])
  const unknownOptions = ['_pq_.command_tag']
  assert.deepEqual(
    result,
    ok({ user: 'ci-deploy', database: 'shop-prod', settings, unknownOptions }),
  )
})

test('without a database the user name is meant, and the encoding is always UTF8', () => {
  const settings = new Map([['client_encoding', 'UTF8']])
  assert.deepEqual(
    settingsOf({ user: 'ana' }),
    ok({ user: 'ana', database: 'ana', settings, unknownOptions: [] }),
  )
})

const REFUSED: readonly (readonly [string, string])[] = [
  ['options', '-c search_path=evil'],
  ['search_path', 'evil'],
  ['role', 'postgres'],
  ['session_authorization', 'postgres'],
  ['standard_conforming_strings', 'off'],
  ['replication', 'database'],
  ['replication', 'true'],
  ['client_encoding', 'SJIS'],
  ['Options', '-c x=y'],
  ['User', 'postgres'],
]

for (const [name, value] of REFUSED) {
  test(`${name}=${value} is refused by name`, () => {
    assert.deepEqual(settingsOf({ user: 'ana', [name]: value }), failed([name]))
  })
}

test('every refused name is listed, and a missing user and a doubled setting are too', () => {
  const result = settingsOf({ options: '', TimeZone: 'UTC', timezone: 'CET' })
  assert.deepEqual(result, failed(['options', 'user', 'TimeZone']))
})
