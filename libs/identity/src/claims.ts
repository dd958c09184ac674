import type { JWTPayload } from 'jose'
import type { Caller } from '@countersign/contracts'
import { Instant, Problem } from '@countersign/kernel'

/**
 * Reads the identity in an access token: its agent is the current actor (RFC 8693 section 4.1, `act`), or the subject.
 * An identity claim that is not understood, at any depth, refuses the token (`CS_AUTH_INVALID`): with an actor passed
 * over, an agent would look like a person; with a group passed over, an agent would not look like one.
 */
export function identityOf(payload: JWTPayload, agentGroup = AGENT_GROUP): Caller {
  refuseForeign(payload)
  const subject = nameIn(payload.sub, 'sub')
  const actors = payload['act'] === undefined ? [] : actorsOf(payload['act'], payload.iss, 1)
  const agent = actors[0] ?? subject
  const groups = groupsOf(payload['groups'])
  const isOwn = isOwnToken(payload, subject)
  return {
    subject,
    agent,
    behalfOf: agent === subject ? null : subject,
    actors: [...new Set([subject, ...actors])],
    groups,
    expiresAt: expiryOf(payload.exp),
    isAgent: actors.some((actor) => actor !== subject) || isOwn || groups.includes(agentGroup),
  }
}

/** Refuses tokens that are for another use, or whose use has conditions that are not checked here. */
function refuseForeign(payload: JWTPayload): void {
  for (const [claim, what] of FOREIGN)
    if (payload[claim] !== undefined) throw refused(`it has the claim ${claim}: ${what}`)
  const type = payload['typ']
  if (type !== undefined && type !== 'Bearer')
    throw refused('its claim typ does not say that it is an access token')
}

/**
 * True if software got the token for itself, with no person behind it: its subject is then the client (RFC 9068
 * section 2.2), or the provider marks it (`idtyp` of Microsoft Entra, `gty` of Auth0). Known limit: the service account of a client is not recognized where the provider gives it another
 * name; there the group of the agents must mark it.
 */
function isOwnToken(payload: JWTPayload, subject: string): boolean {
  const parties = ['client_id', 'azp'].flatMap((claim) =>
    payload[claim] === undefined ? [] : [nameIn(payload[claim], claim)],
  )
  return (
    parties.includes(subject) ||
    payload['idtyp'] === 'app' ||
    payload['gty'] === 'client-credentials'
  )
}

/** The current actor first, then those that acted before it. */
function actorsOf(act: unknown, issuer: string | undefined, depth: number): string[] {
  if (depth > ACTOR_DEPTH_MAX) throw refused('the delegation chain is too long')
  if (typeof act !== 'object' || act === null || Array.isArray(act))
    throw refused('its claim act is not an object')
  const { sub, iss, act: earlier, ...others } = { sub: null, iss: issuer, act: undefined, ...act }
  const [foreign] = Object.keys(others)
  if (foreign !== undefined)
    throw refused(`its claim act has a member ${quoted(foreign)} that is not understood`)
  // The same name at another issuer is another actor.
  if (iss !== issuer) throw refused('its claim act names an actor of another issuer')
  const actor = nameIn(sub, 'act.sub')
  return [actor, ...(earlier === undefined ? [] : actorsOf(earlier, issuer, depth + 1))]
}

/** The groups in a token. Without the claim there are none; a claim in another form is refused, not passed over. */
function groupsOf(claimed: unknown): string[] {
  if (claimed === undefined) return []
  if (!Array.isArray(claimed) || claimed.length > GROUPS_MAX)
    throw refused(`its claim groups is not a list of at most ${GROUPS_MAX} names`)
  return claimed.map((group) => nameIn(group, 'groups'))
}

/** A name that people can tell from others: not empty, not too long, without invisible characters. */
function nameIn(value: unknown, claim: string): string {
  if (typeof value !== 'string' || value === '' || value.length > NAME_CHARACTERS_MAX)
    throw refused(`its claim ${claim} is not a name of 1 to ${NAME_CHARACTERS_MAX} characters`)
  if (UNSEEN.test(value) || value.trim() !== value || value.normalize('NFC') !== value)
    throw refused(`its claim ${claim} has characters that are not seen as they are`)
  return value
}

function expiryOf(exp: unknown): Instant {
  if (typeof exp !== 'number' || !(exp >= 0 && exp <= EXPIRY_SECONDS_MAX))
    throw refused('its claim exp is not a time')
  return Instant(Math.floor(exp * 1_000_000))
}

const refused = (why: string): Problem =>
  new Problem('CS_AUTH_INVALID', `the token is refused: ${why}`, {
    hint: 'Use an access token (RFC 9068); its actor, if any, stands in `act` with `sub` and nothing else.',
  })

const quoted = (name: string): string => JSON.stringify(name.slice(0, 40))

/** Claims of tokens for another use, and of conditions on the use. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ['nonce', 'it is an ID token'],
  ['at_hash', 'it is an ID token'],
  ['c_hash', 'it is an ID token'],
  ['s_hash', 'it is an ID token'],
  ['events', 'it is a security event (RFC 8417)'],
  [
    'cnf',
    'only the holder of a key may use it (RFC 7800), and the protocols here do not prove that',
  ],
  ['actort', 'an actor stands in a token within it, which is not looked into'],
  ['_claim_names', 'some of its claims, perhaps groups, stand elsewhere'],
]
/** Control, format (bidi, zero width), unassigned, private and surrogate characters, and separators but the space. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u
const ACTOR_DEPTH_MAX = 8
const GROUPS_MAX = 1_000
const NAME_CHARACTERS_MAX = 255
/** The end of the year 2254: past it an instant is no safe integer of microseconds. */
const EXPIRY_SECONDS_MAX = 8_990_000_000
const AGENT_GROUP = 'agents'
