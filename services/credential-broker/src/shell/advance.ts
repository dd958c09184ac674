import type { AnyMessage, Profile } from '@countersign/contracts'
import {
  type Clock,
  type InstanceId,
  messageOf,
  Problem,
  type SessionId,
} from '@countersign/kernel'
import type { Consequence, DeciderHost, Logger } from '@countersign/runtime'
import { causeOf, stepName } from '../core/cause.ts'
import { type Credentials, lentRoles, reserve, type Step } from '../core/credential.ts'
import { dueStep } from '../core/due.ts'
import { credentialFailed, notLowered } from '../core/failure.ts'
import { FAILING_MS_MAX, failingMs, REVOKE_PAUSE_MS_MAX, stepFailed } from '../core/retries.ts'
import type { Performer } from './perform.ts'

/** Takes one step of a session after the other, until its facts ask for nothing more. */
export type Advance = (sessionId: SessionId) => Promise<void>

export type AdvanceOptions = {
  /** A promise, since records may ask for steps before the host is there. */
  host: Promise<DeciderHost<Credentials>>
  partitionOf: (sessionId: SessionId) => number
  isLeaseExpired: (instanceId: InstanceId) => boolean
  perform: Performer
  /**
   * Tells the session of changes of its target that nobody has noticed yet. Called before each raise and in no turn of the
   * session, since it writes to the log: the proxy then knows whether the approved statement still does what people saw.
   */
  lookBeforeRaise: (sessionId: SessionId, profile: Profile) => Promise<void>
  clock: Clock
  logger: Logger
  stopping: AbortSignal
}

export function advancer(options: AdvanceOptions): Advance {
  const { clock, logger, stopping } = options
  // bound: one per session that is not revoked
  const busy = new Set<SessionId>()

  return async (sessionId) => {
    if (busy.has(sessionId)) return
    busy.add(sessionId)
    try {
      const host = await options.host
      while (!stopping.aborted) {
        // Facts that come while a step is taken are found here, so no other call has to announce them.
        const state = host.partitions().get(options.partitionOf(sessionId))
        const step = state === undefined ? null : due(state, sessionId)
        if (step === null) return
        const lookFailure = step.do === 'raise' ? await lookedAt(sessionId, step.profile) : null
        const name = stepName(step)
        try {
          if (!(await isTaken(host, sessionId, { name, lookFailure }))) return
        } catch (fault) {
          // The host told of it, and has the session revoked, which is its next step; this one pauses.
          const failed = { step: name, cause: messageOf(fault) }
          if (state !== undefined) stepFailed(state.retries, sessionId, failed, clock.monotonicMs())
        }
      }
    } finally {
      busy.delete(sessionId)
    }
  }

  /** Looks at the target before a raise; the failure, or null. */
  async function lookedAt(sessionId: SessionId, profile: Profile): Promise<Problem | null> {
    try {
      await options.lookBeforeRaise(sessionId, profile)
      return null
    } catch (cause) {
      const words = `the target cannot be looked at: ${messageOf(cause)}`
      return new Problem('CS_CREDENTIAL_FAILED', words, { cause })
    }
  }

  /** Takes the step when it is its turn; false when the partition is not ours any more. */
  async function isTaken(
    host: DeciderHost<Credentials>,
    sessionId: SessionId,
    { name, lookFailure }: { name: string; lookFailure: Problem | null },
  ): Promise<boolean> {
    let isOurs = false
    await host.submit(sessionId, causeOf(sessionId, name), async (state) => {
      isOurs = true
      // Records decided before our turn may ask for another step. It is not taken: the cause is of the named one.
      const step = due(state, sessionId)
      return step === null || stepName(step) !== name
        ? []
        : taken(state, sessionId, step, lookFailure)
    })
    return isOurs
  }

  async function taken(
    state: Credentials,
    sessionId: SessionId,
    step: Step,
    lookFailure: Problem | null,
  ): Promise<readonly Consequence[]> {
    const name = stepName(step)
    if (step.do === 'intend') reserve(state, sessionId, step.admitted.profile.name, step.role)
    try {
      const known = state.live.get(sessionId)
      const consequences = await options.perform(sessionId, step, {
        lent: known === undefined ? [] : lentRoles(known),
        lookFailure,
        mayLeave:
          step.do === 'revoke' &&
          (step.reason === 'Failed' || hasFailedLong(state, sessionId, step)),
      })
      state.retries.delete(sessionId)
      return consequences
    } catch (cause) {
      const wasStuck = step.do === 'revoke' && hasFailedLong(state, sessionId, step)
      const pause = step.do === 'revoke' ? { pauseMsMax: REVOKE_PAUSE_MS_MAX } : {}
      const failed = { step: name, cause: messageOf(cause), ...pause }
      stepFailed(state.retries, sessionId, failed, clock.monotonicMs())
      const isGivenUp = step.do === 'lower' && hasFailedLong(state, sessionId, step)
      const fields = { sessionId, step: step.do, reason: messageOf(cause) }
      const isStuck = step.do === 'revoke' && hasFailedLong(state, sessionId, step)
      if (isStuck && !wasStuck) logger.error(fields, 'a revocation does not succeed; see doctor')
      else if (!isGivenUp) logger.warn(fields, 'a step failed; it is tried again')
      else logger.error(fields, 'a privilege cannot be taken back; the session is ended')
      return isGivenUp ? [{ message: givenUp(sessionId, step, cause) }] : []
    }
  }

  function due(state: Credentials, sessionId: SessionId): Step | null {
    return dueStep(state, sessionId, options.isLeaseExpired, clock.monotonicMs())
  }

  function hasFailedLong(state: Credentials, sessionId: SessionId, step: Step): boolean {
    const forMs = failingMs(state.retries, sessionId, stepName(step), clock.monotonicMs())
    return forMs >= FAILING_MS_MAX[step.do]
  }

  /** A failure of the session and not of its request: the roles count as lent until the revocation that it demands. */
  function givenUp(
    sessionId: SessionId,
    { intent: { credentialId } }: Extract<Step, { do: 'lower' }>,
    cause: unknown,
  ): AnyMessage {
    const at = clock.now()
    return credentialFailed({
      sessionId,
      at,
      credentialId,
      requestId: null,
      cause: notLowered(cause),
    })
  }
}
