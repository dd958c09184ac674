import type { CountersignatureRefused, Identity } from '@countersign/contracts'
import type { Vote, Voter } from './command.ts'
import { overlap } from './identities.ts'
import { type Open, openStages } from './progress.ts'
import type { Pending } from './state.ts'

/** The reason that a vote does not count, as a code and as a sentence. */
export type Refusal = Pick<CountersignatureRefused, 'reason' | 'detail'>
type Verified = Extract<Voter, { status: 'verified' }>

/** The stages that this person may sign or deny now, or why there are none. */
export function stagesFor(pending: Pending, voter: Verified): readonly Open[] | Refusal {
  const { identity } = voter
  const { environment, requester } = pending.requested
  if (overlap(identity, requester)) {
    return refusal('SelfApproval', 'Nobody countersigns a request of their own or of their agent.')
  }
  if (identity.isAgent) {
    return refusal('NotAReviewer', 'An agent cannot countersign, whoever it acts for.')
  }
  const mine = openStages(pending).filter(
    ({ stage }) => stage.environment === environment && groupsIn(stage.groups, identity).length > 0,
  )
  if (mine.length > 0) return mine
  const elsewhere = voter.environments.filter((name) => name !== environment)
  if (elsewhere.length > 0 && !voter.environments.includes(environment)) {
    return refusal(
      'WrongEnvironment',
      `This person reviews ${elsewhere.join(', ')}, not ${environment}.`,
    )
  }
  return refusal('NotAReviewer', 'This person is not a reviewer of a stage that waits now.')
}

/** The stages that a countersignature of this person counts for, or why it counts for none. */
export function stagesToSign(
  pending: Pending,
  vote: Vote & { type: 'Countersign' },
  voter: Verified,
) {
  const mine = stagesFor(pending, voter)
  if (isRefusal(mine)) return mine
  if (vote.digest !== pending.requested.digest) {
    return refusal('DigestMismatch', 'The request that was looked at is not the one that waits.')
  }
  const by = voter.identity.subject
  const unsigned = mine.filter(({ progress }) =>
    progress.signers.every((signer) => signer.by !== by),
  )
  const fresh = unsigned.filter(
    ({ stage, progress }) =>
      !(stage.distinctFrom.includes('earlierStages') && progress.earlier.includes(by)),
  )
  if (fresh.length > 0) return fresh
  return refusal(
    'AlreadySigned',
    unsigned.length === 0
      ? 'This person has countersigned already.'
      : 'This stage needs somebody who did not countersign an earlier one.',
  )
}

export const isRefusal = (found: readonly Open[] | Refusal): found is Refusal => 'reason' in found

/** Those of the groups that the person is in. */
export const groupsIn = (groups: readonly string[], identity: Identity): readonly string[] =>
  groups.filter((group) => identity.groups.includes(group))

export const refusal = (reason: Refusal['reason'], detail: string): Refusal => ({ reason, detail })
