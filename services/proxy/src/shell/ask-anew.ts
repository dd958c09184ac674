import { Problem } from '@countersign/kernel'
import { heard } from './heard.ts'
import type { RequestDecision } from './requests.ts'
import type { Session } from './session-state.ts'

/** Ends the session where something was asked about anew ANEW_MAX times in a row: nobody knows what its names mean. */
export function notForEver(times: number): void {
  if (times >= ANEW_MAX)
    throw new Problem(
      'CS_POLICY_UNAVAILABLE',
      'what decisions depend on changed each time that policy was asked',
      {
        retriable: true,
        hint: 'Nothing was forwarded. If it goes on, policy is behind the credential broker.',
      },
    )
}

/**
 * Waits before what was decided under another description of the target is asked about anew. Policy may have read a newer one
 * than the session, which hears of it in a moment, or it may be behind: so each wait is twice as long as the one before.
 */
export async function beforeAskedAnew(
  session: Session,
  { targetVersion }: RequestDecision,
  times: number,
): Promise<void> {
  const isAsPolicy = (): boolean => targetVersion === '' || targetVersion === session.targetVersion
  await heard(session, isAsPolicy, ANEW_PAUSE_MS * 2 ** times)
}

/** So often in a row a request is asked about anew, in 13 seconds at most. */
const ANEW_MAX = 8
const ANEW_PAUSE_MS = 50
