import { connect, createServer, type Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '@countersign/kernel'

/** The ports of an instance, from its base (decision D16). */
export type Ports = {
  readonly base: number
  readonly console: number
  readonly replay: number
  readonly identity: number
  readonly kafka: number
  readonly kafkaController: number
  readonly proxyPostgres: number
  readonly postgres: number
  /** The health port of a service, by its place in the list of services. */
  health(index: number): number
}

/** The ports above a base. The base itself is held as the lock of the block. */
export const portsFrom = (base: number): Ports => ({
  base,
  console: base + 80,
  replay: base + 81,
  identity: base + 90,
  kafka: base + 92,
  kafkaController: base + 93,
  proxyPostgres: base + 432,
  postgres: base + 532,
  health: (index) => base + 101 + index,
})

/** Takes a block of ports for as long as the lock is held: the given one, or the next that is free. */
export async function takePorts(base: number | null): Promise<{ ports: Ports; lock: Server }> {
  const bases = base === null ? FREE_BASES : [base]
  for (const candidate of bases) {
    const ports = portsFrom(candidate)
    const lock = await held(candidate)
    if (lock === null) continue
    const busy = (
      await Promise.all(named(ports).map(async (port) => ((await isFree(port)) ? [] : [port])))
    ).flat()
    if (busy.length === 0) return { ports, lock }
    await new Promise((resolve) => lock.close(resolve))
    if (base !== null) throw inUse(busy[0] ?? base)
  }
  throw inUse(bases[0] ?? 0)
}

/** Resolves when something listens on the port; `alive` says whether waiting still makes sense. */
export async function listensOn(
  port: number,
  limitMs: number,
  alive: () => boolean,
): Promise<boolean> {
  const until = performance.now() + limitMs
  while (performance.now() < until && alive()) {
    if (await accepts(port)) return true
    await delay(25)
  }
  return false
}

/** True if nobody listens on the port. */
export async function isFree(port: number): Promise<boolean> {
  const server = await held(port)
  if (server === null) return false
  await new Promise((resolve) => server.close(resolve))
  return true
}

/** The problem of a port that something else has. */
export const inUse = (port: number): Problem =>
  new Problem('CS_CONFIG_INVALID', `port ${port} is in use`, {
    hint: `See who has it with "ss -ltnp 'sport = :${port}'", run "npm run down", or set COUNTERSIGN_PORT_BASE to another block.`,
  })

const named = (ports: Ports): number[] =>
  Object.values(ports).flatMap((port) =>
    typeof port === 'number' && port !== ports.base ? [port] : [],
  )

function held(port: number): Promise<Server | null> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server))
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const done = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** The bases lie below the ports that Linux gives to outgoing connections. */
const FREE_BASES = Array.from({ length: 11 }, (_, index) => 21_000 + index * 1_000)
