import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execute } from './execute.ts'
import { CACHE } from './paths.ts'
import { say, step } from './progress.ts'

/** The part of Maven Central that is wanted: its name and version, as in the pom that lists it. */
export type MavenJars = { readonly name: string; readonly version: string; readonly pom: string }

/** A class path with everything that a pom depends on, from Maven Central; fetched once. */
export async function mavenJars({ name, version, pom }: MavenJars): Promise<string> {
  const jars = join(CACHE, `${name.toLowerCase().replaceAll(' ', '-')}-${version}`)
  if (!existsSync(jars)) {
    say(`fetching ${name} ${version} from Maven Central, once`)
    await step(`fetched ${name} ${version}`, () => once(jars, (dir) => fetchJars(pom, dir)))
  }
  return join(jars, '*')
}

/** Makes a folder in one step, so that two processes that start at once never see half of it. */
export async function once(target: string, make: (dir: string) => Promise<void>): Promise<void> {
  if (existsSync(target)) return
  await mkdir(CACHE, { recursive: true })
  const dir = await mkdtemp(`${target}-`)
  try {
    await make(dir)
    await rename(dir, target)
  } catch (thrown) {
    await rm(dir, { recursive: true, force: true })
    if (!existsSync(target)) throw thrown
  }
}

async function fetchJars(pom: string, dir: string): Promise<void> {
  await execute('mvn', [
    ...['-q', '-B', '-f', pom],
    ...['dependency:copy-dependencies', `-DoutputDirectory=${dir}`],
  ])
}
