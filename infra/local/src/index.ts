export { certificateAuthority, type Certificate, serverCertificate } from './certificates.ts'
export { type Child, startChild } from './child.ts'
export {
  kafkaForTests,
  type KafkaForTests,
  postgresForTests,
  type PostgresForTests,
} from './containers/for-tests.ts'
export {
  DEFAULT_INSTANCE,
  dirOf,
  forget,
  type Instance,
  isKept,
  ownerOf,
  takeInstance,
} from './instance.ts'
export { type Kafka, type KafkaOptions, startKafka } from './kafka.ts'
export { mavenJars, once } from './maven-jars.ts'
export { memoryOf } from './memory.ts'
export { CACHE, ROOT } from './paths.ts'
export { AGENTS, PEOPLE } from './people.ts'
export { isFree, listensOn, type Ports, takePorts } from './ports.ts'
export { asOtherUser, type Postgres, type PostgresOptions, startPostgres } from './postgres.ts'
export { say } from './progress.ts'
export { reported } from './reported.ts'
export { makeSecrets, type Secrets } from './secrets.ts'
export { type BrokerLogin, ENVIRONMENTS, seedShop, urlOf } from './seed.ts'
export { presentServices, type ServiceName, SERVICES, topologies } from './services.ts'
export { isReady, type ServiceHandle, spawnService } from './supervise.ts'
export { startInfrastructure, startSystem, type System, type SystemOptions } from './system.ts'
export { ensureSystemParts } from './system-parts.ts'
export { tokenFor } from './token-for.ts'
export { provision, type Provisioning, topicsOf } from './topics.ts'
export { scramVerifier } from './scram.ts'
export { typed } from './typed.ts'
export { commandLine, linkCommand } from './link.ts'
export { waysIn } from './ways-in.ts'
