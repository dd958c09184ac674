import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeCatalog } from './catalog.ts'
import { type Child, startChild } from './child.ts'
import { environmentOf } from './environment.ts'
import { type Instance, takeInstance } from './instance.ts'
import { type Kafka, startKafka } from './kafka.ts'
import { memoryOf } from './memory.ts'
import { COMPILED, ROOT } from './paths.ts'
import { listensOn } from './ports.ts'
import { type Postgres, startPostgres } from './postgres.ts'
import { say, step } from './progress.ts'
import { makeSecrets, type Secrets } from './secrets.ts'
import { ENVIRONMENTS, seedShop } from './seed.ts'
import { presentServices, SERVICES, type ServiceName, topologies } from './services.ts'
import { type Standing, standing } from './standing.ts'
import { type ServiceHandle, spawnService } from './supervise.ts'
import { tokenFor } from './token-for.ts'
import { provision } from './topics.ts'
import { Problem } from '@countersign/kernel'

export type SystemOptions = {
  /** The name of the instance; its folder is emptied first, unless it is kept. */
  name: string
  /** Goes on with the data, secrets and ports of the run before. */
  keep?: boolean
  /** Deletes the kept data first. */
  fresh?: boolean
  /** Starts a process again that ends by itself, and says so. */
  supervise?: boolean
  /** The services to start; by default all that exist. */
  services?: readonly ServiceName[]
  /** Settings that differ from the usual, for each service. */
  env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>
  /** Set where its speed is measured. */
  isMeasured?: boolean
  /** Prints what the services log, too. */
  echo?: boolean
  /** Says nothing about the progress. */
  quiet?: boolean
}

/** Kafka, PostgreSQL with the shop, the identity provider, and the services: everything, for real. */
export type System = AsyncDisposable & {
  readonly instance: Instance
  readonly secrets: Secrets
  readonly brokers: string
  readonly issuer: string
  readonly postgres: Postgres
  /** The certificate authority that verifies the proxy and the target. */
  readonly caFile: string
  /** The log of everything that the target was asked. */
  readonly targetLogFile: string
  /** The folder of the example catalog with the ports of this instance; it is not applied yet. */
  readonly catalogDir: string
  readonly urls: { readonly console: string; readonly replay: string }
  kafka(): Kafka
  /** Starts Kafka again on the same data, after it was stopped or killed. */
  restartKafka(): Promise<void>
  service(name: ServiceName): ServiceHandle
  readonly services: readonly ServiceHandle[]
  /** The login of a user to Kafka; `observer` may read everything. */
  kafkaLogin(user: string): { username: string; password: string }
  tokenFor(name: string, ttlSeconds?: number): Promise<string>
  memory(): { bytes: number; processes: number }
  stop(): Promise<void>
}

/** Starts a whole system. The started parts are stopped again when something does not start. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const instance = await takeInstance(options.name, options)
  const started: Stoppable[] = []
  try {
    return await assembled(options, instance, started)
  } catch (thrown) {
    await stopAll(instance, started)
    throw thrown
  }
}

/** Starts no service: Kafka, PostgreSQL and the identity provider only. */
export const startInfrastructure = (name: string): Promise<System> =>
  startSystem({ name, services: [], quiet: true })

type Stoppable = { stop(): Promise<void> }

async function assembled(
  options: SystemOptions,
  instance: Instance,
  started: Stoppable[],
): Promise<System> {
  const { dir, ports } = instance
  const timed: typeof step = options.quiet === true ? (_, run) => run() : step
  const secrets = await makeSecrets(dir)
  const issuer = `http://127.0.0.1:${ports.identity}`
  const kafkaOptions = {
    dir,
    port: ports.kafka,
    controllerPort: ports.kafkaController,
    users: secrets.kafkaUsers,
    isMeasured: options.isMeasured === true,
  }
  const seededFile = join(dir, 'shop-is-there')
  const keep = <T extends Stoppable>(stoppable: T): T => {
    started.push(stoppable)
    return stoppable
  }
  const supervised = { supervise: options.supervise === true }
  let kafka: Standing<Kafka> | undefined
  const [, postgres, identity] = await timed('Kafka, PostgreSQL and the identity provider', () =>
    allOf([
      async () => {
        kafka = keep(await standing(() => startKafka(kafkaOptions), supervised))
        await provision({
          brokers: kafka.current().brokers,
          admin: kafkaLogin(secrets, 'admin'),
          topologies: await topologies(),
          observers: ['observer'],
        })
      },
      async () => {
        // A run that ended while it made the shop left half of one.
        if (!existsSync(seededFile))
          await rm(join(dir, 'postgres'), { recursive: true, force: true })
        const server = keep(
          await standing(
            () => startPostgres({ dir, port: ports.postgres, tlsDir: secrets.tlsDir }),
            supervised,
          ),
        )
        if (!existsSync(seededFile)) {
          await writeTargetSecrets(secrets, await seedShop(server.current().adminUrl))
          await writeFile(seededFile, '')
        }
        return server
      },
      async () => keep(await standing(() => startIdentityProvider(instance), supervised)),
    ] as const),
  )
  const catalogDir = await writeCatalog(dir, ports.postgres)
  const around = { dir, ports, secrets, brokers: `127.0.0.1:${ports.kafka}`, issuer }
  const names = options.services ?? presentServices()
  const services: ServiceHandle[] = []
  await timed(
    names.length === 0 ? 'no service' : `${names.length} services: ${names.join(', ')}`,
    async () => {
      for (const name of names) {
        const env = { ...environmentOf(name, around), ...options.env?.[name] }
        const healthPort = ports.health(SERVICES.indexOf(name))
        services.push(
          keep(
            await spawnService(name, {
              ...{ dir, healthPort, env, echo: options.echo === true },
              ...supervised,
            }),
          ),
        )
      }
      await Promise.all(services.map((service) => service.ready()))
    },
  )
  const urls = {
    console: `http://127.0.0.1:${ports.console}`,
    replay: `http://127.0.0.1:${ports.replay}`,
  }
  // The command line finds this instance by this file.
  const cli = { consoleUrl: urls.console, replayUrl: urls.replay, issuer }
  await writeFile(join(dir, 'cli.json'), `${JSON.stringify(cli, null, 2)}\n`)
  const currentKafka = (): Kafka => {
    if (kafka === undefined) throw new Problem('CS_INTERNAL', 'Kafka was not started')
    return kafka.current()
  }
  const stop = (): Promise<void> => stopAll(instance, started)
  return {
    instance,
    secrets,
    brokers: around.brokers,
    issuer,
    postgres: postgres.current(),
    caFile: secrets.caFile,
    targetLogFile: postgres.current().logFile,
    catalogDir,
    urls,
    services,
    kafka: currentKafka,
    async restartKafka() {
      await kafka?.restart()
    },
    service(name) {
      const found = services.find((service) => service.name === name)
      if (found === undefined) throw new Problem('CS_NOT_FOUND', `${name} was not started`)
      return found
    },
    kafkaLogin: (user) => kafkaLogin(secrets, user),
    tokenFor: (name, ttlSeconds) =>
      tokenFor(name, { issuer, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) }),
    memory: () =>
      memoryOf([
        currentKafka().pid,
        postgres.current().pid,
        identity.current().pid,
        ...services.map((service) => service.pid()),
      ]),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function startIdentityProvider({ dir, ports }: Instance): Promise<Child> {
  const child = startChild({
    dir,
    name: 'identity-provider',
    file: process.execPath,
    args: [join(ROOT, 'infra', 'local', 'src', 'identity-provider.ts')],
    env: {
      PATH: process.env['PATH'],
      NODE_OPTIONS: '--max-semi-space-size=2 --max-old-space-size=128',
      NODE_COMPILE_CACHE: COMPILED,
      CS_HTTP_PORT: String(ports.identity),
      CS_IDP_KEY_FILE: join(dir, 'secrets', 'identity-provider.jwk'),
      CS_STOP_WITH_STDIN: 'true',
    },
  })
  if (await listensOn(ports.identity, START_LIMIT_MS, child.running)) return child
  const said = child.lastLines()
  await child.stop()
  throw new Problem('CS_CONFIG_INVALID', `the identity provider did not start:\n${said}`)
}

async function writeTargetSecrets(
  secrets: Secrets,
  login: { user: string; password: string },
): Promise<void> {
  await mkdir(secrets.targetSecretsDir, { recursive: true })
  for (const environment of ENVIRONMENTS) {
    const file = join(secrets.targetSecretsDir, `shop-${environment}-admin`)
    await writeFile(file, JSON.stringify(login), { mode: 0o600 })
  }
}

function kafkaLogin(secrets: Secrets, user: string): { username: string; password: string } {
  const password = secrets.kafkaUsers.get(user)
  if (password === undefined) throw new Problem('CS_NOT_FOUND', `Kafka has no user ${user}`)
  return { username: user, password }
}

/** Stops the services first, so that they can still write their last records; then the servers that they need. */
async function stopAll(instance: Instance, started: Stoppable[]): Promise<void> {
  const all = started.splice(0)
  const isService = (one: Stoppable): boolean => 'healthPort' in one
  const failures = [
    ...(await Promise.allSettled(all.filter(isService).map((one) => one.stop()))),
    ...(await Promise.allSettled(all.filter((one) => !isService(one)).map((one) => one.stop()))),
  ].filter((result) => result.status === 'rejected')
  for (const failure of failures) say(`not stopped: ${String(failure.reason)}`)
  await instance.release()
}

/** Waits for all, even when one fails: whatever has started by then can be stopped. */
async function allOf<const T extends readonly (() => Promise<unknown>)[]>(
  tasks: T,
): Promise<{ -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> }> {
  const running = tasks.map((task) => task())
  await Promise.allSettled(running)
  return (await Promise.all(running)) as { -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> }
}

const START_LIMIT_MS = 30_000
