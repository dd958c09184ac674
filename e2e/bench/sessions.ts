import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { System } from '@countersign/local'
import { connectPg } from '../support/node-postgres.ts'
import { rounded } from './figures.ts'
import type { Paths } from './paths.ts'
import { pgbench } from './statements.ts'

export type SessionFigures = {
  /** To open a session, run one statement and close it, one after the other. */
  readonly openMs: number
  /** The same at the target itself, for comparison. */
  readonly directOpenMs: number
  /** With eight at once. */
  readonly perSecond: number
  /** What a session that does nothing adds to the memory of the proxy. */
  readonly idleKibibytes: number
  readonly idleSessions: number
}

/** How fast sessions open, and what they cost while they are idle. */
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

/** The growth of the resident memory of the proxy, for each of some sessions that are open and idle. */
async function idleMemory(system: System, sessions: number): Promise<number> {
  const pid = system.service('proxy').pid()
  const before = await residentKibibytes(pid)
  const open: AsyncDisposable[] = []
  try {
    for (let index = 0; index < sessions; index++) open.push(await connectPg(system, 'shop-dev'))
    return rounded(((await residentKibibytes(pid)) - before) / sessions, 1)
  } finally {
    await Promise.all(open.map((session) => session[Symbol.asyncDispose]()))
  }
}

/** VmRSS, in KiB. */
export async function residentKibibytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1])
}
