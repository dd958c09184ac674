import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startTimeOf } from './child.ts'

/**
 * Removes the folder of an instance when its test process ends well. The folder of a failed or killed run is kept, since
 * it shows why it failed; of such folders only the newest few.
 */
export function removeWhenGreen(dir: string): void {
  writeFileSync(join(dir, MARK), `${process.pid} ${startTimeOf(process.pid) ?? 0}\n`)
  sweepInstances(dir)
  process.once('exit', (code) => {
    // The runner of the file says so when a test of it failed.
    if (code === 0 && (process.exitCode ?? 0) === 0) rmSync(dir, { recursive: true, force: true })
  })
}

function sweepInstances(current: string): void {
  const data = dirname(current)
  const left = readdirSync(data)
    .map((name) => join(data, name))
    .filter((dir) => dir !== current && existsSync(join(dir, MARK)) && isOver(dir))
    .sort((a, b) => modified(b) - modified(a))
  for (const dir of left.slice(FAILED_INSTANCES_MAX)) rmSync(dir, { recursive: true, force: true })
}

/** True if the process that a folder was made for has ended. */
function isOver(dir: string): boolean {
  try {
    return !isAlive(readMark(dir))
  } catch {
    return false
  }
}

const modified = (dir: string): number =>
  statSync(join(dir, MARK), { throwIfNoEntry: false })?.mtimeMs ?? 0

/**
 * A temporary folder for all tests of a run, as `TMPDIR` of their processes: removed at its end, however it ends, or
 * by the next run where it was killed.
 */
export function temporaryFolder(): { dir: string; env: { TMPDIR: string } } {
  sweepTemporary()
  const dir = join(tmpdir(), `${PREFIX}${process.pid}-${startTimeOf(process.pid) ?? 0}`)
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  return { dir, env: { TMPDIR: dir } }
}

function sweepTemporary(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = /^countersign-tests-(\d+)-(\d+)$/.exec(name)
    if (owner === null || isAlive([Number(owner[1]), Number(owner[2])])) continue
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

/** A process is known by its id and by when it began. */
const isAlive = ([pid, start]: readonly [number, number]): boolean => startTimeOf(pid) === start

function readMark(dir: string): readonly [number, number] {
  const [pid, start] = readFileSync(join(dir, MARK), 'utf8').trim().split(' ').map(Number)
  return [pid ?? 0, start ?? 0]
}

const MARK = 'test-process'
const PREFIX = 'countersign-tests-'
const FAILED_INSTANCES_MAX = 3
