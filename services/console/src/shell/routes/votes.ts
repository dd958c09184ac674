import { z } from 'zod'
import type { ReviewsMessage } from '@countersign/contracts'
import type { Sealer } from '@countersign/identity'
import { type Clock, EventId, isUuid, Problem, uuidv7 } from '@countersign/kernel'
import { draftOf, type Log, type Recorded } from '@countersign/log'
import type { HeldRequest } from '../../core/held-request.ts'
import { requestView } from '../../core/request-view.ts'
import { voteOutcome } from '../../core/vote-outcome.ts'
import { whenKnown } from '../patience.ts'
import { problemDetails } from '@countersign/runtime'
import type { Projection } from '../projection.ts'
import type { Call, Route } from '../route.ts'
import type { Answer } from '@countersign/runtime'
import { heldRequest, requestWith } from './requests.ts'

export type VoteParts = {
  log: Log
  projection: Projection
  /** Seals to approval. */
  seal: Sealer
  clock: Clock
  voteLimitMs: number
}

/**
 * Takes votes. Whether one counts is for approval to say, so every vote is passed on, also one that will be
 * refused: the refusal is an event then, and everybody can see who tried.
 */
export const voteRoutes = (parts: VoteParts): readonly Route[] => [
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

type Order = Omit<Extract<ReviewsMessage, { type: 'Withdraw' }>, 'type'>

async function voted(
  parts: VoteParts,
  call: Call,
  make: (order: Order, request: HeldRequest) => ReviewsMessage,
): Promise<Answer> {
  const { log, projection, seal, clock } = parts
  // The agent may have heard of the hold before we did: who votes at once is not told that there is none.
  const limitMs = isUuid(call.id) ? KNOWN_LIMIT_MS : 0
  await whenKnown({ projection, clock, limitMs }, () => requestWith(projection, call.id))
  const request = heldRequest(projection, call.id)
  const { sessionId, requestId } = request.requested
  const at = clock.now()
  const reviewId = uuidv7(at / 1000)
  const proof = await seal(JSON.stringify({ token: call.token.expose(), requestId, reviewId }))
  const order = {
    sessionId,
    at,
    requestId,
    reviewId,
    by: call.identity.subject,
    proof,
    signature: null,
  }
  const draft = draftOf(make(order, request), { id: EventId(reviewId), key: sessionId })
  const [review] = await log.append([draft])
  if (review === undefined)
    throw new Problem('CS_INTERNAL', 'the log did not say where the vote is')
  return answered(parts, review, call.id)
}

async function answered(parts: VoteParts, review: Recorded, id: string): Promise<Answer> {
  const { projection, clock, voteLimitMs } = parts
  const outcome = await whenKnown({ projection, clock, limitMs: voteLimitMs }, () =>
    voteOutcome(projection.causedBy(review.position), heldRequest(projection, id)),
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

function bodyOf<T>(schema: z.ZodType<T>, { body }: Call): T {
  const read = schema.safeParse(body ?? {})
  if (read.success) return read.data
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new Problem('CS_BAD_REQUEST', `the body is not as expected: ${problems.join('; ')}`)
}

/** How long a request that is not known yet is waited for. */
const KNOWN_LIMIT_MS = 2_000

/** Words travel in a protocol message to the agent. */
const WORDS_MAX = 1_000
