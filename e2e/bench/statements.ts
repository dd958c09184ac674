import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { say, type System } from '@countersign/local'
import { median, rounded } from './figures.ts'
import { type PathName, type Paths, PATHS } from './paths.ts'

/** One small SELECT by many clients: `pgbench -S` on the shop, each statement with another literal. */
export type StatementFigures = {
  readonly mode: 'simple' | 'prepared'
  readonly clients: number
  readonly latencyMs: Readonly<Record<PathName, number>>
  readonly perSecond: Readonly<Record<PathName, number>>
}

export type Effort = { rounds: number; seconds: number; warmUpSeconds: number }

/** Measures every path in turn, several times, so that the noise of the machine hits all alike; gives the medians. */
export async function measureStatements(
  system: System,
  paths: Paths,
  effort: Effort,
): Promise<StatementFigures[]> {
  const script = join(system.instance.dir, 'select.sql')
  await writeFile(script, SELECT)
  // Eight processes and a JVM compile their hot code on the same cores: figures without a warm-up measure the compilers.
  say(`warming up for ${effort.warmUpSeconds * 2} s`)
  for (const clients of [8, 1])
    await pgbench(paths.countersign, {
      script,
      clients,
      seconds: effort.warmUpSeconds,
      mode: 'simple',
    })
  const figures: StatementFigures[] = []
  for (const mode of ['simple', 'prepared'] as const)
    for (const clients of [1, 8, 32]) {
      const runs = PATHS.map((path) => ({
        path,
        latencyMs: [] as number[],
        perSecond: [] as number[],
      }))
      for (let round = 0; round < effort.rounds; round++)
        for (const run of runs) {
          const found = await pgbench(paths[run.path], {
            script,
            clients,
            seconds: effort.seconds,
            mode,
          })
          run.latencyMs.push(found.latencyMs)
          run.perSecond.push(found.perSecond)
        }
      const all = <T>(of: (run: (typeof runs)[number]) => T) =>
        Object.fromEntries(runs.map((run) => [run.path, of(run)])) as Record<PathName, T>
      const latencyMs = all((run) => rounded(median(run.latencyMs), 3))
      const perSecond = all((run) => rounded(median(run.perSecond), 0))
      figures.push({ mode, clients, latencyMs, perSecond })
      say(
        `${mode}, ${clients} clients: ${PATHS.map((path) => `${path} ${perSecond[path]}/s`).join(', ')}`,
      )
    }
  return figures
}

export type PgbenchOptions = {
  script: string
  clients: number
  seconds: number
  mode: 'simple' | 'prepared'
  /** A new connection for each statement. */
  reconnects?: boolean
}

/** Runs pgbench for some seconds. */
export async function pgbench(
  env: Readonly<Record<string, string>>,
  { script, clients, seconds, mode, reconnects = false }: PgbenchOptions,
): Promise<{ latencyMs: number; perSecond: number }> {
  // Connecting blocks a thread of pgbench, so each client that reconnects has its own.
  const threads = reconnects ? clients : 1
  const args = ['-n', '-T', seconds, '-c', clients, '-j', threads, '-M', mode, '-f', script]
  const { stdout } = await execute(
    'pgbench',
    [...args, ...(reconnects ? ['-C'] : [])].map(String),
    {
      env,
    },
  )
  return {
    latencyMs: Number(/latency average = ([\d.]+)/.exec(stdout)?.[1]),
    perSecond: Number(/tps = ([\d.]+)/.exec(stdout)?.[1]),
  }
}

const execute = promisify(execFile)
const SELECT = '\\set id random(1, 5)\nselect id, name from shop.products where id = :id;\n'
