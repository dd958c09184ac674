import { generateKeyPairSync, sign } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An issuer of real, signed access tokens, with its keys on a local port. */
export type TestIssuer = AsyncDisposable & {
  readonly issuer: string
  readonly audience: string
  /** A token of a person or an agent; `act` names the agent that acts for the subject. */
  token(subject: string, claims?: TestClaims): string
}

export type TestClaims = {
  groups?: readonly string[]
  act?: string
  /** The client that got the token. */
  client?: string
  /** In seconds from now; negative for a token that has expired. */
  lifetime?: number
  /** The type that the header says. */
  type?: string
  /** Other claims, or the same in another form. */
  others?: Readonly<Record<string, unknown>>
}

/** Starts an issuer for a test. */
export async function testIssuer(): Promise<TestIssuer> {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...keys.publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'ES256', use: 'sig' }
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on TCP has an address with a port.
  const { port } = server.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  return {
    issuer,
    audience: AUDIENCE,
    token(
      subject,
      { groups = [], act, client, lifetime = 600, type = 'at+jwt', others = {} } = {},
    ) {
      const now = Math.floor(Date.now() / 1000)
      const header = { alg: 'ES256', typ: type, kid: KEY_ID }
      const claims = {
        iss: issuer,
        aud: AUDIENCE,
        sub: subject,
        groups,
        iat: now - 1,
        exp: now + lifetime,
        ...(act === undefined ? {} : { act: { sub: act } }),
        ...(client === undefined ? {} : { client_id: client }),
        ...others,
      }
      const signed = `${encoded(header)}.${encoded(claims)}`
      const options = { key: keys.privateKey, dsaEncoding: 'ieee-p1363' } as const
      return `${signed}.${sign('sha256', Buffer.from(signed), options).toString('base64url')}`
    },
    [Symbol.asyncDispose]: async () => {
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const KEY_ID = 'test'
const AUDIENCE = 'countersign'
