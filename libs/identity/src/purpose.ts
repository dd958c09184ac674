/** Everything that is sealed, by what it is sealed for: a value that is sealed for one purpose opens for no other. */
export const PURPOSES = {
  /** The token of an agent, to policy. */
  agentToken: 'countersign/agent-token',
  /** The token of a voter, to approval. */
  reviewToken: 'countersign/review-token',
  /** The data key of a session, to each of its readers. */
  dataKey: 'countersign/data-key',
  /** The credential of a session, to its proxy. */
  credential: 'countersign/credential',
} as const

export type Purpose = (typeof PURPOSES)[keyof typeof PURPOSES]
