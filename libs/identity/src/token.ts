import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import type { Caller } from '@countersign/contracts'
import { messageOf, Problem } from '@countersign/kernel'
import { identityOf } from './claims.ts'

/** Verifies an access token: gives the caller that it was issued to, or throws a `Problem` (`CS_AUTH_…`). */
export type TokenVerifier = (token: string, nowMs?: number) => Promise<Caller>

export type TokenSettings = {
  issuer: string
  audience: string
  jwksUri?: string
  /** The group whose members are agents; `agents` by default. */
  agentGroup?: string
  /** The `typ` that the header of an access token must have; `at+jwt` (RFC 9068) by default. */
  type?: string
}

/** The settings of a service that reads tokens, under the names in `OIDC_SETTINGS` of the runtime. */
export type OidcConfig = {
  readonly CS_OIDC_ISSUER: string
  readonly CS_OIDC_AUDIENCE: string
  readonly CS_OIDC_TOKEN_TYPE: string
  readonly CS_OIDC_JWKS_URI?: string | undefined
  readonly CS_AGENT_GROUP: string
}

/** Verifies the tokens of the provider that a service is configured with. */
export const configuredVerifier = (config: OidcConfig): TokenVerifier =>
  tokenVerifier({
    issuer: config.CS_OIDC_ISSUER,
    audience: config.CS_OIDC_AUDIENCE,
    type: config.CS_OIDC_TOKEN_TYPE,
    agentGroup: config.CS_AGENT_GROUP,
    ...(config.CS_OIDC_JWKS_URI === undefined ? {} : { jwksUri: config.CS_OIDC_JWKS_URI }),
  })

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
        typ: settings.type ?? ACCESS_TOKEN,
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

/** RFC 9068 section 2.1; `application/at+jwt` is the same. */
const ACCESS_TOKEN = 'at+jwt'
