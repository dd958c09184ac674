import type { Identity } from '@countersign/contracts'

/** Everybody that an identity speaks for: the person, the agent, and all between them. */
export const everybodyIn = (identity: Identity): ReadonlySet<string> =>
  new Set([
    identity.subject,
    identity.agent,
    ...(identity.behalfOf === null ? [] : [identity.behalfOf]),
    ...identity.actors,
  ])

/** True if two identities have anybody in common; then neither may countersign for the other. */
export const overlap = (one: Identity, other: Identity): boolean =>
  !everybodyIn(one).isDisjointFrom(everybodyIn(other))
