import { type ChildProcess, spawn } from 'node:child_process'
import {
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '@countersign/kernel'

/** A process that we started and that we end. */
export type Child = {
  readonly name: string
  readonly pid: number
  /** Resolves when it has ended, with its signal, its status or its error. */
  readonly exited: Promise<string>
  /** True if it still runs. */
  running(): boolean
  /** Asks it to end, and kills it where it does not within the limit. */
  stop(limitMs?: number): Promise<void>
  kill9(): Promise<void>
  /** Freezes it; resolves when every thread stands still, since until then it still works. */
  freeze(): Promise<void>
  thaw(): void
  /** The last lines that it printed. */
  lastLines(): string
}

export type ChildOptions = {
  /** The folder of the instance: logs and process files go there. */
  dir: string
  name: string
  file: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** The signal that asks it to end; SIGTERM by default. */
  stopSignal?: NodeJS.Signals
  logFile?: string
  /** Also prints each line to the terminal, with the name before it. */
  echo?: boolean
}

/**
 * Starts a process in a group of its own, so that a Ctrl-C in the terminal reaches only us and we end
 * things in order. Its standard input is a pipe that ends when we do.
 */
export function startChild(options: ChildOptions): Child {
  const { dir, name, stopSignal = 'SIGTERM' } = options
  const logFile = options.logFile ?? join(dir, 'logs', `${name}.log`)
  const pidFile = join(dir, 'processes', `${name}.pid`)
  mkdirSync(dirname(logFile), { recursive: true })
  mkdirSync(dirname(pidFile), { recursive: true })
  const child: ChildProcess = spawn(options.file, options.args, {
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  const log = createWriteStream(logFile, { flags: 'a' })
  let tail = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      log.write(chunk)
      tail = (tail + chunk.toString()).slice(-TAIL_CHARACTERS_MAX)
      if (options.echo === true) echo(name, chunk)
    })
  }
  child.stdin?.on('error', () => undefined) // It may end before we do.
  let ended = false
  const exited = new Promise<string>((resolve) => {
    const done = (how: string): void => {
      if (ended) return
      ended = true
      rmSync(pidFile, { force: true })
      log.end()
      resolve(how)
    }
    child.once('error', (error) => done(error.message))
    child.once('close', (code, signal) => done(signal ?? `status ${code ?? '?'}`))
  })
  const pid = child.pid
  if (pid === undefined) {
    throw new Problem('CS_CONFIG_INVALID', `${name}: ${options.file} could not be started`, {
      hint: `Install ${options.file}, or put the folder that it is in on the PATH.`,
    })
  }
  writeFileSync(pidFile, `${pid} ${startTimeOf(pid) ?? 0} ${stopSignal}\n`)
  const signal = (kind: NodeJS.Signals): void => {
    if (!ended) child.kill(kind)
  }
  return {
    name,
    pid,
    exited,
    running: () => !ended,
    lastLines: () => tail.trim().split('\n').slice(-LINES_MAX).join('\n'),
    async freeze() {
      signal('SIGSTOP')
      const until = performance.now() + FREEZE_LIMIT_MS
      while (!ended && !standsStill(pid)) {
        if (performance.now() > until) {
          throw new Problem('CS_INTERNAL', `${name} did not stand still in time`)
        }
        await delay(1)
      }
    },
    thaw: () => signal('SIGCONT'),
    async kill9() {
      signal('SIGKILL')
      await exited
    },
    async stop(limitMs = STOP_LIMIT_MS) {
      signal('SIGCONT') // A frozen process cannot end.
      signal(stopSignal)
      const timer = setTimeout(() => signal('SIGKILL'), limitMs)
      await exited
      clearTimeout(timer)
    },
  }
}

/**
 * True if every thread of a process is stopped. A signal stops them one after another: on a busy machine a thread
 * that still runs answers a request or two before its turn comes.
 */
function standsStill(pid: number): boolean {
  if (process.platform !== 'linux') return true
  return tasksOf(pid).every((task) => {
    const state = fieldsOf(`${pid}/task/${task}`)?.[STATE_FIELD]
    return state === undefined || STOPPED.includes(state)
  })
}

function tasksOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return [] // It has ended.
  }
}

/** The time at which a process was started, in clock ticks since the boot: with the id, it names a process for good. */
export function startTimeOf(pid: number): number | null {
  const ticks = fieldsOf(String(pid))?.[START_TIME_FIELD]
  return ticks === undefined ? null : Number(ticks)
}

/** The fields of proc(5) `stat` after the name, which may hold anything; null where there is no such process. */
function fieldsOf(path: string): readonly string[] | null {
  try {
    const stat = readFileSync(`/proc/${path}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null
  }
}

function echo(name: string, chunk: Buffer): void {
  for (const line of chunk.toString().trimEnd().split('\n'))
    process.stdout.write(`${name} │ ${line}\n`)
}

const STOP_LIMIT_MS = 10_000
const FREEZE_LIMIT_MS = 5_000
const TAIL_CHARACTERS_MAX = 8_000
const LINES_MAX = 12
/** Field 22 of proc(5) `stat`, counted from the one after the name. */
const START_TIME_FIELD = 19
/** Field 3, likewise. */
const STATE_FIELD = 0
/** The states of a thread that is stopped, or has ended meanwhile. */
const STOPPED = ['T', 't', 'Z', 'X']
