import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { execute } from './execute.ts'
import { CACHE, ROOT } from './paths.ts'
import { say, step } from './progress.ts'

/** The class path of a real Apache Kafka, from Maven Central; fetched once. */
export async function kafkaClassPath(): Promise<string> {
  const jars = join(CACHE, `kafka-${KAFKA_VERSION}`)
  if (!existsSync(jars)) {
    say(`fetching Apache Kafka ${KAFKA_VERSION} from Maven Central, once`)
    await step(`fetched Apache Kafka ${KAFKA_VERSION}`, () => once(jars, fetchJars))
  }
  return join(jars, '*')
}

/** A formatted storage folder, copied from one that was formatted once: formatting takes a JVM and 2 s. */
export async function formattedStorage(
  target: string,
  format: (dir: string) => Promise<void>,
): Promise<void> {
  const formatted = join(CACHE, `kafka-${KAFKA_VERSION}-storage`)
  await once(formatted, format)
  await cp(formatted, target, { recursive: true })
}

/** Makes a folder in one step, so that two processes that start at once never see half of it. */
async function once(target: string, make: (dir: string) => Promise<void>): Promise<void> {
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

async function fetchJars(dir: string): Promise<void> {
  const pom = join(ROOT, 'infra', 'local', 'pom.xml')
  await execute('mvn', [
    '-q',
    '-B',
    '-f',
    pom,
    'dependency:copy-dependencies',
    `-DoutputDirectory=${dir}`,
  ])
}

/** As in pom.xml beside this package. */
const KAFKA_VERSION = '4.4.0'
