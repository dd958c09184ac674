import { createWriteStream, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { GenericContainer } from 'testcontainers'
import { Problem } from '@countersign/kernel'

/** A container that we started and that we remove. */
export type Running = {
  freeze(): Promise<void>
  thaw(): Promise<void>
  kill9(): Promise<void>
  /** Starts it again on the same data and the same port. */
  restart(): Promise<void>
  /** Ends it and removes it with its data. */
  stop(): Promise<void>
}

export type ContainerOptions = {
  image: string
  /** The port, the same inside and outside, so that an address means the same in both places. */
  port: number
  logFile: string
  /** Sets what differs from one server to another. */
  with(container: GenericContainer): GenericContainer
}

/** Runs a container; resolves when its port takes connections. The library is loaded only here. */
export async function startContainer(options: ContainerOptions): Promise<Running> {
  const { image, port, logFile } = options
  const library = await import('testcontainers')
  mkdirSync(dirname(logFile), { recursive: true })
  const container = options.with(
    new library.GenericContainer(image)
      .withExposedPorts({ container: port, host: port })
      .withStartupTimeout(START_LIMIT_MS)
      .withLogConsumer((stream) => stream.pipe(createWriteStream(logFile, { flags: 'a' }))),
  )
  const started = await container.start().catch((cause: unknown) => {
    throw new Problem('CS_CONFIG_INVALID', `a container of ${image} did not start`, {
      cause,
      hint: `See ${logFile}. With DOCKER_HOST=none the tests use the local parts.`,
    })
  })
  const client = await library.getContainerRuntimeClient()
  const handle = client.container.getById(started.getId())
  let isFrozen = false
  const thaw = async (): Promise<void> => {
    if (isFrozen) await handle.unpause()
    isFrozen = false
  }
  return {
    async freeze() {
      await handle.pause()
      isFrozen = true
    },
    thaw,
    async kill9() {
      await handle.kill({ signal: 'SIGKILL' })
      await handle.wait()
    },
    restart: () => started.restart(),
    async stop() {
      await thaw() // A frozen container cannot end.
      await started.stop()
    },
  }
}

/** The reason why the engine cannot run the image here, such as that it cannot be fetched; null where it can. */
export async function missing(image: string): Promise<string | null> {
  try {
    const { getContainerRuntimeClient, ImageName } = await import('testcontainers')
    const client = await getContainerRuntimeClient()
    const { host } = client.info.containerRuntime
    if (!LOOPBACK.includes(host)) return `what it publishes is on ${host}, not on this machine`
    const name = ImageName.fromString(image)
    await client.image.pull(name)
    return (await client.image.exists(name)) ? null : `it could not fetch ${image}`
  } catch (thrown) {
    return thrown instanceof Error ? (thrown.message.split('\n')[0] ?? '') : String(thrown)
  }
}

const START_LIMIT_MS = 60_000
const LOOPBACK = ['localhost', '127.0.0.1']
