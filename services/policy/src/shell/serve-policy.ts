import { messageOf } from '@countersign/kernel'
import type { Log } from '@countersign/log'
import { type Logger, netOn, serveDecider } from '@countersign/runtime'
import { CATALOG } from '../topology.ts'
import { type PolicyOptions, policyService } from './policy-service.ts'

/** A running policy service. */
export type PolicyHost = AsyncDisposable & {
  healthy(): boolean
  /** Says for each partition with sessions how far policy has read; a timer does this once a second. */
  beat(): Promise<void>
  readonly failed: Promise<never>
}

/** Runs policy on the log until it is disposed. */
export async function servePolicy(
  options: PolicyOptions & { log: Log; logger: Logger },
): Promise<PolicyHost> {
  const { log, logger, clock } = options
  const service = policyService(options)
  const host = await serveDecider({ log, logger, service })
  const beat = async (): Promise<void> => {
    const policyVersion = service.rules().policies.version
    const catalogOffset = host.globalOffset(CATALOG)
    // In a partition without sessions nothing is covered.
    const partitions = [...host.partitions()].filter(([, sessions]) => sessions.live.size > 0)
    await Promise.all(
      partitions.map(([partition]) =>
        host.announce(partition, `coverage-${partition}`, {
          type: 'CoverageAlive',
          at: clock.now(),
          partition,
          policyVersion,
          catalogOffset,
          identitiesOffset: 0,
        }),
      ),
    )
  }
  const timer = netOn(logger).every('sign of life', BEAT_MS, () =>
    beat().catch((cause: unknown) =>
      logger.warn({ reason: messageOf(cause) }, 'no sign of life was written'),
    ),
  )
  return {
    healthy: () => host.healthy(),
    failed: host.failed,
    beat,
    [Symbol.asyncDispose]: async () => {
      timer[Symbol.dispose]()
      await host[Symbol.asyncDispose]()
    },
  }
}

const BEAT_MS = 1_000
