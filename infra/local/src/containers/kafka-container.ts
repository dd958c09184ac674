import { join } from 'node:path'
import { CLUSTER_ID, type KafkaOptions, serverProperties } from '../kafka.ts'
import { type Running, startContainer } from './container.ts'

/** Starts Kafka in a container with the settings of the local one; its data lives as long as the container. */
export async function startKafkaContainer(
  image: string,
  options: KafkaOptions,
): Promise<Running & { readonly brokers: string }> {
  const properties = serverProperties(options, { data: DATA, listenOn: '0.0.0.0' })
  const running = await startContainer({
    image,
    port: options.port,
    logFile: join(options.dir, 'logs', 'kafka.log'),
    with: (container) =>
      container
        .withEntrypoint(['/bin/sh', '-c', START])
        .withEnvironment({ KAFKA_HEAP_OPTS: '-Xmx256m -Xms64m' })
        .withCopyContentToContainer([{ content: properties, target: PROPERTIES, mode: 0o444 }]),
  })
  return { ...running, brokers: `127.0.0.1:${options.port}` }
}

/** A folder of the image that its own user may write. */
const DATA = '/var/lib/kafka/data'
const PROPERTIES = '/tmp/countersign.properties'
/** Replaces the start of the image itself, which takes its settings from variables; ours are a file. */
const START = `
[ -f ${DATA}/meta.properties ] ||
  /opt/kafka/bin/kafka-storage.sh format -t ${CLUSTER_ID} -c ${PROPERTIES} || exit 1
exec /opt/kafka/bin/kafka-server-start.sh ${PROPERTIES}
`
