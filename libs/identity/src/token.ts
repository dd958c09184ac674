import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose'
import type { Caller } from '@countersign/contracts'
import { Instant, messageOf, Problem } from '@countersign/kernel'

/** Reads an access token: who it was issued to, or a `Problem` (`CS_AUTH_…`). */
export type TokenVerifier = (token: string, nowMs?: number) => Promise<Caller>

export type TokenSettings = {
  issuer: string
  audience: string
  jwksUri?: string
  /** The group whose members are agents; `agents` by default. */
  agentGroup?: string
}

/** Verifies JWT access tokens (RFC 9068) of one issuer against its keys. */
export function tokenVerifier(settings: TokenSettings): TokenVerifier {
  const keys = createRemoteJWKSet(new URL(settings.jwksUri ?? `${settings.issuer}/jwks`), {
    cooldownDuration: 1_000,
    timeoutDuration: 5_000,
  })
  return async (token, nowMs) => {
    if (token === '') throw new Problem('CS_AUTH_REQUIRED', 'no token was given')
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms: ['ES256', 'ES384', 'EdDSA', 'PS256', 'RS256'],
        requiredClaims: ['sub', 'exp'],
        ...(nowMs === undefined ? {} : { currentDate: new Date(nowMs) }),
      })
      return identityOf(payload, settings.agentGroup)
    } catch (cause) {
      throw problemOf(cause)
    }
  }
}

/** Who a token speaks of: the agent is the current actor (RFC 8693 `act`), else the subject. */
export function identityOf(payload: JWTPayload, agentGroup = AGENT_GROUP): Caller {
  const subject = payload.sub ?? ''
  const actors = actorsOf(payload['act'], 0)
  const agent = actors[0] ?? subject
  const claimed = payload['groups']
  const groups = Array.isArray(claimed) ? claimed.filter((group) => typeof group === 'string') : []
  return {
    subject,
    agent,
    behalfOf: agent === subject ? null : subject,
    actors: [...new Set([subject, ...actors])],
    groups,
    expiresAt: Instant((payload.exp ?? 0) * 1_000_000),
    isAgent: agent !== subject || isOwnToken(payload) || groups.includes(agentGroup),
  }
}

/**
 * Whether software got the token for itself, with no person behind it: its subject is then the client (RFC 9068
 * section 2.2). Known limit: a provider that gives the service account of a client another name is not seen here;
 * there the group of the agents says it.
 */
const isOwnToken = ({ sub, client_id: client, azp: party }: JWTPayload): boolean =>
  sub !== undefined && (client === sub || party === sub)

function actorsOf(act: unknown, depth: number): string[] {
  if (depth > ACTOR_DEPTH_MAX)
    throw new Problem('CS_AUTH_INVALID', 'the delegation chain is too long')
  if (typeof act !== 'object' || act === null || !('sub' in act) || typeof act.sub !== 'string')
    return []
  return [act.sub, ...('act' in act ? actorsOf(act.act, depth + 1) : [])]
}

function problemOf(cause: unknown): Problem {
  if (cause instanceof Problem) return cause
  if (cause instanceof errors.JWTExpired) {
    return new Problem('CS_AUTH_EXPIRED', 'the token has expired', {
      cause,
      hint: 'Get a new token and connect again.',
    })
  }
  const unreachable = !(cause instanceof errors.JOSEError) || cause instanceof errors.JWKSTimeout
  return new Problem('CS_AUTH_INVALID', `the token is not valid: ${messageOf(cause)}`, {
    cause,
    retriable: unreachable,
    hint: unreachable
      ? 'The keys of the identity provider could not be read; try again.'
      : 'Get a token for this audience from the configured identity provider.',
  })
}

const ACTOR_DEPTH_MAX = 8
const AGENT_GROUP = 'agents'
