import { type Clock, EventId, type RequestId, uuidv5 } from '@countersign/kernel'
import type { DeciderHost } from '@countersign/runtime'
import { approvalIdOf } from '../core/approval.ts'
import type { ApprovalCommand } from '../core/command.ts'
import { deadlineOf } from '../core/progress.ts'
import type { Approval } from '../core/state.ts'
import { decided, order } from './decided.ts'
import type { Rules } from './rules.ts'
import { approvalOf, type Sessions } from './sessions.ts'

/**
 * Ends requests that are overdue or superseded. Deadlines live in the state and not in timers, so that after a restart
 * the first sweep finds what ran out meanwhile.
 */
export async function sweep(
  host: DeciderHost<Sessions>,
  rules: Rules,
  clock: Clock,
): Promise<void> {
  /** The cause of an order that is due. Where that cannot be told, the order fails in its turn, and alone. */
  const due = (request: RequestId, state: Approval): EventId | null => {
    try {
      const command = overdue(state, rules, clock)
      return command === null ? null : causeOf(request, command.type)
    } catch {
      return causeOf(request, 'fault')
    }
  }
  const all = [...host.partitions().values()].flatMap((sessions) =>
    [...sessions.approvals].flatMap(([session, requests]) =>
      [...requests].flatMap(([request, state]) => {
        const cause = due(request, state)
        return cause === null ? [] : [{ session, request, cause }]
      }),
    ),
  )
  // The host tells of what fails, and gives up the session of it; the others are swept all the same.
  await Promise.allSettled(
    all.map(({ session, request, cause }) =>
      host.submit(session, cause, (sessions) => {
        // A vote may have come in between, so the state is looked at again.
        const current = overdue(approvalOf(sessions, session, request), rules, clock)
        return current === null ? [] : decided(sessions, current)
      }),
    ),
  )
}

/** The order that time or a new policy gives for an approval; null while there is none. */
function overdue(state: Approval, rules: Rules, clock: Clock): ApprovalCommand | null {
  if (state.status !== 'pending') return null
  const deadline = deadlineOf(state)
  if (deadline !== null && clock.now() >= deadline) {
    return { type: 'DeadlinePassed', ...order(state.requested, clock) }
  }
  return supersession(state, rules, clock)
}

/** The order that ends a request since it was decided by rules that are no longer in force; null where they are. */
export function supersession(
  state: Approval,
  rules: Rules,
  clock: Clock,
): Extract<ApprovalCommand, { type: 'Supersede' }> | null {
  if (state.status !== 'pending') return null
  const reason = rules.outdated(state.requested)
  return reason === null ? null : { type: 'Supersede', ...order(state.requested, clock), reason }
}

const causeOf = (request: RequestId, type: ApprovalCommand['type'] | 'fault'): EventId =>
  EventId(uuidv5(approvalIdOf(request), type))
