import { cp } from 'node:fs/promises'
import { join } from 'node:path'
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

/** As in pom.xml beside this package. */
export const KAFKA_VERSION = '4.4.0'
