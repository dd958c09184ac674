import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import type { Logger } from './logger.ts'
import { netOn } from './net.ts'

type Line = { where?: unknown; reason?: unknown; stack?: unknown }

/** A net, and the lines that it logged. */
function listened() {
  const lines: Line[] = []
  const nothing = (): void => undefined
  const error = (fields: object): void => void lines.push(fields)
  const logger: Logger = { debug: nothing, info: nothing, warn: nothing, error }
  return { net: netOn(logger), lines }
}

const broken = (): never => {
  throw new Error('broken')
}

test('a fault in a handler ends what it belongs to, and is logged with its stack', () => {
  const { net, lines } = listened()
  let ended = 0
  net.guarded('here', broken, () => ended++)()
  assert.equal(ended, 1)
  assert.deepEqual(
    lines.map(({ where, reason }) => [where, reason]),
    [['here', 'broken']],
  )
  assert.match(String(lines[0]?.stack), /net\.test\.ts/)
})

test('a fault while it is ended is caught too', () => {
  const { net, lines } = listened()
  net.guarded('here', broken, broken)()
  assert.equal(lines.length, 2)
})

test('a handler without a fault gets everything that it is given', () => {
  const { net, lines } = listened()
  const got: unknown[] = []
  net.guarded('here', (...given: readonly [number, string]) => got.push(...given))(1, 'a')
  assert.deepEqual(got, [1, 'a'])
  assert.deepEqual(lines, [])
})

test('the failure of a promise that nobody awaits is caught', async () => {
  const { net, lines } = listened()
  const ended = Promise.withResolvers<void>()
  net.detached('there', Promise.reject(new Error('late')), ended.resolve)
  await ended.promise
  assert.equal(lines[0]?.reason, 'late')
})

test('a timer whose turn fails has its next turn', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] })
  const { net, lines } = listened()
  using _every = net.every('turn', 10, broken)
  using _after = net.after('once', 10, broken)
  context.mock.timers.tick(10)
  context.mock.timers.tick(10)
  assert.deepEqual(
    lines.map(({ where }) => where),
    ['turn', 'once', 'turn'],
  )
})

test('a turn that returns a promise which rejects is caught', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  const { net, lines } = listened()
  using _every = net.every('turn', 10, async () => broken())
  context.mock.timers.tick(10)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(lines[0]?.where, 'turn')
})

test('what gets past every net is logged, and the process goes on', () => {
  const script = `
    import { hangLastNet } from ${JSON.stringify(new URL('last-net.ts', import.meta.url).href)}
    hangLastNet({ error: (fields, message) => console.log(message, fields.where, fields.reason) })
    setTimeout(() => { throw new Error('of a library') }, 1)
    setTimeout(() => void Promise.reject(new Error('of a promise')), 2)
    setTimeout(() => console.log('goes on'), 50)
  `
  const run = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  })
  assert.deepEqual(run.stdout.trim().split('\n'), [
    'a fault was caught process of a library',
    'a fault was caught process of a promise',
    'goes on',
  ])
  assert.equal(run.status, 0, run.stderr)
})
