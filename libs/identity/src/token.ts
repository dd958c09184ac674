import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose'
import type { Identity } from '@countersign/contracts'
import { Instant, messageOf, Problem } from '@countersign/kernel'

/** Reads an access token: who it was issued to, or a `Problem` (`CS_AUTH_…`). */
export type TokenVerifier = (token: string, nowMs?: number) => Promise<Identity>

export type TokenSettings = { issuer: string; audience: string; jwksUri?: string }

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
      return identityOf(payload)
    } catch (cause) {
      throw problemOf(cause)
    }
  }
}

/** Who a token speaks of: the agent is the current actor (RFC 8693 `act`), else the subject. */
export function identityOf(payload: JWTPayload): Identity {
  const subject = payload.sub ?? ''
  const actors = actorsOf(payload['act'], 0)
  const agent = actors[0] ?? subject
  const groups = payload['groups']
  return {
    subject,
    agent,
    behalfOf: agent === subject ? null : subject,
    actors: [...new Set([subject, ...actors])],
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
    expiresAt: Instant((payload.exp ?? 0) * 1_000_000),
  }
}

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
