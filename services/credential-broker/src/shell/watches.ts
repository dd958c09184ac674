import type pg from 'pg'
import type { Profile } from '@countersign/contracts'
import { messageOf } from '@countersign/kernel'
import { type Logger, netOn } from '@countersign/runtime'
import type { TargetAdmins } from './target-admin.ts'

/**
 * Connections on which targets tell of changes by themselves, if `changes.sql` was run there. Other targets are silent,
 * and their changes are found by asking at intervals.
 */
export type Watches = AsyncDisposable & {
  /** Watches exactly these profiles. */
  keep(profiles: readonly Profile[]): void
}

export function watchesOf(options: {
  admins: TargetAdmins
  logger: Logger
  onChange: (profile: Profile) => Promise<void>
}): Watches {
  const { admins, logger, onChange } = options
  // bound: one per profile in use
  const watched = new Map<string, AbortController>()
  // bound: one per profile in use
  const looks = new Map<string, 'once' | 'again'>()

  return {
    keep(profiles) {
      const wanted = new Map(profiles.map((profile) => [profile.version, profile]))
      for (const [version, watch] of watched) if (!wanted.has(version)) watch.abort()
      for (const [version, profile] of wanted) {
        if (watched.has(version)) continue
        const watch = new AbortController()
        watched.set(version, watch)
        void admins
          .on(profile, (client) =>
            listened(client, { stop: watch.signal, logger }, () => {
              told(profile).catch((cause: unknown) =>
                logger.warn({ reason: messageOf(cause) }, 'cannot look'),
              )
            }),
          )
          .catch((cause: unknown) =>
            logger.debug({ profile: profile.name, reason: messageOf(cause) }, 'cannot listen'),
          )
          // A profile that is still in use is watched again with the next `keep`.
          .finally(() => watched.delete(version))
      }
    },
    async [Symbol.asyncDispose]() {
      for (const watch of watched.values()) watch.abort()
    },
  }

  /** Looks when a target tells of a change: one look at a time and one after it, however often it tells. */
  async function told(profile: Profile): Promise<void> {
    const { version } = profile
    const state = looks.get(version)
    if (state !== undefined) return void looks.set(version, 'again')
    do {
      looks.set(version, 'once')
      await onChange(profile)
    } while (looks.get(version) === 'again')
    looks.delete(version)
  }
}

/** Listens until it is told to stop, or the connection is over. */
async function listened(
  client: pg.ClientBase,
  { stop, logger }: { stop: AbortSignal; logger: Logger },
  onChange: () => void,
): Promise<void> {
  const over = Promise.withResolvers<void>()
  const ended = (): void => over.resolve()
  const notified = netOn(logger).guarded('notification of a target', onChange)
  client.on('notification', notified)
  client.on('end', ended)
  client.on('error', ended)
  stop.addEventListener('abort', ended)
  try {
    await client.query(`LISTEN ${CHANNEL}`)
    if (!stop.aborted) await over.promise
    await client.query(`UNLISTEN ${CHANNEL}`)
  } finally {
    client.off('notification', notified)
    client.off('end', ended)
    client.off('error', ended)
    stop.removeEventListener('abort', ended)
  }
}

const CHANNEL = 'countersign_changed'
