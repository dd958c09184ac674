import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { startTimeOf } from './child.ts'

type Leftover = { file: string; pid: number; signal: string }

/** Ends what an instance left behind, known by its process files and by when each process began. */
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

/** What is listed when the pipe ends is what it ends: the next instance in the same folder lists its own. */
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
