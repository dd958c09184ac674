import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '@countersign/kernel'
import { say } from './progress.ts'

/** Something that runs and may end by itself. */
export type Runner = {
  readonly name: string
  readonly exited: Promise<string>
  lastLines(): string
  stop(limitMs?: number): Promise<void>
}

/** A process that stands as long as it is wanted. */
export type Standing<T extends Runner> = {
  current(): T
  /** Stops it and starts it again. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export type StandingOptions = {
  /** Starts it again when it ends by itself, and reports how it ended and its last lines. */
  readonly supervise: boolean
  readonly say?: (text: string) => void
  /** The first wait before it is started again; it doubles up to 30 s. */
  readonly backoffMs?: number
}

/** Starts a process, and starts it again where that is wanted. */
export async function standing<T extends Runner>(
  start: () => Promise<T>,
  { supervise, say: tell = say, backoffMs = BACKOFF_MS }: StandingOptions,
): Promise<Standing<T>> {
  let isWanted = true
  let isRestarting = false
  let current = await start()
  let stopped = new AbortController()
  watch(current)
  return {
    current: () => current,
    async restart() {
      isWanted = true
      stopped = new AbortController()
      isRestarting = true
      try {
        await current.stop()
        current = await start()
        watch(current)
      } finally {
        isRestarting = false
      }
    },
    async stop() {
      isWanted = false
      stopped.abort()
      await current.stop()
    },
  }

  function watch(watched: T): void {
    if (supervise) void watched.exited.then((how) => ended(watched, how))
  }

  async function ended(watched: T, how: string): Promise<void> {
    if (!isWanted || isRestarting || watched !== current) return
    const since = performance.now()
    const { name } = watched
    const said = watched.lastLines().trim()
    tell(
      `${name} has ended by itself (${how})${said === '' ? '' : `; it said last:\n${indented(said)}`}`,
    )
    for (let waitMs = backoffMs; ; waitMs = Math.min(waitMs * 2, BACKOFF_MS_MAX)) {
      await delay(waitMs, undefined, { signal: stopped.signal }).catch(() => undefined)
      if (!isWanted) return
      try {
        const started = await start()
        if (!isWanted) return void (await started.stop())
        current = started
        watch(current)
        tell(`${name} runs again, after ${((performance.now() - since) / 1_000).toFixed(1)} s`)
        return
      } catch (thrown) {
        if (!isWanted) return
        tell(
          `${name} does not start: ${messageOf(thrown)}; the next attempt is in ${waitMs / 500} s`,
        )
      }
    }
  }
}

const indented = (text: string): string => text.replace(/^/gm, '    ')

const BACKOFF_MS = 500
const BACKOFF_MS_MAX = 30_000
