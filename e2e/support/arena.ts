import { after } from 'node:test'
import { startSystem, type System, type SystemOptions } from '@countersign/local'
import { endEveryPsql } from './agent.ts'
import { everyLineHasItsRelease } from './releases.ts'
import { applyCatalog } from './reviewer.ts'

/**
 * A whole system with the example catalog, for one test file. After the tests of the file, whatever they are about, the
 * target's own log must agree with the releases (see `everyLineHasItsRelease`); then the system is stopped.
 */
export async function arena(
  name: string,
  { isCutShort = false, ...options }: ArenaOptions = {},
): Promise<System> {
  const system = await startSystem({
    name: `test-${name}`,
    quiet: true,
    ...options,
    env: { ...options.env },
  })
  after(async () => {
    try {
      await everyLineHasItsRelease(system, { isCutShort })
    } finally {
      endEveryPsql()
      await system.stop()
    }
  })
  const answer = await applyCatalog(system)
  if (answer.status !== 200)
    throw new Error(`the catalog was not applied: ${JSON.stringify(answer.body)}`)
  return system
}

export type ArenaOptions = Omit<SystemOptions, 'name'> & {
  /**
   * True if the tests kill or freeze Kafka or the proxy. Then a release may be without a recorded end: the log did not
   * acknowledge it, so that nothing came to the target, or the proxy was gone before it could record how the request ended.
   */
  readonly isCutShort?: boolean
}
