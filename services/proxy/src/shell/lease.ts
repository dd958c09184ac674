import { setImmediate } from 'node:timers/promises'
import type { LeaseReleased, LeaseRenewed, ProxyEnrolled } from '@countersign/contracts'
import { type Clock, EventId, type InstanceId, messageOf, uuidv5 } from '@countersign/kernel'
import { type AppendOptions, draftOf, type Log } from '@countersign/log'
import { type Logger, netOn } from '@countersign/runtime'

/** The right of this process to hold sessions. When it is lost, the broker revokes their credentials. */
export type Lease = AsyncDisposable & {
  /** True if the last acknowledged renewal is young enough. Asked after each append, before the bytes go out. */
  isHeld(): boolean
}

export type LeaseOptions = {
  log: Log
  clock: Clock
  logger: Logger
  instanceId: InstanceId
  address: string
  leaseMs: number
  heartbeatMs: number
  /** Called once when the lease is lost. */
  onLost(): void
}

/** Enrols the process and renews its lease until it is disposed. */
export async function holdLease(options: LeaseOptions): Promise<Lease> {
  const { log, clock, logger, instanceId, leaseMs } = options
  let renewal = 0
  let heldUntilMs = 0
  let isLost = false

  const append = async (
    message: ProxyEnrolled | LeaseRenewed | LeaseReleased,
    name: string,
    appendOptions: AppendOptions = {},
  ): Promise<void> => {
    // Counted from before it was sent: the broker counts from receipt, which is later.
    const sentMs = clock.monotonicMs()
    const draft = draftOf(message, { id: EventId(uuidv5(instanceId, name)), key: instanceId })
    await log.append([draft], appendOptions)
    heldUntilMs = Math.max(heldUntilMs, sentMs + leaseMs * SAFETY)
  }
  const at = () => clock.now()
  await append(
    {
      type: 'ProxyEnrolled',
      instanceId,
      at: at(),
      address: options.address,
      leaseMs,
      publicKey: null,
    },
    'enrolled',
    { limitMs: ENROL_LIMIT_MS },
  )

  const isOut = (): boolean => !isLost && clock.monotonicMs() >= heldUntilMs
  const lostIfOut = async (): Promise<void> => {
    if (!isOut()) return
    // After a busy second, timers run before what has arrived meanwhile is read: that may be the renewal.
    await setImmediate()
    if (!isOut()) return
    isLost = true
    logger.error({}, 'the lease is lost: all sessions end')
    options.onLost()
  }
  const renew = async (): Promise<void> => {
    // A renewal that is sent after the lease ran out must not hide that it did: the broker may have revoked meanwhile.
    await lostIfOut()
    renewal++
    try {
      await append(
        { type: 'LeaseRenewed', instanceId, at: at(), leaseMs, renewal },
        `renewed/${renewal}`,
        // A loop that is busy for a second reads the acknowledgement late: as long as it can count, it is waited for.
        { limitMs: leaseMs },
      )
      if (isLost) logger.info({}, 'the lease is held again')
      isLost = false
    } catch (cause) {
      logger.warn({ reason: messageOf(cause) }, 'the lease could not be renewed')
    }
  }
  const net = netOn(logger)
  const heartbeat = net.every('heartbeat of the lease', options.heartbeatMs, renew)
  const watch = net.every('watch of the lease', WATCH_MS, lostIfOut)
  return {
    isHeld: () => clock.monotonicMs() < heldUntilMs,
    async [Symbol.asyncDispose]() {
      heartbeat[Symbol.dispose]()
      watch[Symbol.dispose]()
      await append({ type: 'LeaseReleased', instanceId, at: at() }, 'released').catch(
        () => undefined,
      )
    },
  }
}

/** The limit for the first append: no session waits yet, and a log that is slow at the start is no reason to end. */
const ENROL_LIMIT_MS = 30_000
/** The proxy stops a little before the broker revokes. */
const SAFETY = 0.9
const WATCH_MS = 100
