// Seen to fail when the folder of a green run stays, when that of a red one goes, and when nobody looks for the dead.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'

const OURS = join(import.meta.dirname, 'test-leftovers.ts')
let folder = ''
before(() => (folder = mkdtempSync(join(tmpdir(), 'countersign-leftovers-'))))
after(() => rmSync(folder, { recursive: true }))

/** Runs a program of these lines, as a test file or as none. */
function ran(lines: string[], { isTest = false } = {}) {
  const file = join(folder, 'program.mjs')
  writeFileSync(file, [`import * as ours from ${JSON.stringify(OURS)}`, ...lines].join('\n'))
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const args = isTest ? ['--test', file] : [file]
  return spawnSync(process.execPath, args, { env: { ...env, TMPDIR: folder }, encoding: 'utf8' })
}

test('temporary files of a run go with it, and those of a killed run with the next', () => {
  const made = 'const { dir } = ours.temporaryFolder(); process.stdout.write(dir)'
  const calm = ran([made])
  assert.equal(existsSync(calm.stdout), false)
  const killed = ran([made, "process.kill(process.pid, 'SIGKILL')"])
  const left = () => readdirSync(folder).filter((name) => name.startsWith('countersign-tests-'))
  assert.deepEqual([killed.signal, left().length], ['SIGKILL', 1])
  ran([made])
  assert.deepEqual(left(), [])
})

test('the folder of an instance goes with a green test, and stays with a red one, only the newest few', () => {
  const data = join(folder, 'data')
  const run = (name: string, isGreen: boolean) => {
    const dir = join(data, name)
    mkdirSync(dir, { recursive: true })
    const lines = [
      "import { test } from 'node:test'",
      `ours.removeWhenGreen(${JSON.stringify(dir)})`,
      `test('it', () => { if (${!isGreen}) throw new Error('red') })`,
    ]
    assert.equal(ran(lines, { isTest: true }).status, isGreen ? 0 : 1)
  }
  run('green', true)
  assert.deepEqual(readdirSync(data), [])
  for (const name of ['a', 'b', 'c', 'd', 'e']) run(name, false)
  assert.deepEqual(readdirSync(data).sort(), ['b', 'c', 'd', 'e'])
  mkdirSync(join(data, 'demo'))
  run('green', true)
  assert.deepEqual(readdirSync(data).sort(), ['c', 'd', 'demo', 'e'], 'what no test made stays')
})
