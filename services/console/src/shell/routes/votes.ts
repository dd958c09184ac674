import { z } from 'zod'
import type { ReviewsMessage } from '@countersign/contracts'
import { type Sealer, voteAbout } from '@countersign/identity'
import {
  type Clock,
  EventId,
  isoOf,
  isUuid,
  Problem,
  type RequestId,
  uuidv7,
} from '@countersign/kernel'
import { draftOf, formatPosition, type Log, type Recorded } from '@countersign/log'
import { type HeldRequest, refusedVotesOf } from '../../core/held-request.ts'
import { requestView } from '../../core/request-view.ts'
import { type VotesUnderWay, votesUnderWay } from '../../core/votes-under-way.ts'
import { voteOutcome } from '../../core/vote-outcome.ts'
import { whenKnown } from '../patience.ts'
import { problemDetails } from '@countersign/runtime'
import type { Projection } from '../projection.ts'
import type { Call, Route } from '../route.ts'
import type { Answer } from '@countersign/runtime'
import { unknownRequest, visibleRequest } from './requests.ts'

export type VoteParts = {
  log: Log
  projection: Projection
  /** Seals a token so that only approval can open it. */
  seal: Sealer
  clock: Clock
  voteLimitMs: number
}

/**
 * Takes votes on requests that the caller may see and that wait. Only approval says whether a vote counts, so each is
 * passed on, even one that will be refused: the refusal is then an event, and everybody can see who tried. For a
 * request that the caller may not see, the answer is the same as if it did not exist; for one that is over, the answer
 * says how it ended. Neither vote becomes an event, nor does a vote of a person whose votes on this request were
 * refused `REFUSED_VOTES_MAX` times.
 */
export function voteRoutes(given: VoteParts): readonly Route[] {
  const underWay = votesUnderWay((position) => given.projection.hasAnswered(position))
  const parts = { ...given, underWay }
  return [
    {
      method: 'post',
      path: '/v1/requests/:id/countersign',
      answer: (call) => {
        const { digest } = bodyOf(z.object({ digest: z.string().max(200).optional() }), call)
        return voted(parts, call, (order, { requested }) => ({
          type: 'Countersign',
          ...order,
          digest: digest ?? requested.digest,
        }))
      },
    },
    {
      method: 'post',
      path: '/v1/requests/:id/deny',
      answer: (call) => {
        const { words } = bodyOf(z.object({ words: z.string().trim().min(1).max(WORDS_MAX) }), call)
        return voted(parts, call, (order) => ({ type: 'Deny', ...order, words }))
      },
    },
    {
      method: 'post',
      path: '/v1/requests/:id/withdraw',
      answer: (call) => voted(parts, call, (order) => ({ type: 'Withdraw', ...order })),
    },
  ]
}

/** A vote before its token is sealed together with what it says. */
type Unproven = ReviewsMessage extends infer V
  ? V extends ReviewsMessage
    ? Omit<V, 'proof'>
    : never
  : never
type Unsealed = Omit<Extract<Unproven, { type: 'Withdraw' }>, 'type'>

async function voted(
  parts: VoteParts & { underWay: VotesUnderWay },
  call: Call,
  make: (order: Unsealed, request: HeldRequest) => Unproven,
): Promise<Answer> {
  const { log, projection, seal, clock, underWay } = parts
  // The agent may have heard of the hold before the console did, so a vote waits a moment for its request to be known.
  const limitMs = isUuid(call.id) ? KNOWN_LIMIT_MS : 0
  const request = await whenKnown({ projection, clock, limitMs }, () =>
    visibleRequest(projection, call.identity, call.id),
  )
  if (request === null) throw unknownRequest(call.id)
  if (request.status !== 'pending') return over(request)
  const { sessionId, requestId } = request.requested
  const { agent } = call.identity
  const isTooOften =
    refusedVotesOf(request, call.identity) + underWay.count(requestId, agent) >= REFUSED_VOTES_MAX
  if (isTooOften) return tooOften()
  const begun = underWay.begin(requestId, agent)
  const at = clock.now()
  const reviewId = uuidv7(at / 1000)
  // For an agent this is the agent itself: the record says who tried, not whom it acts for.
  const by = agent
  const vote = make({ sessionId, at, requestId, reviewId, by, signature: null }, request)
  try {
    const proof = await seal(JSON.stringify({ token: call.token.expose() }), voteAbout(vote))
    const draft = draftOf({ ...vote, proof }, { id: EventId(reviewId), key: sessionId })
    const [review] = await log.append([draft])
    if (review === undefined)
      throw new Problem('CS_INTERNAL', 'the log did not say where the vote is')
    begun.sent(formatPosition(review.position))
    return await answered(parts, review, requestId)
  } catch (cause) {
    begun.failed()
    throw cause
  }
}

async function answered(parts: VoteParts, review: Recorded, id: RequestId): Promise<Answer> {
  const { projection, clock, voteLimitMs } = parts
  const outcome = await whenKnown({ projection, clock, limitMs: voteLimitMs }, () =>
    voteOutcome(projection.causedBy(review.position), projection.request(id)),
  )
  const reviewId = review.id
  if (outcome === null) return { status: 202, body: { status: 'waiting', reviewId } }
  if (outcome.status === 'counted') {
    const request = requestView(outcome.request)
    return { status: 200, body: { status: request.status, reviewId, request } }
  }
  const { reason, detail } = outcome.refusal
  const isOver = reason === 'NotPending' || reason === 'TooLate'
  return problemDetails(isOver ? 'CS_REVIEW_NOT_PENDING' : 'CS_REVIEW_REFUSED', detail, {
    reason,
    reviewId,
  })
}

/** The answer to a vote on a request that no vote can change any more: says how it ended. */
function over({ status, endedAt, endedBy, words }: HeldRequest): Answer {
  const at = endedAt === null ? '' : ` at ${isoOf(endedAt)}`
  const by = endedBy === null ? '' : ` by ${endedBy}`
  const why = words === null ? '' : `: ${words}`
  return problemDetails('CS_REVIEW_NOT_PENDING', `The request was ${status}${at}${by}${why}.`, {
    reason: 'NotPending',
    requestStatus: status,
  })
}

const tooOften = (): Answer =>
  problemDetails(
    'CS_REVIEW_REFUSED',
    `Your votes on this request were refused ${REFUSED_VOTES_MAX} times; no more of them are taken.`,
    { reason: 'TooOften' },
  )

function bodyOf<T>(schema: z.ZodType<T>, { body }: Call): T {
  const read = schema.safeParse(body ?? {})
  if (read.success) return read.data
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Problem('CS_BAD_REQUEST', `the body is not as expected: ${problems.join('; ')}`)
}

/** A vote waits this long for a request that is not known yet. */
const KNOWN_LIMIT_MS = 2_000

/** After this many refused votes of one person on one request, no more of them are passed on. */
const REFUSED_VOTES_MAX = 5

/** The most characters of a reviewer's words, which travel to the agent in a protocol message. */
const WORDS_MAX = 1_000
