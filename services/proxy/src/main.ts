import { readFile } from 'node:fs/promises'
import {
  type Purpose,
  PURPOSES,
  readSealingKeys,
  sealerTo,
  configuredVerifier,
} from '@countersign/identity'
import { InstanceId, Problem, rested, SessionId, systemClock, uuidv7 } from '@countersign/kernel'
import { connectKafkaLog } from '@countersign/log'
import {
  createLogger,
  kafkaSettings,
  netOn,
  serveHealth,
  startService,
  startTelemetry,
  terminated,
} from '@countersign/runtime'
import { loadStatements } from '@countersign/statements'
import { DATA_KEY_READERS, ENDING_MS, proxyConfig } from './config.ts'
import { readLanes } from './shell/lanes.ts'
import { holdLease } from './shell/lease.ts'
import { listen } from './shell/listener.ts'
import { loginsOf } from './shell/logins.ts'
import { INTAKE_PART } from './shell/intake.ts'
import { memoryOf } from './shell/memory.ts'
import { searchTurns } from './shell/search-turns.ts'
import { createMetrics } from './shell/metrics.ts'
import type { ProxyContext, SessionTable } from './shell/proxy-context.ts'
import { LANES_OF, topology } from './topology.ts'

await startService('proxy', async () => {
  const config = proxyConfig(process.env)
  const logger = createLogger(topology.service, config.CS_LOG_LEVEL)
  await loadStatements()
  await using telemetry = await startTelemetry(topology.service)
  await using log = await connectKafkaLog(kafkaSettings(topology.service, config, logger))
  const clock = systemClock
  const sessions: SessionTable = new Map()
  const instanceId = InstanceId(uuidv7(Date.now()))
  const partitionCount = await log.partitionCount(LANES_OF)
  await using lanes = await readLanes({ log, clock, logger, sessions, partitionCount })
  const endAll = (code: 'CS_LEASE_LOST' | 'CS_SHUTTING_DOWN'): void => {
    for (const session of sessions.values()) session.end(code)
  }
  await using lease = await holdLease({
    log,
    clock,
    logger,
    instanceId,
    address: `${config.CS_POSTGRES_HOST}:${config.CS_POSTGRES_PORT}`,
    leaseMs: config.CS_LEASE_MS,
    heartbeatMs: config.CS_HEARTBEAT_MS,
    onLost: () => endAll('CS_LEASE_LOST'),
  })
  const keys = await readSealingKeys(config.CS_SEALING_KEYS_FILE)
  const sealer = (reader: string, purpose: Purpose) => {
    const key = keys.get(reader)
    if (key === undefined)
      throw new Problem('CS_CONFIG_INVALID', `CS_SEALING_KEYS_FILE has no key of ${reader}`)
    return sealerTo(key, purpose)
  }
  const net = netOn(logger)
  const newSessionId = () => SessionId(uuidv7(Date.now()))
  await using logins = loginsOf({ log, logger, net, clock, newSessionId })
  const proxy: ProxyContext = {
    config,
    log,
    clock,
    logger,
    net,
    logins,
    metrics: createMetrics(),
    searchTurns: searchTurns(net),
    memory: memoryOf(config.CS_MEMORY_BYTES_MAX),
    intake: memoryOf(config.CS_MEMORY_BYTES_MAX * INTAKE_PART),
    instanceId,
    lease,
    catalog: lanes.catalog,
    verifyToken: configuredVerifier(config),
    sealToken: await sealer('policy', PURPOSES.agentToken),
    sealDataKey: new Map(
      await Promise.all(
        DATA_KEY_READERS.map(
          async (reader) => [reader, await sealer(reader, PURPOSES.dataKey)] as const,
        ),
      ),
    ),
    maskingKey: await maskingKey(config.CS_MASKING_KEY_FILE),
    certificateAuthorities:
      config.CS_TARGET_CA_FILE === undefined
        ? undefined
        : await readFile(config.CS_TARGET_CA_FILE, 'utf8'),
    sessions,
    liveness: lanes.liveness,
    catalogOffset: lanes.catalogOffset,
    newSessionId,
  }
  const listener = await listen(proxy)
  await using _health = await serveHealth({
    host: config.CS_HEALTH_HOST,
    port: config.CS_HEALTH_PORT,
    telemetry,
    logger,
    checks: [
      { name: 'log', healthy: () => log.healthy() },
      { name: 'lease', healthy: () => lease.isHeld() },
    ],
  })
  logger.info({ port: listener.port, instanceId }, 'serving PostgreSQL clients')

  const why = await Promise.race([terminated(), lanes.failed])
  logger.info({ why, sessions: sessions.size }, 'draining')
  const stopped = listener[Symbol.asyncDispose]()
  await drained(sessions, config.CS_DRAIN_MS)
  endAll('CS_SHUTTING_DOWN')
  await Promise.race([
    Promise.all([...sessions.values()].map(({ ended }) => ended)),
    rested(ENDING_MS),
  ])
  await Promise.race([stopped, rested(ENDING_MS)])
})

/** Idle sessions end at once; running requests may finish within the limit. */
async function drained(sessions: SessionTable, limitMs: number): Promise<void> {
  const limit = performance.now() + limitMs
  while (sessions.size > 0 && performance.now() < limit) {
    for (const session of sessions.values()) if (session.isIdle()) session.end('CS_SHUTTING_DOWN')
    await rested(20)
  }
}

async function maskingKey(file: string): Promise<Buffer> {
  const key = await readFile(file)
  if (key.length < 32)
    throw new Problem('CS_CONFIG_INVALID', 'CS_MASKING_KEY_FILE must hold at least 32 bytes')
  return key
}
