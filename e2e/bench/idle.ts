/**
 * `node e2e/bench/idle.ts [seconds]`: the processor time that a system takes with nobody connected, process by process, and
 * then how long single requests take. Processor time is counted by the kernel, so other work on the machine changes it little.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { startSystem } from '@countersign/local'
import { applyCatalog } from '../support/reviewer.ts'
import { measureRequests } from './requests.ts'

const SETTLE_MS = 15_000
const TICKS_A_SECOND = 100
const seconds = Number(process.argv[2] ?? 30)
const system = await startSystem({ name: 'bench-idle', quiet: true })
try {
  await applyCatalog(system)
  await pause(SETTLE_MS)
  const before = ticksByProcess()
  await pause(seconds * 1_000)
  const used = [...ticksByProcess()].flatMap(([name, ticks]): [string, number][] => {
    const spent = ticks - (before.get(name) ?? ticks)
    return spent > 0 ? [[name, (spent / TICKS_A_SECOND / seconds) * 100]] : []
  })
  const total = used.reduce((sum, [, percent]) => sum + percent, 0)
  for (const [name, percent] of [...used, ['all', total] as const].sort((a, b) => b[1] - a[1]))
    console.log(`${percent.toFixed(2).padStart(6)} % of a core  ${name}`)
  console.log(JSON.stringify(await measureRequests(system, { statements: 100, approvals: 9 })))
} finally {
  await system.stop()
}

/** The processor time of all processes of the instance so far: services, Kafka by thread, and PostgreSQL. */
function ticksByProcess(): Map<string, number> {
  const found = new Map<string, number>()
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const command = readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
    if (Number(pid) === process.pid || !isOfInstance(pid)) continue
    const service = /services\/([a-z-]+)\/src\/main/.exec(command)?.[1]
    if (command.startsWith('java')) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const stat = `/proc/${pid}/task/${thread}/stat`
        add(`kafka: ${threadName(readOr(stat))}`, ticksIn(stat))
      }
      continue
    }
    add(service ?? command.split(' ')[0] ?? '', ticksIn(`/proc/${pid}/stat`))
  }
  return found

  function add(name: string, ticks: number): void {
    found.set(name, (found.get(name) ?? 0) + ticks)
  }
}

/** A process belongs to the instance if it names the folder of the instance, or was started by one that does. */
function isOfInstance(pid: string): boolean {
  const said = `${readOr(`/proc/${pid}/cmdline`)} ${readOr(`/proc/${pid}/environ`)}`
  if (said.includes(system.instance.dir)) return true
  const parent = statOf(`/proc/${pid}/stat`)[1] ?? '0'
  return Number(parent) > 1 && Number(parent) !== process.pid && isOfInstance(parent)
}

/** Threads of a pool count as one. */
function threadName(stat: string): string {
  return stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')).replace(/[#-]?\d+.*$/, '')
}

function ticksIn(file: string): number {
  const fields = statOf(file)
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0)
}

/** The fields of a stat file that follow the name of the process. */
function statOf(file: string): string[] {
  return readOr(file).split(') ').at(-1)?.split(' ') ?? []
}

function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
