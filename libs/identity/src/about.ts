import type { ReviewsMessage, SessionRequested } from '@countersign/contracts'

/**
 * The context that a sealed value is bound to. Its hash stands in the authenticated header of the seal, so that a writer
 * of a topic who cannot open the seal cannot make it count for anything else.
 */
export type About = readonly (string | null)[]

/** The token of an agent: good for one session, of one proxy process, with one key that the credential is sealed to. */
export const sessionAbout = (
  requested: Pick<
    SessionRequested,
    'sessionId' | 'instanceId' | 'profile' | 'agent' | 'sessionKey'
  >,
): About => [
  'session',
  requested.sessionId,
  requested.instanceId,
  requested.profile,
  requested.agent,
  requested.sessionKey,
]

/** The token of a voter: good for this one vote, with exactly its content. */
export const voteAbout = (vote: Vote): About => [
  'vote',
  vote.type,
  vote.sessionId,
  vote.requestId,
  vote.reviewId,
  vote.type === 'Countersign' ? vote.digest : vote.type === 'Deny' ? vote.words : null,
]

/** The data key of a session: copied into another session, it cannot be opened. */
export const dataKeyAbout = (sessionId: string): About => ['data-key', sessionId]

/** The credential of a session. */
export const credentialAbout = (of: { sessionId: string; role: string }): About => [
  'credential',
  of.sessionId,
  of.role,
]

type Vote = ReviewsMessage extends infer V
  ? V extends ReviewsMessage
    ? Omit<V, Unbound>
    : never
  : never
/** The fields of a vote that the seal does not bind: no decision depends on them. */
type Unbound = 'at' | 'by' | 'proof' | 'signature'
