import type { Profile } from '@countersign/contracts'
import { type Clock, inParallel, messageOf, oneAtATime, type SessionId } from '@countersign/kernel'
import type { DeciderHost, Logger } from '@countersign/runtime'
import { causeOf } from '../core/cause.ts'
import { type Credentials, heldRoles, lentRoles, overdue } from '../core/credential.ts'
import { partitionOfRole, rolePrefix } from '../core/role-name.ts'
import { OPEN_ROLES } from '../core/sql/role-queries.ts'
import { shutOut, takeRolesBack } from './roles.ts'
import type { TargetAdmins } from './target-admin.ts'

/** Compares the targets with the known sessions. Never twice at once: a call meanwhile only ends overdue sessions. */
export type Reconcile = () => Promise<void>

export type ReconcileOptions = {
  served: DeciderHost<Credentials>
  admins: TargetAdmins
  profiles: () => Iterable<Profile>
  /** Takes the steps that a session asks for now. */
  go: (sessionId: SessionId) => void
  clock: Clock
  logger: Logger
}

export function reconciler({
  served,
  admins,
  profiles,
  go,
  clock,
  logger,
}: ReconcileOptions): Reconcile {
  const reconcile = oneAtATime(async () => {
    await inParallel(profiles(), AT_ONCE_MAX, lockStrays)
    await inParallel(sessionsWithCredential(), AT_ONCE_MAX, takeStraysBack)
  })
  return async () => {
    // Overdue sessions come first, and wait for no target.
    for (const state of served.partitions().values())
      for (const sessionId of overdue(state, clock.now())) go(sessionId)
    await reconcile()
  }

  /** Locks roles that can log in without a session, left open by a crash or a stranger. Only in our partitions. */
  async function lockStrays(profile: Profile): Promise<void> {
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

  function* sessionsWithCredential(): Generator<{ state: Credentials; sessionId: SessionId }> {
    for (const state of served.partitions().values())
      for (const [sessionId, { issued }] of state.live) if (issued) yield { state, sessionId }
  }

  /** Takes back roles that no fact says are lent: a crash between the GRANT and its event leaves such a privilege. */
  async function takeStraysBack(of: { state: Credentials; sessionId: SessionId }): Promise<void> {
    const { state, sessionId } = of
    const taken = served.submit(sessionId, causeOf(sessionId, 'strays'), async () => {
      const known = state.live.get(sessionId)
      const { intent = null, admitted = null } = known ?? {}
      if (known === undefined || intent === null || admitted === null) return []
      const { profile } = admitted
      const lent = lentRoles(known)
      const strays = profile.raised
        .flatMap(({ roles }) => roles)
        .filter((role) => !lent.includes(role) && !profile.baseRoles.includes(role))
      // A target that does not answer is no reason to stop looking after the others.
      await admins
        .on(profile, (client) => takeRolesBack(client, intent.role, strays))
        .catch((cause: unknown) =>
          logger.warn({ sessionId, reason: messageOf(cause) }, 'cannot look for strays'),
        )
      return []
    })
    // The host tells of what fails, and gives up that session.
    await taken.catch(() => undefined)
  }
}

/** The number of targets, and then of sessions, looked at in parallel; a pool still has room for sessions that open. */
const AT_ONCE_MAX = 3
