import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { emptyCatalog } from '@countersign/catalog'
import { InstanceId, Problem, SessionId, systemClock, uuidv7 } from '@countersign/kernel'
import { serverCertificate } from '@countersign/local'
import { inMemoryLog, type InMemoryLog } from '@countersign/log/in-memory'
import { type Logger, netOn } from '@countersign/runtime'
import { z } from 'zod'
import { SETTINGS } from '../config.ts'
import { listen } from './listener.ts'
import { type Logins, loginsOf } from './logins.ts'
import { memoryOf } from './memory.ts'
import { searchTurns } from './search-turns.ts'
import { createMetrics } from './metrics.ts'
import type { ProxyContext } from './proxy-context.ts'

/** A line of the log of the process. */
export type Line = { readonly where?: unknown; readonly message: string }

/** A listener on a port of its own, which lets nobody in: the tokens of its agents are all from nowhere. */
export type Listening = AsyncDisposable & {
  readonly port: number
  readonly log: InMemoryLog
  readonly logins: Logins
  /** The lines that the process logged on the levels warn and error. */
  readonly lines: readonly Line[]
}

export async function listening(
  changes: Partial<ProxyContext> = {},
  settings: Readonly<Record<string, number>> = {},
): Promise<Listening> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-listener-'))
  const { certFile, keyFile } = await serverCertificate(folder, 'proxy')
  const lines: Line[] = []
  const said = (fields: object, message: string): void => void lines.push({ ...fields, message })
  const nothing = (): void => undefined
  const logger: Logger = { debug: nothing, info: nothing, warn: said, error: said }
  const log = inMemoryLog({ partitions: 1 })
  const config = z.object(SETTINGS).parse({
    KAFKA_BROKERS: '127.0.0.1:9',
    CS_HEALTH_PORT: 1,
    CS_POSTGRES_PORT: 0,
    CS_TLS_CERT_FILE: certFile,
    CS_TLS_KEY_FILE: keyFile,
    CS_MASKING_KEY_FILE: keyFile,
    CS_SEALING_KEYS_FILE: keyFile,
    CS_OIDC_ISSUER: 'https://issuer.example',
    ...settings,
  })
  const net = netOn(logger)
  const newSessionId = () => SessionId(uuidv7(Date.now()))
  const logins = loginsOf({ log: log.connect(), logger, net, clock: systemClock, newSessionId })
  const listener = await listen({
    config,
    log: log.connect(),
    clock: systemClock,
    logger,
    net,
    logins,
    metrics: createMetrics(),
    searchTurns: searchTurns(net),
    memory: memoryOf(1_000_000),
    intake: memoryOf(1_000_000),
    instanceId: InstanceId(uuidv7(Date.now())),
    lease: { isHeld: () => true, async [Symbol.asyncDispose]() {} },
    catalog: () => emptyCatalog,
    verifyToken: () => Promise.reject(new Problem('CS_AUTH_INVALID', 'the token is from nowhere')),
    sealToken: () => Promise.resolve(''),
    sealDataKey: new Map(),
    maskingKey: Buffer.alloc(32),
    certificateAuthorities: undefined,
    sessions: new Map(),
    liveness: () => null,
    catalogOffset: () => 0,
    newSessionId,
    ...changes,
  })
  return {
    port: listener.port,
    log,
    lines,
    logins,
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      await logins[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
