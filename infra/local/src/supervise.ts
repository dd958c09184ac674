import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '@countersign/kernel'
import { type Child, startChild } from './child.ts'
import { ROOT } from './paths.ts'
import { standing } from './standing.ts'
import { mainOf, nodeOptionsOf, type ServiceName } from './services.ts'

/** A service that can be stopped, killed, frozen and started again. */
export type ServiceHandle = {
  readonly name: ServiceName
  readonly healthPort: number
  /** The log of all its processes. */
  readonly logFile: string
  pid(): number
  running(): boolean
  /** Resolves when /readyz says yes; throws with what it printed where it does not. */
  ready(limitMs?: number): Promise<void>
  /** Starts it again after `stop` or `kill9`, with changed settings if given, and waits until it is ready. */
  start(env?: Readonly<Record<string, string>>): Promise<void>
  stop(): Promise<void>
  kill9(): Promise<void>
  /** Resolves when it stands still. */
  freeze(): Promise<void>
  thaw(): void
  lastLines(): string
}

export type ServiceOptions = {
  dir: string
  healthPort: number
  env: Readonly<Record<string, string>>
  echo?: boolean
  /** Starts it again when it ends by itself. */
  supervise?: boolean
}

/** Starts a service as a process of its own, with nothing of our environment but PATH and HOME. */
export async function spawnService(
  name: ServiceName,
  options: ServiceOptions,
): Promise<ServiceHandle> {
  const { dir, healthPort } = options
  const logFile = join(dir, 'logs', `${name}.log`)
  let settings = options.env
  let isSettled = false
  const spawned = async (): Promise<Child> => {
    await writeFile(join(dir, `${name}.env`), envFile(settings), { mode: 0o600 })
    return startChild({
      dir,
      name,
      logFile,
      file: process.execPath,
      args: [...nodeOptionsOf(name), mainOf(name)],
      cwd: join(ROOT, 'services', name),
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...settings },
      echo: options.echo === true,
    })
  }
  const service = await standing(
    async () => {
      const child = await spawned()
      // The first start of a system waits for all services at once.
      if (isSettled) await readiness(child, READY_LIMIT_MS)
      return child
    },
    { supervise: options.supervise === true },
  )
  isSettled = true
  const ready = (limitMs = READY_LIMIT_MS): Promise<void> => readiness(service.current(), limitMs)
  async function readiness(child: Child, limitMs: number): Promise<void> {
    const until = performance.now() + limitMs
    while (child.running() && performance.now() < until) {
      if (await isReady(healthPort)) return
      await delay(READY_PAUSE_MS)
    }
    const why = child.running() ? 'is not ready in time' : 'has ended'
    throw new Problem('CS_INTERNAL', `${name} ${why}; it said:\n${child.lastLines()}`, {
      hint: `See ${logFile}.`,
    })
  }
  return {
    name,
    healthPort,
    logFile,
    ready: ready,
    pid: () => service.current().pid,
    running: () => service.current().running(),
    async start(env = {}) {
      settings = { ...settings, ...env }
      await service.restart()
    },
    stop: () => service.stop(),
    kill9: () => service.current().kill9(),
    freeze: () => service.current().freeze(),
    thaw: () => service.current().thaw(),
    lastLines: () => service.current().lastLines(),
  }
}

/** True if the service on this health port says that it is ready. */
export async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(1_000) }))
      .ok
  } catch {
    return false
  }
}

/** The settings as a file, for `npm start` in the folder of the service. */
const envFile = (env: Readonly<Record<string, string>>): string =>
  Object.entries(env)
    .filter(([name]) => name !== 'CS_STOP_WITH_STDIN')
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join('')

const READY_LIMIT_MS = 60_000
/** Eight services are waited for at once: asked forty times a second, they took a core that they need to start. */
const READY_PAUSE_MS = 100
