import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '@countersign/kernel'
import { startTimeOf } from './child.ts'
import { endLeftovers, watchOver } from './leftovers.ts'
import { DATA } from './paths.ts'
import { type Ports, takePorts } from './ports.ts'

/** One set of everything, beside others: a folder, a block of ports, and the processes in it. */
export type Instance = {
  readonly name: string
  readonly dir: string
  readonly ports: Ports
  /** Gives the folder and the ports back, after everything was stopped. */
  release(): Promise<void>
}

/** Takes an instance for this process. What an earlier one left running is ended, and its data removed. */
export async function takeInstance(name: string): Promise<Instance> {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(name)) {
    throw new Problem('CS_CONFIG_INVALID', `not a name of an instance: ${name}`)
  }
  const dir = dirOf(name)
  const owner = ownerOf(name)
  if (owner !== null) {
    throw new Problem(
      'CS_CONFIG_INVALID',
      `the instance ${name} is already running (process ${owner.pid})`,
      {
        hint: `Stop it with "npm run down -- --instance ${name}".`,
      },
    )
  }
  await endLeftovers(dir)
  await rm(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const { ports, lock } = await takePorts(baseOf(name))
  writeFileSync(
    ownerFile(name),
    JSON.stringify({ pid: process.pid, start: startTimeOf(process.pid), base: ports.base }),
  )
  const watch = watchOver(dir)
  return {
    name,
    dir,
    ports,
    async release() {
      await rm(ownerFile(name), { force: true })
      await new Promise((resolve) => lock.close(resolve))
      watch.release()
    },
  }
}

/** The process that runs an instance, if there is one. */
export function ownerOf(name: string): { pid: number; base: number } | null {
  const file = ownerFile(name)
  if (!existsSync(file)) return null
  try {
    const owner: { pid: number; start: number; base: number } = JSON.parse(
      readFileSync(file, 'utf8'),
    )
    return startTimeOf(owner.pid) === owner.start ? owner : null
  } catch {
    return null
  }
}

/** The folder of an instance. */
export const dirOf = (name: string): string => join(DATA, name)

const ownerFile = (name: string): string => join(dirOf(name), 'instance.json')

function baseOf(name: string): number | null {
  const wanted = process.env['COUNTERSIGN_PORT_BASE']
  if (wanted === undefined || wanted === '') return name === DEFAULT_INSTANCE ? DEFAULT_BASE : null
  const base = Number(wanted)
  if (Number.isInteger(base) && base >= 1024 && base <= 64_000) return base
  throw new Problem('CS_CONFIG_INVALID', `COUNTERSIGN_PORT_BASE is ${wanted}`, {
    hint: 'Set it to a whole number from 1024 to 64000.',
  })
}

/** The instance of `npm run demo` and `npm run up`. */
export const DEFAULT_INSTANCE = 'demo'
const DEFAULT_BASE = 17_000
