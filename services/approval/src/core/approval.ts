import type {
  ApprovalRequested,
  ApprovalsMessage,
  Countersigned,
  Identity,
} from '@countersign/contracts'
import { afterMs, type Decider, type RequestId, uuidv5 } from '@countersign/kernel'
import type { ApprovalCommand, Vote } from './command.ts'
import { everybodyIn } from './identities.ts'
import {
  begun,
  countersigned,
  deadlineOf,
  isGranted,
  type Open,
  stageDeadline,
} from './progress.ts'
import { isComplete } from './quorum.ts'
import { groupsIn, isRefusal, type Refusal, refusal, stagesFor, stagesToSign } from './refusal.ts'
import type { Approval, Pending } from './state.ts'

/** Decides who may countersign a held request, and when enough of them have. */
export const approval: Decider<Approval, ApprovalCommand, ApprovalsMessage> = {
  initialState: { status: 'new' },
  decide(command, state) {
    switch (command.type) {
      case 'RequestApproval':
        return state.status === 'new' ? asked(command) : []
      case 'EndRequest':
        return state.status === 'pending' ? [withdrawn(command, command.reason)] : []
      case 'Supersede':
        if (state.status !== 'pending') return []
        return [{ type: 'ApprovalSuperseded', ...about(command), reason: command.reason }]
      case 'LimitHold':
        return state.status === 'pending' ? [limited(command)] : []
      case 'DeadlinePassed':
        return state.status === 'pending' && isLate(command, state) ? [expired(command, state)] : []
      case 'Countersign':
      case 'Deny':
      case 'Withdraw':
        return voted(command, state)
    }
  },
  evolve(state, event) {
    switch (event.type) {
      case 'ApprovalRequested':
        return begun(event)
      case 'Countersigned':
        return state.status === 'pending' ? countersigned(state, event) : state
      case 'ApprovalGranted':
        return { status: 'granted' }
      case 'ApprovalDenied':
        return { status: 'denied' }
      case 'ApprovalExpired':
        return { status: 'expired' }
      case 'ApprovalWithdrawn':
        return { status: 'withdrawn' }
      case 'ApprovalSuperseded':
        return { status: 'superseded' }
      case 'CountersignatureRefused':
      case 'ApprovalLimited':
        return state
    }
  },
}

/** The approval of a request; one for each. */
export const approvalIdOf = (requestId: RequestId): string => uuidv5(requestId, 'approval')

type Ask = Extract<ApprovalCommand, { type: 'RequestApproval' }>

/** Asks the reviewers; a request that nobody could ever countersign is denied at once. */
function asked(command: Ask): readonly ApprovalsMessage[] {
  const { review } = command
  const chains = [...new Map(review.chains.map((chain) => [chain.name, chain])).values()]
  const requested: ApprovalRequested = {
    type: 'ApprovalRequested',
    ...about(command),
    digest: review.digest,
    requester: review.identity,
    profile: review.profile,
    environment: review.environment,
    summary: review.summary,
    rendering: review.rendering,
    effects: review.effects,
    chains,
    raise: review.raise,
    valueTypes: review.valueTypes,
    policyVersion: review.policyVersion,
    decisionId: command.decisionId,
    nonce: command.nonce,
    deadline: command.at,
  }
  const deadline = deadlineOf(begun(requested)) ?? command.at
  const hopeless = hopelessIn(requested)
  if (hopeless === null) return [{ ...requested, deadline }]
  return [requested, denied(command, 'countersign', hopeless)]
}

/** The reason that nobody could ever grant this, however long the agent waits; null when somebody can. */
function hopelessIn({ chains, environment }: ApprovalRequested): string | null {
  const isAnswerable = chains.length > 0 && chains.every(({ stages }) => stages.length > 0)
  if (!isAnswerable) return 'No reviewers are defined for this request.'
  for (const { name, stages } of chains) {
    const foreign = stages.find((stage) => stage.environment !== environment)
    if (foreign === undefined) continue
    const where = `the chain ${name} needs reviewers of ${foreign.environment} in its stage ${foreign.name}`
    return `Nobody may countersign this in ${environment}: ${where}.`
  }
  return null
}

function voted(vote: Vote, state: Approval): readonly ApprovalsMessage[] {
  if (vote.voter.status === 'unverified') {
    return [refused(vote, refusal('TokenInvalid', vote.voter.detail))]
  }
  if (state.status === 'expired') return [refused(vote, TOO_LATE)]
  if (state.status !== 'pending') {
    return [refused(vote, refusal('NotPending', `The request ${STANDING[state.status]}.`))]
  }
  if (isLate(vote, state)) return [expired(vote, state), refused(vote, TOO_LATE)]
  const { voter } = vote
  switch (vote.type) {
    case 'Withdraw': {
      const { identity } = voter
      const isTheirs = everybodyIn(state.requested.requester).has(identity.subject)
      if (isTheirs) return [withdrawn(vote, `${whoIs(identity)} withdrew it`)]
      return [refused(vote, refusal('NotAReviewer', 'Only the requester can withdraw a request.'))]
    }
    case 'Deny': {
      const stages = stagesFor(state, voter)
      if (isRefusal(stages)) return [refused(vote, stages)]
      return [denied(vote, voter.identity.subject, vote.words)]
    }
    case 'Countersign': {
      const stages = stagesToSign(state, vote, voter)
      if (isRefusal(stages)) return [refused(vote, stages)]
      const signatures = stages.map((open) => signature(vote, open))
      const after = signatures.reduce(countersigned, state)
      return isGranted(after) ? [...signatures, granted(vote, after)] : signatures
    }
  }
}

function signature(vote: Vote, { chain, stage, progress }: Open): Countersigned {
  const by = nameOf(vote)
  const groups = vote.voter.status === 'verified' ? groupsIn(stage.groups, vote.voter.identity) : []
  const stageComplete = isComplete(stage, [...progress.signers, { by, groups }])
  return {
    type: 'Countersigned',
    ...about(vote),
    by,
    chain: chain.name,
    stage: stage.name,
    stageComplete,
    deadline: stageComplete ? stageDeadline(chain, progress.stage + 1, vote.at) : progress.deadline,
    groups,
  }
}

function granted(vote: Vote, { requested, progress }: Pending): ApprovalsMessage {
  return {
    type: 'ApprovalGranted',
    ...about(vote),
    digest: requested.digest,
    signers: [...new Set(progress.flatMap(({ earlier }) => earlier))],
    raise: requested.raise,
    expiresAt: afterMs(vote.at, GRANT_MS),
    policyVersion: requested.policyVersion,
  }
}

const refused = (vote: Vote, why: Refusal): ApprovalsMessage => ({
  type: 'CountersignatureRefused',
  ...about(vote),
  by: nameOf(vote),
  ...why,
})

const denied = (command: ApprovalCommand, by: string, words: string): ApprovalsMessage => ({
  type: 'ApprovalDenied',
  ...about(command),
  by,
  words,
})

const withdrawn = (command: ApprovalCommand, reason: string): ApprovalsMessage => ({
  type: 'ApprovalWithdrawn',
  ...about(command),
  reason,
})

const limited = (command: Extract<ApprovalCommand, { type: 'LimitHold' }>): ApprovalsMessage => ({
  type: 'ApprovalLimited',
  ...about(command),
  endsAt: command.endsAt,
  limit: command.limit,
})

function expired(command: ApprovalCommand, pending: Pending): ApprovalsMessage {
  const deadline = deadlineOf(pending)
  const overdue = pending.progress.find((progress) => progress.deadline === deadline)
  const chain = pending.requested.chains.find(({ name }) => name === overdue?.chain)
  return {
    type: 'ApprovalExpired',
    ...about(command),
    stage: chain?.stages[overdue?.stage ?? 0]?.name ?? '',
  }
}

function isLate(command: ApprovalCommand, pending: Pending): boolean {
  const deadline = deadlineOf(pending)
  return deadline !== null && command.at >= deadline
}

const about = ({ sessionId, requestId, at }: ApprovalCommand) => ({
  sessionId,
  at,
  approvalId: approvalIdOf(requestId),
  requestId,
})

/**
 * The name of the voter: the agent itself, whoever it acts for; without a verified token, the name that was claimed.
 */
const nameOf = ({ voter }: Vote): string =>
  voter.status === 'verified' ? voter.identity.agent : voter.claimed

const whoIs = ({ agent, behalfOf }: Identity): string =>
  behalfOf === null || behalfOf === agent ? agent : `${agent} (for ${behalfOf})`

/** Completes "The request …" in the refusal of a vote on a request that does not wait. */
const STANDING = {
  new: 'is not known here',
  granted: 'was granted',
  denied: 'was denied',
  withdrawn: 'was withdrawn',
  superseded: 'was superseded',
  over: 'is over, and so is its session',
} as const
const TOO_LATE = refusal('TooLate', 'The deadline of the request has passed.')
/** A grant expires when it is not released within this time; the broker and the proxy need only seconds. */
const GRANT_MS = 5 * 60_000
