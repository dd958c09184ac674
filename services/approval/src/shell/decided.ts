import type { RequestId, SessionId } from '@countersign/kernel'
import type { Clock } from '@countersign/kernel'
import type { Consequence } from '@countersign/runtime'
import { approval } from '../core/approval.ts'
import type { ApprovalCommand } from '../core/command.ts'
import { approvalOf, type Sessions } from './sessions.ts'

/** The events that follow from orders about one request, taken one after the other. */
export function decided(
  sessions: Sessions,
  ...commands: readonly [...ApprovalCommand[], ApprovalCommand]
): readonly Consequence[] {
  const [{ sessionId, requestId }] = commands
  let state = approvalOf(sessions, sessionId, requestId)
  return commands.flatMap((command) => {
    const events = approval.decide(command, state)
    state = events.reduce(approval.evolve, state)
    return events.map((message) => ({ message }))
  })
}

/** The fields of every order: the session and request that it is about, and the time by the clock of approval. */
export const order = (
  { sessionId, requestId }: { sessionId: SessionId; requestId: RequestId },
  clock: Clock,
) => ({ sessionId, requestId, at: clock.now() })
