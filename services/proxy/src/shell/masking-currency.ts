import { Problem } from '@countersign/kernel'
import { deadline } from './deadline.ts'
import { during, type Session } from './session-state.ts'

/** Waits until the masking plan is of the target as it is now: after a schema change the broker describes it anew. */
export async function currentPlan(session: Session): Promise<void> {
  if (session.plan.targetVersion === session.targetVersion) return
  using within = deadline(session.proxy.config.CS_MASKING_LIMIT_MS)
  const limit = within.signal
  while (session.plan.targetVersion !== session.targetVersion) {
    if (limit.aborted) {
      throw new Problem(
        'CS_MASKING_UNAVAILABLE',
        'there is no masking plan for the target as it is now',
        {
          retriable: true,
          hint: 'Nothing was forwarded. If it goes on, the masking service is missing.',
        },
      )
    }
    await during(session, woken(session, limit))
  }
}

function woken(session: Session, limit: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    session.wake = resolve
    limit.addEventListener('abort', () => resolve(), { once: true })
  })
}
