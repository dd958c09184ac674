import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, realpath, rename, rm, stat } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { mavenJars, once } from './maven-jars.ts'
import { CACHE, ROOT } from './paths.ts'

/** The class path of a real Apache Kafka, from Maven Central; fetched once. */
export const kafkaClassPath = (): Promise<string> =>
  mavenJars({
    name: 'Apache Kafka',
    version: KAFKA_VERSION,
    pom: join(ROOT, 'infra', 'local', 'pom.xml'),
  })

/** A formatted storage folder, copied from one that was formatted once: formatting takes a JVM and 2 s. */
export async function formattedStorage(
  target: string,
  format: (dir: string) => Promise<void>,
): Promise<void> {
  const formatted = join(CACHE, `kafka-${KAFKA_VERSION}-storage`)
  await once(formatted, format)
  await cp(formatted, target, { recursive: true })
}

/**
 * The classes of Kafka as Java has loaded them once (class data sharing): a start takes 1.0 s of a processor instead of 1.7 s.
 * Java writes the archive when the first Kafka ends, and looks itself whether it is of its own version.
 */
export async function classArchive(
  home: string,
): Promise<{ args: readonly string[]; keep(how: string): Promise<void> }> {
  const java = await javaIdentity()
  const archive = join(CACHE, `kafka-${KAFKA_VERSION}-${java}.jsa`)
  if (existsSync(archive))
    return { args: [`-XX:SharedArchiveFile=${archive}`], keep: () => Promise.resolve() }
  const made = join(home, 'classes.jsa')
  await rm(made, { force: true })
  return {
    args: [`-XX:ArchiveClassesAtExit=${made}`],
    async keep(how) {
      if (how === 'SIGKILL' || !existsSync(made)) return
      // Another instance may be faster, or the folder gone: the next Kafka writes it again.
      await rename(made, archive).catch(() => undefined)
    },
  }
}

/** A mark of the Java on the PATH, found without starting it. */
async function javaIdentity(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const found = folders.map((folder) => join(folder, 'java')).find((file) => existsSync(file))
  if (found === undefined) return 'unknown'
  const { mtimeMs, size } = await stat(found)
  return createHash('sha256')
    .update(`${await realpath(found)} ${mtimeMs} ${size}`)
    .digest('hex')
    .slice(0, 12)
}

/** The version of Kafka, as in pom.xml beside this package. */
export const KAFKA_VERSION = '4.4.0'
