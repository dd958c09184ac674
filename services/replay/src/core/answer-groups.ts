import {
  type AnyMessage,
  oneOf,
  type RequestCompleted,
  type RequestContent,
} from '@countersign/contracts'
import { keepNewest } from '@countersign/kernel'

/** A request of a group, with what the proxy says of its end. */
export type Member = Pick<RequestCompleted, 'requestId' | 'outcome' | 'commandTag' | 'rows'> & {
  readonly kind: RequestContent['kind']
}

/**
 * Requests whose answers the agent got together, such as those of a pipeline. Their transcript is recorded under the first of
 * them that ran at the time and is recorded in full, so that only all of it together says what each was answered.
 */
export type AnswerGroup = {
  /** The place in the transcript at which their answers begin. */
  readonly from: number
  /** In the order in which they were answered. */
  // bound: MEMBERS_MAX
  readonly members: Member[]
  /** The requests under which the transcript of the group is recorded; where all is recorded, it is the first. */
  readonly leaders: string[]
  /** True if the request before the group is known, so that no answer of it can be missing at the beginning. */
  readonly isStartKnown: boolean
  /** True if the end of its last member was noted later than those of the others. */
  hasLateEnd: boolean
  /** True if, as far as is known, a request of the agent still ran when the last member ended: its answer can be here too. */
  goesOn: boolean
}

/** The last request of the agent that ended, to go on behind it. */
export type LastEnd = { readonly at: number; readonly count: number }

/**
 * Puts the requests of the agent into groups. Method: the proxy notes the ends of requests at ReadyForQuery, all with the
 * same length of the transcript. A request that was released after the end before it begins a group. In a pipeline of
 * more than 100 requests without Sync the proxy notes ends before that, except for the last one, whose answer is told
 * already. Both moments are of the same clock, which never goes back while a proxy runs.
 */
export type AnswerGroups = {
  /** Takes the messages of a session, in their order; gives the group of a request that ended. */
  take(message: AnyMessage): AnswerGroup | null
  last(): LastEnd | null
}

/** Goes on behind the end that was taken last, or from the beginning of a session. */
export function newAnswerGroups(before: LastEnd | null = null): AnswerGroups {
  // bound: ASKED_MAX
  const asked = new Map<string, Asked>()
  /** The moments at which requests of the agent were released that have no end, in their order. */
  // bound: ASKED_MAX
  const running = new Map<string, number>()
  let last: (LastEnd & { readonly group: AnswerGroup | null }) | null =
    before === null ? null : { ...before, group: null }
  /** The place of the message that was taken last; what is not behind it is a repeat. */
  let sequence = -1

  function note(requestId: string, more: Partial<Asked>): void {
    const known = asked.get(requestId) ?? { kind: 'Query', isOurs: false, releasedAt: null }
    asked.set(requestId, { ...known, ...more })
    keepNewest(asked, ASKED_MAX)
  }

  function completed(message: RequestCompleted): AnswerGroup | null {
    const { requestId, outcome, commandTag, rows, at, transcriptCount: count } = message
    const request = asked.get(requestId)
    asked.delete(requestId)
    running.delete(requestId)
    if (request === undefined || request.isOurs) return null
    const member = { requestId, outcome, commandTag, rows, kind: request.kind }
    const { releasedAt } = request
    const wasUnderWay = last !== null && releasedAt !== null && releasedAt <= last.at
    const hasRoom = (last?.group?.members.length ?? 0) < MEMBERS_MAX
    if (last !== null && wasUnderWay && last.group !== null && hasRoom) {
      const { group } = last
      if (count === last.count) {
        group.members.push(member)
        group.leaders.push(requestId)
        group.goesOn = isAnyUnderWay(at)
        last = { at, count, group }
        return group
      }
      if (!group.hasLateEnd) {
        group.members.push(member)
        group.hasLateEnd = true
        group.goesOn = false
        last = { at, count, group: groupOf(last.count, [], [requestId]) }
        return group
      }
    }
    const group = groupOf(last?.count ?? 0, [member], [requestId], !wasUnderWay)
    group.goesOn = isAnyUnderWay(at)
    last = { at, count, group }
    return group
  }

  function isAnyUnderWay(at: number): boolean {
    const [first] = running.values()
    return first !== undefined && first <= at
  }

  return {
    last: () => last,
    take(message) {
      if (!isOfRequests(message) || message.sequence <= sequence) return null
      sequence = message.sequence
      switch (message.type) {
        case 'RequestIntercepted':
          note(message.requestId, {
            kind: message.content.kind,
            isOurs: message.origin === 'Countersign',
          })
          return null
        case 'RequestReleased':
          note(message.requestId, {
            ...(message.content === null ? {} : { kind: message.content.kind }),
            isOurs: message.origin === 'Countersign',
            releasedAt: message.at,
          })
          if (message.origin === 'Agent') {
            running.set(message.requestId, message.at)
            keepNewest(running, ASKED_MAX)
          }
          return null
        case 'RequestRefused':
        case 'RequestWithdrawn':
          asked.delete(message.requestId)
          return null
        case 'RequestCompleted':
          return completed(message)
      }
    },
  }
}

const isOfRequests = oneOf(
  'RequestIntercepted',
  'RequestReleased',
  'RequestRefused',
  'RequestWithdrawn',
  'RequestCompleted',
)

const groupOf = (
  from: number,
  members: Member[],
  leaders: string[],
  isStartKnown = true,
): AnswerGroup => ({ from, members, leaders, isStartKnown, hasLateEnd: false, goesOn: false })

type Asked = {
  readonly kind: Member['kind']
  readonly isOurs: boolean
  readonly releasedAt: number | null
}

/**
 * Where no transcript is recorded a pipeline without Sync may be of any length; else the proxy notes an end after each hundred.
 * Above the bound another group begins, whose answers are not told apart.
 */
const MEMBERS_MAX = 250
/** Above the bound the first is forgotten, and its answer is not told apart. A proxy has a few hundred under way. */
const ASKED_MAX = 10_000
