import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { memoryOf, type System } from '@countersign/local'
import { connectPg } from '../support/node-postgres.ts'
import { rounded } from './figures.ts'
import type { Paths } from './paths.ts'
import { pgbench } from './statements.ts'

export type SessionFigures = {
  /** To open a session, run one statement and close it, one after the other. */
  readonly openMs: number
  /** The same at the target itself, for comparison. */
  readonly directOpenMs: number
  /** The number of sessions per second that eight clients at once open, use for one statement and close. */
  readonly perSecond: number
  /** The memory that each idle session adds to the proxy, in KiB. */
  readonly idleKibibytes: number
  readonly idleSessions: number
}

/** Measures how fast sessions open, and the memory that they take while they are idle. */
export async function measureSessions(
  system: System,
  paths: Paths,
  options: { seconds: number; idleSessions: number },
): Promise<SessionFigures> {
  const script = join(system.instance.dir, 'one.sql')
  await writeFile(script, 'select 1;\n')
  const run = { script, seconds: options.seconds, mode: 'simple', reconnects: true } as const
  await pgbench(paths.countersign, { ...run, clients: 1 })
  const one = await pgbench(paths.countersign, { ...run, clients: 1 })
  const direct = await pgbench(paths.direct, { ...run, clients: 1 })
  const eight = await pgbench(paths.countersign, { ...run, clients: 8 })
  const idleKibibytes = await idleMemory(system, options.idleSessions)
  return {
    openMs: rounded(one.latencyMs, 1),
    directOpenMs: rounded(direct.latencyMs, 1),
    perSecond: rounded(eight.perSecond, 1),
    idleKibibytes,
    idleSessions: options.idleSessions,
  }
}

/**
 * The growth of the memory of a freshly started proxy, in KiB, for each of some sessions that are open and idle. A proxy that
 * was loaded before has free room that new sessions fill unmeasured; the first sessions load code that all sessions share.
 */
async function idleMemory(system: System, sessions: number): Promise<number> {
  const proxy = system.service('proxy')
  await proxy.stop()
  await proxy.start()
  const open: AsyncDisposable[] = []
  const opened = async (count: number): Promise<number> => {
    for (let index = 0; index < count; index++) open.push(await connectPg(system, 'shop-dev'))
    await pause(SETTLE_MS)
    return memoryOf([proxy.pid()]).bytes / 1024
  }
  try {
    const before = await opened(WARM_UP_SESSIONS)
    return rounded(((await opened(sessions)) - before) / sessions, 1)
  } finally {
    await Promise.all(open.map((session) => session[Symbol.asyncDispose]()))
  }
}

const WARM_UP_SESSIONS = 20
/** The time in which the proxy gives back the memory that it needs only to open sessions. */
const SETTLE_MS = 5_000

/** The resident memory of a process (VmRSS), in KiB. */
export async function residentKibibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
}
