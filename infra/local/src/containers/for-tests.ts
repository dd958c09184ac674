import { type KafkaOptions, startKafka } from '../kafka.ts'
import { type Postgres, type PostgresOptions, startPostgres } from '../postgres.ts'
import { missing, type Running } from './container.ts'
import { engine } from './engine.ts'
import { imageOf, type Part } from './images.ts'
import { startKafkaContainer } from './kafka-container.ts'
import { startPostgresContainer } from './postgres-container.ts'

/** A Kafka that a test may freeze, kill and start again. */
export type KafkaForTests = Running & { readonly brokers: string }

/** A PostgreSQL for a test: its address, and the log of what it was asked. */
export type PostgresForTests = Pick<Postgres, 'port' | 'adminUrl' | 'caFile' | 'logFile' | 'stop'>

/** Kafka for an integration test: in a container when an engine answers, the local part otherwise. */
export async function kafkaForTests(options: KafkaOptions): Promise<KafkaForTests> {
  const image = await chosenImage('kafka')
  return image === null ? localKafka(options) : startKafkaContainer(image, options)
}

/** PostgreSQL for an integration test: in a container when an engine answers, the local part otherwise. */
export async function postgresForTests(options: PostgresOptions): Promise<PostgresForTests> {
  const image = await chosenImage('postgres')
  return image === null ? startPostgres(options) : startPostgresContainer(image, options)
}

async function localKafka(options: KafkaOptions): Promise<KafkaForTests> {
  let kafka = await startKafka(options)
  return {
    brokers: kafka.brokers,
    freeze: () => kafka.freeze(),
    thaw: async () => kafka.thaw(),
    kill9: () => kafka.kill9(),
    stop: () => kafka.stop(),
    async restart() {
      await kafka.stop()
      kafka = await startKafka(options)
    },
  }
}

/** The image to run, or null for the local part. Decided, and said, once for each process. */
function chosenImage(part: Part): Promise<string | null> {
  const decided = decisions.get(part) ?? choose(part)
  decisions.set(part, decided)
  return decided
}

async function choose(part: Part): Promise<string | null> {
  const { answers, because } = await engine()
  const image = imageOf(part)
  const obstacle = answers ? await missing(image) : null
  const isContainer = answers && obstacle === null
  const why = obstacle === null ? because : `${because}, but ${obstacle}`
  process.stdout.write(`· ${part}: ${isContainer ? `container ${image}` : 'local part'} (${why})\n`)
  return isContainer ? image : null
}

const decisions = new Map<Part, Promise<string | null>>()
