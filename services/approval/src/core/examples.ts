import type {
  ApprovalRequested,
  ApprovalsMessage,
  Caller,
  Chain,
  CountersignatureRefused,
  Countersigned,
  Identity,
  ReviewRequired,
  Stage,
} from '@countersign/contracts'
import { afterMs, EventId, Instant, RequestId, SessionId } from '@countersign/kernel'
import { approvalIdOf } from './approval.ts'
import type { ApprovalCommand, Voter } from './command.ts'

// Examples that the tests of this service share; nothing else imports this file.

export const sessionId = SessionId('01890000-0000-7000-8000-000000000001')
export const requestId = RequestId('01890000-0000-7000-8000-000000000002')
export const approvalId = approvalIdOf(requestId)
export const decisionId = EventId('01890000-0000-5000-8000-000000000003')
export const noon = Instant(1_790_000_000_000_000)
export const later = (minutes: number): Instant => afterMs(noon, minutes * 60_000)

export const person = (name: string, ...groups: string[]): Caller => ({
  subject: name,
  agent: name,
  behalfOf: null,
  actors: [name],
  groups,
  expiresAt: later(600),
  isAgent: false,
})
/** An agent that acts for maria. */
export const requester: Identity = {
  ...person('maria', 'agents', 'prod-reviewers'),
  agent: 'ci-deploy',
  behalfOf: 'maria',
  actors: ['maria', 'ci-deploy'],
}
export const stage = (name: string, fields: Partial<Stage> = {}): Stage => ({
  name,
  reviewers: 'prod-reviewers',
  environment: 'prod',
  groups: ['prod-reviewers'],
  mode: 'Any',
  quorum: 1,
  deadlineMs: 15 * 60_000,
  distinctFrom: ['requester', 'behalfOf'],
  ...fields,
})
export const chain = (name: string, ...stages: Stage[]): Chain => ({
  ...{ name, version: 'v1', stages },
  holdsCopyData: false,
})
export const reviewOf = (...chains: Chain[]): ReviewRequired => ({
  type: 'ReviewRequired',
  sessionId,
  at: noon,
  requestId,
  digest: 'd1',
  policyVersion: 'p1',
  targetVersion: 't1',
  rules: ['prod-change'],
  effects: [{ effect: 'schema-change', schema: 'public', table: 'orders' }],
  summary: 'changes the table orders',
  tainted: false,
  undescribed: [],
  writesTagged: false,
  plainColumns: [],
  cursor: null,
  cursorUse: null,
  redefines: null,
  catalogOffset: null,
  longText: null,
  copyOut: null,
  takesCopyData: false,
  changesState: true,
  stateVersion: 1,
  recording: 'Full',
  identity: requester,
  profile: 'shop-prod',
  environment: 'prod',
  rendering: 'ALTER TABLE orders ADD COLUMN note text',
  chains,
  raise: ['shop_prod_owner'],
  valueTypes: [],
  createsCode: false,
  runsWhenPrepared: false,
  readsTime: false,
  interceptedAt: noon,
})

const order = { sessionId, requestId, at: later(1) } as const
const about = { sessionId, at: later(1), approvalId, requestId } as const

export const ask = (...chains: Chain[]): ApprovalCommand => ({
  type: 'RequestApproval',
  ...order,
  at: noon,
  review: reviewOf(...chains),
  decisionId,
  nonce: 'n1',
})
export const asked = (...chains: Chain[]): ApprovalRequested => {
  const { identity, digest, profile, environment, summary, rendering, effects, raise } = reviewOf()
  return {
    type: 'ApprovalRequested',
    ...about,
    at: noon,
    digest,
    requester: identity,
    profile,
    environment,
    summary,
    rendering,
    effects,
    chains,
    raise,
    valueTypes: [],
    policyVersion: 'p1',
    decisionId,
    nonce: 'n1',
    deadline: later(15),
  }
}
export const voterOf = (identity: Caller, ...environments: string[]): Voter => ({
  status: 'verified',
  identity,
  environments,
})
export const ana = voterOf(person('ana', 'prod-reviewers'), 'prod')
export const bo = voterOf(person('bo', 'prod-reviewers'), 'prod')
export const kim = voterOf(person('kim', 'staging-reviewers'), 'staging')

export const yes = (voter: Voter, at = later(1), digest = 'd1'): ApprovalCommand => ({
  type: 'Countersign',
  ...order,
  at,
  voter,
  digest,
})
export const no = (voter: Voter, words = 'not on a Friday'): ApprovalCommand => ({
  type: 'Deny',
  ...order,
  voter,
  words,
})
export const giveUp = (voter: Voter): ApprovalCommand => ({ type: 'Withdraw', ...order, voter })
export const end: ApprovalCommand = { type: 'EndRequest', ...order, reason: 'the session ended' }
export const timeIs = (at: Instant): ApprovalCommand => ({ type: 'DeadlinePassed', ...order, at })

export const signed = (by: string, fields: Partial<Countersigned> = {}): Countersigned => ({
  type: 'Countersigned',
  ...about,
  by,
  chain: 'prod-change',
  stage: 'dba',
  stageComplete: true,
  deadline: null,
  groups: ['prod-reviewers'],
  ...fields,
})
export const grantedTo = (...signers: string[]): ApprovalsMessage => ({
  type: 'ApprovalGranted',
  ...about,
  digest: 'd1',
  signers,
  raise: ['shop_prod_owner'],
  expiresAt: later(6),
  policyVersion: 'p1',
})
export const refusedTo = (
  by: string,
  reason: CountersignatureRefused['reason'],
  detail: string,
  at = later(1),
): ApprovalsMessage => ({ type: 'CountersignatureRefused', ...about, at, by, reason, detail })
export const deniedBy = (by: string, words: string, at = later(1)): ApprovalsMessage => ({
  type: 'ApprovalDenied',
  ...about,
  at,
  by,
  words,
})
export const withdrawn = (reason: string): ApprovalsMessage => ({
  type: 'ApprovalWithdrawn',
  ...about,
  reason,
})
export const expired = (at: Instant, name = 'dba'): ApprovalsMessage => ({
  type: 'ApprovalExpired',
  ...about,
  at,
  stage: name,
})
