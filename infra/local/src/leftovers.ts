import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startTimeOf } from './child.ts'
import { ROOT } from './paths.ts'

type Leftover = { file: string; pid: number; signal: string }

/** Ends the processes that an instance left behind, known by their process files and by when each of them began. */
export async function endLeftovers(dir: string): Promise<number> {
  const left = leftoversOf(dir)
  for (const { pid, signal } of left) send(pid, 'SIGCONT', signal)
  const until = performance.now() + END_LIMIT_MS
  while (leftoversOf(dir).length > 0 && performance.now() < until) await delay(50)
  for (const { pid } of leftoversOf(dir)) send(pid, 'SIGKILL')
  while (leftoversOf(dir).length > 0 && performance.now() < until + END_LIMIT_MS) await delay(20)
  for (const { file } of left) rmSync(file, { force: true })
  return left.length
}

/**
 * Ends the processes of an instance when this process ends in a way that nobody can handle (`kill -9`):
 * a shell waits for the end of a pipe that only we hold. Release it after everything was stopped.
 */
export function watchOver(dir: string): { release(): void } {
  const watcher = spawn('/bin/sh', ['-c', WATCHER, 'countersign-watcher', join(dir, 'processes')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.on('error', () => undefined)
  watcher.unref()
  return { release: () => void watcher.kill('SIGKILL') }
}

/**
 * Ends services that somebody started alone (`npm start` in a folder of `services`) with the settings of an instance. They
 * have no process files; their command line shows that they are services, and their environment of which instance.
 */
export async function endAlone(dir: string): Promise<number> {
  const found = aloneIn(dir)
  for (const pid of found) send(pid, 'SIGCONT', 'SIGTERM')
  const until = performance.now() + ALONE_LIMIT_MS
  while (aloneIn(dir).length > 0 && performance.now() < until) await delay(50)
  for (const pid of aloneIn(dir)) send(pid, 'SIGKILL')
  return found.length
}

/** The processes of ours that run a service of this checkout with the settings of this instance. */
function aloneIn(dir: string): number[] {
  return readdirOf('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    const words = textOf(`/proc/${pid}/cmdline`).split('\0')
    if (!words.some((word) => word.endsWith('src/main.ts'))) return []
    const place = linkOf(`/proc/${pid}/cwd`)
    const isService = place?.startsWith(join(ROOT, 'services')) === true
    const isTheirs = textOf(`/proc/${pid}/environ`)
      .split('\0')
      .some((pair) => pair.includes(`=${dir}/`))
    return isService && isTheirs ? [pid] : []
  })
}

function linkOf(file: string): string | null {
  try {
    return readlinkSync(file)
  } catch {
    return null // Another user's, or gone.
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

function readdirOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function leftoversOf(dir: string): Leftover[] {
  const folder = join(dir, 'processes')
  return filesIn(folder).flatMap((name) => {
    const file = join(folder, name)
    const [pid, start, signal] = readFileSync(file, 'utf8').trim().split(' ')
    const alive = startTimeOf(Number(pid)) === Number(start)
    if (!alive) rmSync(file, { force: true })
    return alive ? [{ file, pid: Number(pid), signal: signal ?? 'SIGTERM' }] : []
  })
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.pid'))
  } catch {
    return []
  }
}

function send(pid: number, ...signals: string[]): void {
  try {
    for (const signal of signals) process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

const END_LIMIT_MS = 6_000
/** Held requests end only after the drain of the proxy. */
const ALONE_LIMIT_MS = 10_000

/** Ends the processes that are listed when the pipe ends: the next instance in the same folder lists its own. */
const WATCHER = `
cat >/dev/null
list=$(cat "$1"/*.pid 2>/dev/null)
each() {
  printf '%s\\n' "$list" | while read -r pid start signal; do
    now=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -d' ' -f20)
    [ -n "$now" ] && [ "$now" = "$start" ] || continue
    kill -CONT "$pid"
    kill "-\${1:-\${signal#SIG}}" "$pid"
  done
}
each ''
sleep 6
each KILL
`
