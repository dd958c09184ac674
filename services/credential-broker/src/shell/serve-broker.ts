import { applied, emptyCatalog } from '@countersign/catalog'
import { type Clock, EventId, messageOf, type SessionId, uuidv7 } from '@countersign/kernel'
import type { Log, LogRecord } from '@countersign/log'
import { type DeciderHost, type Logger, serveDecider } from '@countersign/runtime'
import { type Credentials, lentRoles, newCredentials, nextStep, noted } from '../core/credential.ts'
import { isExpired, leaseSeen, type Leases } from '../core/leases.ts'
import { rolePrefix } from '../core/role-name.ts'
import { OPEN_ROLES } from '../core/sql/role-queries.ts'
import { CATALOG, LEASES, topology } from '../topology.ts'
import { performer } from './perform.ts'
import { shutOut } from './roles.ts'
import type { TargetAdmins } from './target-admin.ts'

/** The running broker. */
export type Broker = AsyncDisposable & { healthy(): boolean; readonly failed: Promise<never> }

export type BrokerOptions = { log: Log; logger: Logger; clock: Clock; admins: TargetAdmins }

/**
 * Adds up what is known of each session, and does at the targets what those facts ask for. Nothing hangs on a single
 * message: after a crash the same facts ask for the same steps again.
 */
export async function serveBroker(options: BrokerOptions): Promise<Broker> {
  const { log, logger, clock, admins } = options
  const leases: Leases = new Map()
  let catalog = emptyCatalog
  let host: DeciderHost<Credentials> | null = null
  let isStopping = false
  const retryAt = new Map<SessionId, number>()
  /** Sessions whose steps are being taken; true when new facts came meanwhile. */
  const busy = new Map<SessionId, boolean>()
  const perform = performer({ admins, clock, profileOf: (name) => catalog.profiles.get(name) })

  const hearLease = (record: LogRecord): void => {
    if (record.status !== 'understood') return
    const { message } = record
    if (
      message.type === 'ProxyEnrolled' ||
      message.type === 'LeaseRenewed' ||
      message.type === 'LeaseReleased'
    ) {
      leaseSeen(leases, message, clock.monotonicMs())
    }
  }
  const leaseReader = await log.read({
    topics: [LEASES],
    from: 'beginning',
    onRecords: (records) => records.forEach(hearLease),
  })

  const served = await serveDecider<Credentials>({
    log,
    logger,
    service: {
      topology: { ...topology, reads: topology.reads.filter((topic) => topic !== LEASES) },
      globals: [CATALOG],
      newState: newCredentials,
      applyGlobal({ message }) {
        if ('author' in message) catalog = applied(catalog, message)
      },
      apply(state, record) {
        if (record.status === 'understood') noted(state, record.message)
      },
      decide(_state, record) {
        if ('sessionId' in record.message) void advance(record.message.sessionId)
        return []
      },
    },
  })
  host = served

  /** Takes one step after the other until the facts ask for nothing more. */
  async function advance(sessionId: SessionId): Promise<void> {
    if (host === null || isStopping) return
    if (busy.has(sessionId)) return void busy.set(sessionId, true)
    if ((retryAt.get(sessionId) ?? 0) > clock.monotonicMs()) return
    busy.set(sessionId, false)
    try {
      for (let isDone = false; !isDone && !isStopping;) {
        await host.submit(sessionId, EventId(uuidv7(Date.now())), async (state) => {
          const step = nextStep(state, sessionId, (instance) =>
            isExpired(leases, instance, clock.monotonicMs()),
          )
          if (step === null) {
            isDone = busy.get(sessionId) !== true
            busy.set(sessionId, false)
            return []
          }
          try {
            const known = state.live.get(sessionId)
            return await perform(sessionId, step, known === undefined ? [] : lentRoles(known))
          } catch (cause) {
            logger.warn(
              { sessionId, step: step.do, reason: messageOf(cause) },
              'a step failed; it is tried again',
            )
            retryAt.set(sessionId, clock.monotonicMs() + RETRY_MS)
            isDone = true
            return []
          }
        })
      }
    } finally {
      busy.delete(sessionId)
    }
  }

  /** What no message tells: leases that ran out, and steps that failed. */
  const sweep = setInterval(() => {
    for (const state of served.partitions().values()) {
      for (const sessionId of state.live.keys()) void advance(sessionId)
    }
  }, SWEEP_MS)

  /** Roles that can log in although no session holds them: what a crash or a stranger left open. */
  async function reconcile(): Promise<void> {
    const partitions = served.partitions()
    const held = new Set(
      [...partitions.values()].flatMap((state) =>
        [...state.live.values()].map((one) => one.intent?.role),
      ),
    )
    for (const profile of catalog.profiles.values()) {
      try {
        await admins.on(profile, async (client) => {
          const { rows } = await client.query<{ role: string }>(OPEN_ROLES, [
            rolePrefix(profile.name),
          ])
          for (const { role } of rows) {
            if (held.has(role)) continue
            logger.warn(
              { role, profile: profile.name },
              'a role without a session could log in; it is locked',
            )
            await shutOut(client, role)
          }
        })
      } catch (cause) {
        logger.warn({ profile: profile.name, reason: messageOf(cause) }, 'cannot reconcile')
      }
    }
  }
  const reconciling = setInterval(() => void reconcile(), RECONCILE_MS)

  return {
    failed: Promise.race([served.failed, leaseReader.failed]),
    healthy: () => served.healthy(),
    async [Symbol.asyncDispose]() {
      isStopping = true
      clearInterval(sweep)
      clearInterval(reconciling)
      await leaseReader[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

const SWEEP_MS = 250
const RETRY_MS = 1_000
const RECONCILE_MS = 60_000
