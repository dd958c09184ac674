import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '@countersign/kernel'
import { startTimeOf } from './child.ts'
import { endLeftovers, watchOver } from './leftovers.ts'
import { DATA } from './paths.ts'
import { type Ports, takePorts } from './ports.ts'
import { say } from './progress.ts'
import { removeWhenGreen } from './test-leftovers.ts'

/** One local installation, beside others: a folder, a block of ports, and the processes in it. */
export type Instance = {
  readonly name: string
  readonly dir: string
  readonly ports: Ports
  /** Gives the folder and the ports back, after everything was stopped. */
  release(): Promise<void>
}

export type TakeOptions = {
  /** Goes on with the data of an earlier run, on its ports, and leaves them for the next; by default, begins anew. */
  readonly keep?: boolean
  /** Deletes the kept data first. */
  readonly fresh?: boolean
}

/**
 * Takes an instance for this process. Processes that an earlier run left are ended. Kept data are deleted only by
 * `forget`: a run that begins anew puts them aside for as long as it lasts.
 */
export async function takeInstance(
  name: string,
  { keep = false, fresh = false }: TakeOptions = {},
): Promise<Instance> {
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
  if (fresh) await forget(name)
  const aside = asideOf(name)
  if (existsSync(keptFile(dir)) && !keep && !existsSync(aside)) {
    say(`what "npm run up" keeps of ${name} is put aside while this lasts`)
    await rename(dir, aside)
  }
  if (!existsSync(keptFile(dir))) {
    await rm(dir, { recursive: true, force: true })
    if (keep && existsSync(aside)) await rename(aside, dir)
  }
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const kept = keep ? keptBase(dir) : null
  const { ports, lock } = await takePorts(kept ?? baseOf(name))
  if (keep) writeFileSync(keptFile(dir), `${JSON.stringify({ base: ports.base })}\n`)
  const isTest = process.env['NODE_TEST_CONTEXT'] !== undefined && !keep
  if (isTest) removeWhenGreen(dir)
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
      if (keep || !existsSync(aside)) return
      await rm(dir, { recursive: true, force: true })
      await rename(aside, dir)
    },
  }
}

/** True if data of this instance are kept for the next `npm run up`. */
export const isKept = (name: string): boolean =>
  existsSync(keptFile(dirOf(name))) || existsSync(asideOf(name))

/** Deletes an instance that does not run, with everything that was kept of it. */
export async function forget(name: string): Promise<void> {
  await rm(asideOf(name), { recursive: true, force: true })
  await rm(dirOf(name), { recursive: true, force: true })
}

/** The base of the ports that a kept instance has, since its catalog names one of them. */
function keptBase(dir: string): number | null {
  try {
    const kept: { base?: unknown } = JSON.parse(readFileSync(keptFile(dir), 'utf8'))
    return typeof kept.base === 'number' ? kept.base : null
  } catch {
    return null
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

const keptFile = (dir: string): string => join(dir, 'kept.json')
/** The folder of the kept data while a run that begins anew has their place. */
const asideOf = (name: string): string => `${dirOf(name)}.kept`
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
