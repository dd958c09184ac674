import { applied, emptyCatalog } from '@countersign/catalog'
import { type Clock, EventId, messageOf, type SessionId, uuidv7 } from '@countersign/kernel'
import type { Log, LogRecord } from '@countersign/log'
import { type DeciderHost, type Logger, serveDecider } from '@countersign/runtime'
import {
  type Credentials,
  heldRoles,
  lentRoles,
  newCredentials,
  nextStep,
  noted,
  reserve,
} from '../core/credential.ts'
import { isExpired, leaseSeen, type Leases } from '../core/leases.ts'
import { partitionOfRole, rolePrefix } from '../core/role-name.ts'
import { OPEN_ROLES } from '../core/sql/role-queries.ts'
import { CATALOG, LEASES, topology } from '../topology.ts'
import { performer } from './perform.ts'
import { shutOut, takeRolesBack } from './roles.ts'
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
        // A partition that is not ours does not run it: then there is nothing to do here.
        isDone = true
        await host.submit(sessionId, EventId(uuidv7(Date.now())), async (state) => {
          const step = nextStep(state, sessionId, (instance) =>
            isExpired(leases, instance, clock.monotonicMs()),
          )
          if (step === null) {
            isDone = busy.get(sessionId) !== true
            busy.set(sessionId, false)
            return []
          }
          isDone = false
          if (step.do === 'intend') reserve(state, sessionId, step.admitted.profile.name, step.role)
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

  /** Roles that can log in although no session holds them: what a crash or a stranger left open. Only in our partitions. */
  async function reconcile(): Promise<void> {
    for (const profile of catalog.profiles.values()) {
      try {
        await admins.on(profile, async (client) => {
          const { rows } = await client.query<{ role: string }>(OPEN_ROLES, [
            rolePrefix(profile.name),
          ])
          for (const { role } of rows) {
            // Looked up now: a session may have been given the role while we asked.
            const partition = partitionOfRole(profile.name, role)
            const state = partition === null ? undefined : served.partitions().get(partition)
            if (state === undefined || heldRoles(state, profile.name).has(role)) continue
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
  /** A crash between the GRANT and its event leaves a privilege that no fact knows of. */
  async function takeStraysBack(): Promise<void> {
    for (const state of served.partitions().values()) {
      for (const [sessionId, { issued, intent, admitted }] of state.live) {
        if (!issued || intent === null || admitted === null) continue
        const { profile } = admitted
        await served.submit(sessionId, EventId(uuidv7(Date.now())), async () => {
          const known = state.live.get(sessionId)
          const lent = known === undefined ? [] : lentRoles(known)
          const strays = profile.raised
            .flatMap(({ roles }) => roles)
            .filter((role) => !lent.includes(role))
          const stray = strays.filter((role) => !profile.baseRoles.includes(role))
          await admins.on(profile, (client) => takeRolesBack(client, intent.role, stray))
          return []
        })
      }
    }
  }
  const reconcileAll = (): void =>
    void reconcile()
      .then(takeStraysBack)
      .catch((cause: unknown) => logger.warn({ reason: messageOf(cause) }, 'cannot reconcile'))
  const firstReconcile = setTimeout(reconcileAll, FIRST_RECONCILE_MS)
  const reconciling = setInterval(reconcileAll, RECONCILE_MS)

  return {
    failed: Promise.race([served.failed, leaseReader.failed]),
    healthy: () => served.healthy(),
    async [Symbol.asyncDispose]() {
      isStopping = true
      clearInterval(sweep)
      clearTimeout(firstReconcile)
      clearInterval(reconciling)
      await leaseReader[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

const SWEEP_MS = 250
const RETRY_MS = 1_000
const RECONCILE_MS = 60_000
const FIRST_RECONCILE_MS = 3_000
