import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Problem } from '@countersign/kernel'
import { z } from 'zod'
import { COMMON_SETTINGS, count, flag, path, port, readConfig } from './config.ts'

/** One of each way in which a setting can be wrapped. */
const WRAPPED = {
  CS_KEY_FILE: path('The key.'),
  CS_HTTP_PORT: port('The port.'),
  CS_OIDC_ISSUER: z.string().min(1).describe('The issuer.'),
  KAFKA_BROKERS: z
    .string()
    .describe('The brokers.')
    .transform((text) => text.split(',')),
  CS_LIMIT_MS: count('The limit.', 2_000),
  CS_NOTICE_MS: count('The notice.').optional(),
  CS_ROWS_MAX: z.string().describe('The rows.').pipe(z.coerce.number()),
  CS_TLS: flag('Whether to use TLS.', false),
  CS_LEVEL: z.enum(['info', 'warn']).describe('How much is logged.'),
}

const RIGHT = {
  CS_KEY_FILE: 'key',
  CS_HTTP_PORT: '80',
  CS_OIDC_ISSUER: 'https://login',
  KAFKA_BROKERS: 'a:1,b:2',
  CS_ROWS_MAX: '5',
  CS_LEVEL: 'warn',
}

test('what is set right is read, with the defaults of what is not set', () => {
  const config = readConfig(WRAPPED, RIGHT)
  assert.deepEqual(config.KAFKA_BROKERS, ['a:1', 'b:2'])
  assert.equal(config.CS_LIMIT_MS, 2_000)
  assert.equal(config.CS_NOTICE_MS, undefined)
  assert.equal(config.CS_TLS, false)
})

test('every missing setting is named at once, with its meaning and an example', () => {
  assert.deepEqual(linesOf({}), [
    '  CS_KEY_FILE: is missing – set it to the key, for example /etc/countersign/key',
    '  CS_HTTP_PORT: is missing – set it to the port, for example 8080',
    '  CS_OIDC_ISSUER: is missing – set it to the issuer, for example https://login.example.com',
    '  KAFKA_BROKERS: is missing – set it to the brokers, for example kafka-1:9092,kafka-2:9092',
    '  CS_ROWS_MAX: is missing – set it to the rows, for example 1000',
    '  CS_LEVEL: is missing – set it to how much is logged, for example info',
  ])
})

test('every wrong setting is named at once, with its meaning and an example, however it is wrapped', () => {
  const lines = linesOf({
    ...RIGHT,
    CS_LIMIT_MS: 'soon',
    CS_NOTICE_MS: '-1',
    CS_ROWS_MAX: 'many',
    CS_TLS: 'yes',
  })
  const endings = [
    ['CS_LIMIT_MS', ' – set it to the limit, for example 2000'],
    ['CS_NOTICE_MS', ' – set it to the notice, for example 5000'],
    ['CS_ROWS_MAX', ' – set it to the rows, for example 1000'],
    ['CS_TLS', ' – set it to whether to use TLS, for example false'],
  ] as const
  assert.equal(lines.length, endings.length)
  endings.forEach(([name, ending], index) => {
    const line = lines[index] ?? ''
    assert.ok(line.startsWith(`  ${name}: `) && line.endsWith(ending), line)
    assert.ok(!line.includes('is missing'), line)
  })
})

test('the example that is given can be set', () => {
  const environment = Object.fromEntries(
    linesOf({}).map((line) => /^ {2}(\w+): .*, for example (.*)$/.exec(line)?.slice(1) ?? []),
  )
  assert.doesNotThrow(() => readConfig(WRAPPED, environment))
})

test('a value that is wrong is not repeated: it may be a secret in the wrong place', () => {
  const environment = { KAFKA_BROKERS: 'a:1', CS_HEALTH_PORT: 'hunter2', KAFKA_TLS: 'hunter2' }
  const lines = linesOf(environment, COMMON_SETTINGS)
  assert.equal(lines.length, 2)
  assert.ok(!lines.join().includes('hunter2'))
})

function linesOf(environment: NodeJS.ProcessEnv, shape: z.ZodRawShape = WRAPPED): string[] {
  try {
    readConfig(shape, environment)
  } catch (thrown) {
    assert.ok(thrown instanceof Problem)
    assert.equal(thrown.code, 'CS_CONFIG_INVALID')
    return thrown.message.split('\n').slice(1)
  }
  assert.fail('the configuration was taken')
}
