import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto'
import { failed, ok, type Result, type Secret } from '@countersign/kernel'

/** The name of the mechanism. `SCRAM-SHA-256-PLUS` binds to a TLS channel, which ends here, so it is not spoken. */
export const SCRAM_MECHANISM = 'SCRAM-SHA-256'

/** The first message of the client, which has its nonce: send `message`. */
export type ScramFirst = { readonly nonce: string; readonly bare: string; readonly message: string }

/** The last message of the client, which proves that it knows the password: send `message`. */
export type ScramFinal = { readonly message: string; readonly serverSignature: Buffer }

export type ScramRefusal =
  | 'NotUnderstood'
  | 'NonceMismatch'
  | 'IterationsOutOfRange'
  | 'ServerRefused'
  | 'ServerSignatureMismatch'

/** Begins RFC 5802 (with SHA-256: RFC 7677). The nonce is random printable text without a comma; PostgreSQL ignores the user. */
export function clientFirst(nonce: string, user = ''): ScramFirst {
  const bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${nonce}`
  return { nonce, bare, message: `${GS2_HEADER}${bare}` }
}

/** Answers the server's challenge. */
export function clientFinal(
  first: ScramFirst,
  serverFirst: string,
  password: Secret<string>,
): Result<ScramFinal, ScramRefusal> {
  const challenge = SERVER_FIRST.exec(serverFirst)?.groups
  if (challenge === undefined) return failed('NotUnderstood')
  const { nonce = '', salt = '' } = challenge
  const iterations = Number(challenge['iterations'])
  if (!nonce.startsWith(first.nonce) || nonce === first.nonce) return failed('NonceMismatch')
  if (iterations < 1 || iterations > ITERATIONS_MAX) return failed('IterationsOutOfRange')
  const withoutProof = `c=${base64(GS2_HEADER)},r=${nonce}`
  const authMessage = `${first.bare},${serverFirst},${withoutProof}`
  const keys = keysOf(password, Buffer.from(salt, 'base64'), iterations)
  const proof = xored(keys.clientKey, hmac(keys.storedKey, authMessage))
  return ok({
    message: `${withoutProof},p=${proof.toString('base64')}`,
    serverSignature: hmac(keys.serverKey, authMessage),
  })
}

/** Checks that the server knows the password too. Without this a stranger could pose as the target. */
export function verifyServer(
  final: ScramFinal,
  serverFinal: string,
): Result<'verified', ScramRefusal> {
  if (serverFinal.startsWith('e=')) return failed('ServerRefused')
  const signature = SERVER_FINAL.exec(serverFinal)?.groups?.['signature']
  if (signature === undefined) return failed('NotUnderstood')
  const bytes = Buffer.from(signature, 'base64')
  const isSame =
    bytes.length === final.serverSignature.length && timingSafeEqual(bytes, final.serverSignature)
  return isSame ? ok('verified') : failed('ServerSignatureMismatch')
}

/** The verifier that `CREATE ROLE … PASSWORD` takes in place of the password, which would stand in the target's log. */
export function scramVerifier(password: Secret<string>, salt: Buffer, iterations: number): string {
  const { storedKey, serverKey } = keysOf(password, salt, iterations)
  const keys = `${storedKey.toString('base64')}:${serverKey.toString('base64')}`
  return `${SCRAM_MECHANISM}$${iterations}:${salt.toString('base64')}$${keys}`
}

type Keys = { readonly clientKey: Buffer; readonly storedKey: Buffer; readonly serverKey: Buffer }

function keysOf(password: Secret<string>, salt: Buffer, iterations: number): Keys {
  const salted = pbkdf2Sync(prepared(password.expose()), salt, iterations, KEY_BYTES, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  const storedKey = createHash('sha256').update(clientKey).digest()
  return { clientKey, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/**
 * SASLprep (RFC 4013), so that a password typed on two keyboards is one password: spaces become a space, invisible
 * characters go, the rest is normalised. Known limit: prohibited characters and mixed directions are not looked for;
 * a server stores such a password as it is, so a login with one may fail.
 */
const prepared = (password: string): string =>
  password.replace(OTHER_SPACES, ' ').replace(INVISIBLE, '').normalize('NFKC')

const hmac = (key: Buffer, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'utf8').digest()

const xored = (a: Buffer, b: Buffer): Buffer =>
  Buffer.from(a.map((byte, index) => byte ^ (b[index] ?? 0)))

const base64 = (text: string): string => Buffer.from(text, 'latin1').toString('base64')

/** The GS2 header of RFC 5802 without channel binding and without another identity. */
const GS2_HEADER = 'n,,'

const SERVER_FIRST =
  /^r=(?<nonce>[\x21-\x2b\x2d-\x7e]+),s=(?<salt>[A-Za-z0-9+/]+={0,2}),i=(?<iterations>[1-9]\d{0,9})$/
const SERVER_FINAL = /^v=(?<signature>[A-Za-z0-9+/]+={0,2})$/

/** A server that asks for more would stop all other sessions of this process while we compute. */
const ITERATIONS_MAX = 200_000

const KEY_BYTES = 32

const OTHER_SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu
const INVISIBLE = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/gu
