import { applied, emptyCatalog, isCatalogMessage } from '@countersign/catalog'
import type { Profile } from '@countersign/contracts'
import {
  type Clock,
  type InstanceId,
  isUuid,
  messageOf,
  oneAtATime,
  Problem,
  SessionId,
} from '@countersign/kernel'
import type { Log, LogRecord } from '@countersign/log'
import {
  type Consequence,
  type DeciderHost,
  type Logger,
  netOn,
  puttingAside,
  serveDecider,
  showCounts,
} from '@countersign/runtime'
import { causeOf } from '../core/cause.ts'
import {
  type Credential,
  type Credentials,
  hasRaised,
  isOfConcern,
  knowsAnother,
  newCredentials,
  noted,
  profilesInUse,
  sessionsOf,
} from '../core/credential.ts'
import { dueSessions } from '../core/due.ts'
import { credentialFailed } from '../core/failure.ts'
import { isExpired, leaseSeen, type Leases } from '../core/leases.ts'
import { takenAgain } from '../core/retries.ts'
import { type StuckRevocations, stuckRevocations } from '../core/stuck-revocations.ts'
import { CATALOG, CREDENTIALS, LEASES, SESSIONS, topology } from '../topology.ts'
import { advancer } from './advance.ts'
import type { Description } from './describe-target.ts'
import { descriptionsOf } from './descriptions.ts'
import { performer } from './perform.ts'
import { reconciler } from './reconcile.ts'
import type { TargetAdmins } from './target-admin.ts'
import { watchesOf } from './watches.ts'

/** The running broker. */
export type Broker = AsyncDisposable & {
  healthy(): boolean
  /** The revocations that somebody has to look at, by profile. */
  stuckRevocations(): readonly StuckRevocations[]
  readonly failed: Promise<never>
}

export type BrokerOptions = {
  log: Log
  logger: Logger
  clock: Clock
  admins: TargetAdmins
  /** The time between two looks at targets with open sessions; 2 s by default. */
  lookMs?: number
}

/**
 * Adds up the facts about each session, and takes the steps at the targets that they ask for. No step depends on a
 * single message: after a crash the same facts ask for the same steps again.
 */
export async function serveBroker(options: BrokerOptions): Promise<Broker> {
  const { log, logger, clock, admins } = options
  const net = netOn(logger)
  // bound: LEASES_MAX
  const leases: Leases = new Map()
  let catalog = emptyCatalog
  // bound: one per name in the catalog, ever
  /** Removed profiles too: a role that was made at their target has to be taken back there. */
  const profiles = new Map<string, Profile>()
  const stopping = new AbortController()
  const host = Promise.withResolvers<DeciderHost<Credentials>>()
  const isLeaseExpired = (instanceId: InstanceId): boolean =>
    isExpired(leases, instanceId, clock.monotonicMs())
  const partitionCount = await log.partitionCount(CREDENTIALS)
  const profileOf = (name: string) => profiles.get(name)
  const descriptions = descriptionsOf({
    admins,
    clock,
    onDescribed: (profile, description) =>
      void tell(profile, description).catch((cause: unknown) =>
        logger.warn({ profile: profile.name, reason: messageOf(cause) }, 'cannot tell of a change'),
      ),
  })
  const advance = advancer({
    host: host.promise,
    partitionOf: (sessionId) => log.partitionOf(sessionId, partitionCount),
    isLeaseExpired,
    perform: performer({ admins, descriptions, clock, logger, profileOf }),
    lookBeforeRaise,
    clock,
    logger,
    stopping: stopping.signal,
  })

  const go = (sessionId: SessionId): void => net.detached('advance', advance(sessionId))
  const putAside = puttingAside(topology.service, {
    log,
    logger,
    isStopping: () => stopping.signal.aborted,
  })
  const hearLease = (record: LogRecord): void => {
    if (record.status !== 'understood') return
    const { message } = record
    if (
      message.type === 'ProxyEnrolled' ||
      message.type === 'LeaseRenewed' ||
      message.type === 'LeaseReleased'
    ) {
      const wasExpired = isLeaseExpired(message.instanceId)
      leaseSeen(leases, message, clock.monotonicMs())
      if (wasExpired && !isLeaseExpired(message.instanceId))
        net.detached('catch up', catchUp(message.instanceId))
    }
  }
  /** Tries again at once what failed with a profile that is defined anew, since the profile may be mended. */
  async function mended(target: string): Promise<void> {
    for (const state of (await host.promise).partitions().values())
      takenAgain(state.retries, sessionsOf(state, target), clock.monotonicMs())
  }
  /** Takes the steps of sessions that were admitted while the lease of their proxy seemed to be over. */
  async function catchUp(instanceId: InstanceId): Promise<void> {
    for (const state of (await host.promise).partitions().values()) {
      for (const sessionId of state.tenants.get(instanceId) ?? []) go(sessionId)
    }
  }
  const leaseReader = await log.read({
    topics: [LEASES],
    from: 'beginning',
    onRecords: async (records) => {
      for (const record of records) {
        hearLease(record)
        // A renewal that is not understood does not count: the sessions of that proxy end when its lease does.
        if (record.status === 'unreadable')
          await putAside(record, record.problem.message, record.problem)
      }
    },
  })

  const served = await serveDecider<Credentials>({
    log,
    logger,
    service: {
      topology: { ...topology, reads: topology.reads.filter((topic) => topic !== LEASES) },
      globals: [CATALOG],
      unhurried: [SESSIONS],
      isUrgent: hasRaised,
      newState: (partition) => newCredentials(partition, clock.now()),
      applyGlobal({ message }) {
        if (!isCatalogMessage(message)) return
        catalog = applied(catalog, message)
        for (const [name, profile] of catalog.profiles) profiles.set(name, profile)
        if (message.type === 'ConnectionProfileDefined')
          net.detached('try again', mended(message.name))
      },
      apply(state, record) {
        if (record.status !== 'understood') return
        const { message } = record
        noted(state, message)
        // The failure may come from a record that was put aside, and not from a step that goes on by itself.
        if (message.type === 'CredentialFailed') go(message.sessionId)
      },
      decide(state, { message }) {
        if ('sessionId' in message && isOfConcern(state, message)) go(message.sessionId)
        return []
      },
      quarantine: (state, key, reason) => {
        const known = isUuid(key) ? state.live.get(SessionId(key)) : undefined
        return known === undefined ? [] : givenUp(known, reason)
      },
    },
  })
  host.resolve(served)
  const stuckNow = (): readonly StuckRevocations[] =>
    stuckRevocations(served.partitions().values(), clock.monotonicMs())
  showCounts(STUCK, () => new Map(stuckNow().map(({ profile, count }) => [profile, count])))

  /**
   * Tells open sessions of the new description: a new function or a changed view changes what their statements mean.
   */
  async function tell(profile: Profile, description: Description): Promise<void> {
    const { targetVersion } = description
    const { partitions } = await host.promise
    for (const { live } of partitions().values())
      for (const [sessionId, known] of live)
        if (knowsAnother(known, profile, targetVersion))
          // The host tells of what fails, and gives up that session; the others hear of the description.
          await tellOne(sessionId, profile, description).catch(() => undefined)
  }

  async function tellOne(
    sessionId: SessionId,
    profile: Profile,
    description: Description,
  ): Promise<void> {
    const { targetVersion } = description
    const cause = causeOf(sessionId, `described/${targetVersion}/${clock.now()}`)
    const { submit } = await host.promise
    await submit(sessionId, cause, (state) => {
      const now = state.live.get(sessionId)
      if (now === undefined || !knowsAnother(now, profile, targetVersion)) return []
      const described = { type: 'TargetDescribed', sessionId, at: clock.now() } as const
      return [{ message: { ...described, ...description, requestId: null } }]
    })
  }

  async function lookBeforeRaise(sessionId: SessionId, profile: Profile): Promise<void> {
    await tellOne(sessionId, profile, await descriptions.refreshed(profile))
  }

  /** Looks at a target, since somebody else may have changed it. */
  async function look(profile: Profile): Promise<void> {
    await descriptions
      .refreshed(profile)
      .catch((cause: unknown) =>
        logger.warn({ profile: profile.name, reason: messageOf(cause) }, 'cannot describe'),
      )
  }
  const watches = watchesOf({ admins, logger, onChange: look })
  /** Asks all targets in parallel; no look begins before the one before it has its answers. */
  const lookForChanges = oneAtATime(async () => {
    const profiles = profilesInUse(served.partitions().values())
    watches.keep(profiles)
    await Promise.all(profiles.map(look))
  })
  const timers = new DisposableStack()
  timers.use(net.every('look for changes', options.lookMs ?? LOOK_MS, lookForChanges))

  /** The unreadable record may have been the end of the session, so its credential is revoked as if it had been. */
  function givenUp(known: Credential, reason: string): readonly Consequence[] {
    const { sessionId, intent, failed } = known
    if (intent === null || failed) return []
    const cause = new Problem('CS_MESSAGE_UNREADABLE', reason)
    const { credentialId } = intent
    const at = clock.now()
    return [{ message: credentialFailed({ sessionId, at, credentialId, requestId: null, cause }) }]
  }

  /** Takes the steps that no message asks for: for leases that ran out, and steps that are to be taken again. */
  const sweep = (): void => {
    for (const state of served.partitions().values()) {
      const due = dueSessions(state, isLeaseExpired, clock.monotonicMs())
      for (const sessionId of due) go(sessionId)
    }
  }
  timers.use(net.every('sweep', SWEEP_MS, sweep))

  const reconcile = reconciler({
    ...{ served, admins, go, clock, logger },
    profiles: () => catalog.profiles.values(),
  })
  const reconcileAll = (): void => net.detached('reconcile', reconcile())
  timers.use(net.after('reconcile', FIRST_RECONCILE_MS, reconcileAll))
  timers.use(net.every('reconcile', RECONCILE_MS, reconcileAll))

  return {
    failed: Promise.race([served.failed, leaseReader.failed]),
    healthy: () => served.healthy(),
    stuckRevocations: stuckNow,
    async [Symbol.asyncDispose]() {
      stopping.abort()
      timers.dispose()
      await watches[Symbol.asyncDispose]()
      await leaseReader[Symbol.asyncDispose]()
      await served[Symbol.asyncDispose]()
    },
  }
}

const STUCK = {
  what: 'revocations_stuck',
  description:
    'Revocations that have failed for a minute or longer, by profile; they are tried again.',
}
const LOOK_MS = 2_000
const SWEEP_MS = 250
const RECONCILE_MS = 60_000
const FIRST_RECONCILE_MS = 3_000
