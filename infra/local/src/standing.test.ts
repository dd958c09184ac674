// Seen to fail when what ends is not looked at, and when what is stopped on purpose is started again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Runner, standing } from './standing.ts'

/** Something that ends when it is told to. */
function runner(number: number) {
  const { promise, resolve } = Promise.withResolvers<string>()
  const made: Runner & { number: number; end(how: string): void } = {
    name: 'policy',
    number,
    exited: promise,
    end: resolve,
    lastLines: () => `line of ${number}`,
    stop: async () => resolve('stopped'),
  }
  return made
}

test('what ends by itself is said, with its last lines, and started again; what does not start, later', async () => {
  const said: string[] = []
  const third = Promise.withResolvers<void>()
  let starts = 0
  const start = () => {
    starts += 1
    if (starts === 2) return Promise.reject(new Error('no port'))
    return Promise.resolve(runner(starts))
  }
  const say = (text: string): void => {
    said.push(text)
    if (text.includes('runs again')) third.resolve()
  }
  const kept = await standing(start, { supervise: true, say, backoffMs: 1 })
  kept.current().end('SIGKILL')
  await third.promise
  assert.equal(kept.current().number, 3)
  assert.match(
    said[0] ?? '',
    /^policy has ended by itself \(SIGKILL\); it said last:\n {4}line of 1$/,
  )
  assert.match(said[1] ?? '', /does not start: no port/)
  await kept.restart()
  assert.equal(kept.current().number, 4)
  await kept.stop()
  await new Promise(setImmediate)
  assert.deepEqual([starts, said.length], [4, 3], 'nothing that was wanted is said or undone')
})

test('without supervision nothing is started again', async () => {
  let starts = 0
  const kept = await standing(() => Promise.resolve(runner((starts += 1))), { supervise: false })
  kept.current().end('SIGKILL')
  await kept.current().exited
  await new Promise(setImmediate)
  assert.equal(starts, 1)
})
