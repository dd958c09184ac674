import type {
  Identity,
  SessionAdmitted,
  SessionRejected,
  SessionRequested,
} from '@countersign/contracts'
import type { Catalog } from '@countersign/catalog'
import { afterMs, type ErrorCode, type Instant, isFromTheFuture } from '@countersign/kernel'
import type { Policies } from './policy-set.ts'
import { timeOf } from './question.ts'
import { settingRefused, type StartSettings } from './start-settings.ts'

/** The rules in force, and the offset up to which the catalog was read for them. */
export type Rules = {
  readonly catalog: Catalog
  readonly policies: Policies
  readonly catalogOffset: number
}

/** The identity that the sealed token proves, or the reason why it proves none. */
export type Proven =
  | {
      readonly identity: Identity
      /** The thumbprint of the session key that the token was sealed together with. */
      readonly keyThumbprint: string
      readonly settings: StartSettings
    }
  | { readonly refused: ErrorCode; readonly reason: string }

/** Decides whether a session may open. */
export function admission(
  requested: SessionRequested,
  proven: Proven,
  { rules, at }: { rules: Rules; at: Instant },
): SessionAdmitted | SessionRejected {
  const { sessionId } = requested
  const rejected = (code: ErrorCode, reason: string): SessionRejected => ({
    type: 'SessionRejected',
    sessionId,
    at,
    code,
    reason,
  })
  if ('refused' in proven) return rejected(proven.refused, proven.reason)
  if (isFromTheFuture(sessionId, at)) {
    return rejected(
      'CS_SESSION_REJECTED',
      'the id of the session names a time that has not come: the clock of the proxy is ahead',
    )
  }
  const { identity, keyThumbprint, settings } = proven
  if (requested.agent !== identity.agent) {
    return rejected(
      'CS_AUTH_AGENT_MISMATCH',
      `the token was issued to ${identity.agent}; connect as that user`,
    )
  }
  const profile = rules.catalog.profiles.get(requested.profile)
  if (profile === undefined) {
    return rejected('CS_PROFILE_UNKNOWN', `there is no connection profile ${requested.profile}`)
  }
  const question = {
    identity: { agent: identity.agent, behalfOf: identity.behalfOf, groups: identity.groups },
    profile: { name: profile.name, environment: profile.environment },
    table: null,
    time: timeOf(at),
    raisedRoles: [],
  }
  const answer = rules.policies.ask({ ...question, action: 'connect', statement: null })
  if (answer.status === 'forbidden') return rejected('CS_SESSION_REJECTED', answer.reason)
  if (answer.status === 'unmatched') {
    return rejected(
      'CS_SESSION_REJECTED',
      `no policy permits ${identity.agent} to connect to ${profile.name}`,
    )
  }
  const refused = settingRefused(settings, (names) =>
    rules.policies.ask({
      ...question,
      action: 'session-change',
      statement: { ...SET, settings: names },
    }),
  )
  if (refused !== null) return rejected('CS_STARTUP_PARAMETER_REFUSED', refused)
  const longest = afterMs(at, profile.sessionMaxMs)
  return {
    type: 'SessionAdmitted',
    sessionId,
    at,
    identity,
    profile,
    policyVersion: rules.policies.version,
    instanceId: requested.instanceId,
    sessionKey: requested.sessionKey,
    sessionKeyThumbprint: keyThumbprint,
    catalogOffset: rules.catalogOffset,
    expiresAt: profile.outlivesToken || identity.expiresAt > longest ? longest : identity.expiresAt,
    settings: settings.map(([name]) => name),
  }
}

/** The facts of a SET, whatever it sets. */
const SET = {
  count: 1,
  movesData: false,
  touchesTagged: false,
  changesState: true,
  createsCode: false,
  unbounded: false,
}
