import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Topology } from '@countersign/log'
import { ROOT } from './paths.ts'

/** The services, in the order in which they are started. Their place gives each its health port. */
export const SERVICES = [
  'policy',
  'approval',
  'credential-broker',
  'masking',
  'recorder',
  'replay',
  'console',
  'proxy',
] as const

export type ServiceName = (typeof SERVICES)[number]

/**
 * Options of node for a service. The optimizing compiler for WebAssembly takes 500 MB for seconds to compile the grammar of
 * PostgreSQL once more, in the middle of the first thousands of statements, and what it makes is no faster.
 */
export const nodeOptionsOf = (service: ServiceName): readonly string[] =>
  service === 'proxy' ? ['--liftoff-only'] : []

/** The file with which a service begins. */
export const mainOf = (service: ServiceName): string =>
  join(ROOT, 'services', service, 'src', 'main.ts')

/** The services that exist in this checkout. */
export const presentServices = (): ServiceName[] =>
  SERVICES.filter((service) => existsSync(mainOf(service)))

/** The topics that the services of this checkout say that they read and write. */
export async function topologies(): Promise<Topology[]> {
  const files = SERVICES.map((service) => join(ROOT, 'services', service, 'src', 'topology.ts'))
  return Promise.all(
    files.filter(existsSync).map(async (file) => {
      const module: { topology: Topology } = await import(pathToFileURL(file).href)
      return module.topology
    }),
  )
}
