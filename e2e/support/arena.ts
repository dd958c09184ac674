import { after } from 'node:test'
import { startSystem, type System, type SystemOptions } from '@countersign/local'
import { applyCatalog } from './reviewer.ts'

/** A whole system with the example catalog, for one test file; stopped when its tests are done. */
export async function arena(
  name: string,
  options: Omit<SystemOptions, 'name'> = {},
): Promise<System> {
  const system = await startSystem({
    name: `test-${name}`,
    quiet: true,
    ...options,
    env: { ...options.env },
  })
  after(() => system.stop())
  const answer = await applyCatalog(system)
  if (answer.status !== 200)
    throw new Error(`the catalog was not applied: ${JSON.stringify(answer.body)}`)
  return system
}
