import type { AnyMessage, Profile, TransactionStatus } from '@countersign/contracts'
import { InstanceId, Instant, RequestId, SessionId } from '@countersign/kernel'

/** Messages as the tests of the broker tell them. */
export const session = SessionId('00000000-0000-7000-8000-0000000000aa')
export const proxy = InstanceId('00000000-0000-7000-8000-0000000000bb')
/** A public key of a session, whose thumbprint stands in the admission below. */
export const sessionKey =
  '{"kty":"EC","x":"H4_3HKgWfKCECdAcvhkCbdNVIlHelHum7EYOZIDMJRQ","y":"VtDEo1q2qOzmprohHGn24DWstuDpdsotDEO-XJluRkY","crv":"P-256"}'
export const alter = RequestId('00000000-0000-7000-8000-0000000000c1')
export const update = RequestId('00000000-0000-7000-8000-0000000000c2')

export const profile: Profile = {
  name: 'shop-prod',
  version: 'v1',
  environment: 'prod',
  host: '127.0.0.1',
  port: 5432,
  database: 'shop_prod',
  tls: 'VerifyFull',
  adminSecret: 'file:shop-prod-admin',
  baseRoles: ['shop_prod_reader'],
  ownerRole: 'shop_prod_owner',
  raised: [
    { effect: 'schema-change', roles: ['shop_prod_owner'] },
    { effect: 'write', roles: ['shop_prod_writer'] },
  ],
  sessionMaxMs: 3_600_000,
  rowsMax: 1_000,
  holdInTransactionMaxMs: 60_000,
  holdAfterWriteMaxMs: 30_000,
  raisedIdleMaxMs: 10_000,
  recording: 'Full',
  outlivesToken: false,
  mayCreate: false,
  searchPaths: [],
}

/** The role of the session, and what it is lent. */
export const role = 'cs_shop_prod_3'
export const owner = ['shop_prod_owner']

const at = Instant(0)
const of = (sessionId: SessionId) => ({ sessionId, at })
const chained = (sessionId: SessionId) => ({ ...of(sessionId), sequence: 0, previousHash: '' })
const identity = {
  subject: 'ana',
  agent: 'bot',
  behalfOf: 'ana',
  actors: [],
  groups: [],
  expiresAt: at,
}

export const admitted = (sessionId = session, expiresAt: Instant | null = null): AnyMessage => ({
  type: 'SessionAdmitted',
  settings: [],
  ...of(sessionId),
  identity,
  profile,
  policyVersion: 'p1',
  instanceId: proxy,
  sessionKey,
  sessionKeyThumbprint: 'DOJ-tjGDbAeHM3Z9AfoSCTYrCJWLYJu20pqWRF1IdFA',
  catalogOffset: 1,
  expiresAt,
})

export const intended = (role: string, sessionId = session): AnyMessage => ({
  type: 'CredentialIntended',
  ...of(sessionId),
  credentialId: 'c1',
  target: profile.name,
  role,
  instanceId: proxy,
})

export const issued = (role: string, sessionId = session): AnyMessage => ({
  type: 'CredentialIssued',
  ...of(sessionId),
  credentialId: 'c1',
  target: profile.name,
  role,
  baseRoles: profile.baseRoles,
  sealed: '',
  targetVersion: 't1',
  validUntil: at,
  actsAs: null,
})

export const failedToIssue: AnyMessage = {
  type: 'CredentialFailed',
  ...of(session),
  credentialId: 'c1',
  requestId: null,
  code: 'CS_TARGET_UNREACHABLE',
  reason: '',
  leftNothing: false,
}

export const revoked = (role: string, sessionId = session): AnyMessage => ({
  type: 'CredentialRevoked',
  ...of(sessionId),
  credentialId: 'c1',
  target: profile.name,
  role,
  reason: 'SessionOver',
  backendsTerminated: 1,
})

export const reviewed = (
  requestId: RequestId,
  raise: readonly string[],
  effect = 'schema-change',
): AnyMessage => ({
  type: 'ReviewRequired',
  ...of(session),
  requestId,
  digest: `digest of ${requestId}`,
  policyVersion: 'p1',
  targetVersion: 't1',
  rules: [],
  effects: [{ effect, schema: null, table: null }],
  summary: '',
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
  changesState: false,
  stateVersion: 0,
  recording: 'Full',
  identity,
  profile: profile.name,
  environment: 'prod',
  rendering: '',
  chains: [],
  raise,
  createsCode: false,
  valueTypes: [],
  runsWhenPrepared: false,
  readsTime: false,
  interceptedAt: at,
})

export const allowed = (requestId: RequestId, effect = 'schema-change'): AnyMessage => ({
  type: 'RequestAllowed',
  ...of(session),
  requestId,
  digest: `digest of ${requestId}`,
  coverage: 'None',
  coverageKey: null,
  policyVersion: 'p1',
  targetVersion: 't1',
  rules: [],
  effects: [{ effect, schema: null, table: null }],
  summary: '',
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
  changesState: false,
  stateVersion: 0,
  recording: 'Full',
})

export const granted = (
  requestId: RequestId,
  raise: readonly string[],
  digest = `digest of ${requestId}`,
): AnyMessage => ({
  type: 'ApprovalGranted',
  ...of(session),
  approvalId: '00000000-0000-7000-8000-0000000000dd',
  requestId,
  digest,
  signers: ['bo'],
  raise,
  expiresAt: at,
  policyVersion: 'p1',
})

export const raised = (requestId: RequestId, roles: readonly string[]): AnyMessage => ({
  type: 'PrivilegeRaised',
  ...of(session),
  credentialId: 'c1',
  requestId,
  raiseId: `raise of ${requestId}`,
  roles,
})

export const described = (requestId: RequestId | null): AnyMessage => ({
  type: 'TargetDescribed',
  ...of(session),
  target: profile.name,
  targetVersion: 't1',
  serverVersion: '18',
  eventTriggers: '',
  types: [],
  systemColumns: [],
  searchPath: [],
  relations: [],
  routines: [],
  requestId,
})

export const lowered = (requestId: RequestId, roles: readonly string[]): AnyMessage => ({
  type: 'PrivilegeLowered',
  ...of(session),
  credentialId: 'c1',
  requestId,
  raiseId: `raise of ${requestId}`,
  roles,
  transferred: [],
  quarantined: [],
})

export const completed = (
  requestId: RequestId,
  transactionStatus: TransactionStatus,
): AnyMessage => ({
  type: 'RequestCompleted',
  ...chained(session),
  requestId,
  outcome: 'Succeeded',
  commandTag: null,
  sqlState: null,
  rows: 0,
  resultBytes: 0,
  durationMicros: 0,
  transactionStatus,
  transcriptHead: '',
  transcriptCount: 0,
})

export const withdrawn = (requestId: RequestId): AnyMessage => ({
  type: 'RequestWithdrawn',
  ...chained(session),
  requestId,
  reason: 'Cancelled',
})

export const rejected: AnyMessage = {
  type: 'SessionRejected',
  sessionId: session,
  at,
  code: 'CS_INTERNAL',
  reason: 'a record of the session could not be read',
}

export const ended = (sessionId = session): AnyMessage => ({
  type: 'SessionEnded',
  ...chained(sessionId),
  reason: 'ClientTerminated',
  code: null,
  requestCount: 0,
  transcriptHead: '',
  transcriptCount: 0,
  inDoubt: [],
})

/** A session that has its credential. */
export const opened = [admitted(), intended(role), issued(role)]
