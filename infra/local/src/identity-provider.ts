import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import Provider, { type Context, errors, type Jwt, type Token } from 'oidc-provider'
import { AGENTS, developmentSecretOf, PEOPLE, PERSON_CLIENT } from './people.ts'

/** The identity provider of a development machine: its own process, on loopback. */
async function main(): Promise<void> {
  const port = Number(process.env['CS_HTTP_PORT'])
  const issuer = `http://127.0.0.1:${port}`
  const provider = new Provider(
    issuer,
    configuration(await signingKey(process.env['CS_IDP_KEY_FILE'] ?? ''), issuer),
  )
  provider.registerGrantType('password', passwordGrant(provider), ['username', 'password'])
  provider.on(
    'server_error',
    (_context, error) => void process.stderr.write(`${error.stack ?? error.message}\n`),
  )
  const callback = provider.callback()
  const server = createServer((request, response) => void callback(request, response))
  server.listen(port, '127.0.0.1')
  const stop = (): void => void server.close(() => process.exit(0)).closeAllConnections()
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  if (process.env['CS_STOP_WITH_STDIN'] === 'true') process.stdin.resume().once('end', stop)
}

function configuration(key: JWK, issuer: string): object {
  return {
    jwks: { keys: [key] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    clients: [
      ...Object.keys(AGENTS).map((agent) => client(agent, ['client_credentials'])),
      client(PERSON_CLIENT, ['password']),
    ],
    findAccount: (_context: Context, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id }),
    }),
    scopes: ['openid'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => `${issuer}/countersign`,
        useGrantedResource: () => true,
        getResourceServerInfo: () => RESOURCE,
      },
    },
    formats: {
      customizers: {
        jwt: (context: Context, token: Token, jwt: Jwt) => {
          Object.assign(
            jwt.payload,
            claimsOf(token.accountId ?? token.clientId ?? ''),
            lifetimeOf(context, jwt.payload['iat']),
          )
          return jwt
        },
      },
    },
    ttl: { Grant: TOKEN_SECONDS, AccessToken: TOKEN_SECONDS, ClientCredentials: TOKEN_SECONDS },
  }
}

/** The claims of a token: the person first, the agent as the actor (RFC 8693), and the groups of the one that acts. */
function claimsOf(name: string): Record<string, unknown> {
  const agent = AGENTS[name]
  if (agent === undefined) return { sub: name, groups: PEOPLE[name]?.groups ?? [] }
  return agent.behalfOf === null
    ? { sub: name, groups: agent.groups }
    : { sub: agent.behalfOf, act: { sub: name }, groups: agent.groups }
}

/** Tests ask for tokens that end soon, or that have ended. */
function lifetimeOf(context: Context, issuedAt: unknown): Record<string, unknown> {
  const asked = context.get(LIFETIME_HEADER)
  return asked === '' || typeof issuedAt !== 'number' ? {} : { exp: issuedAt + Number(asked) }
}

/** The resource owner's password (RFC 6749 section 4.3): out of favour everywhere, handy on one machine. */
const passwordGrant = (provider: Provider) => async (context: Context) => {
  const { client: asking, params } = context.oidc
  const name = String(params?.['username'] ?? '')
  if (
    asking === undefined ||
    PEOPLE[name] === undefined ||
    params?.['password'] !== developmentSecretOf(name)
  ) {
    throw new errors.InvalidGrant('there is no such person, or the password is wrong')
  }
  const grant = new provider.Grant({ accountId: name, clientId: asking.clientId })
  const grantId = await grant.save()
  const token = new provider.AccessToken({
    accountId: name,
    client: asking,
    grantId,
    gty: 'password',
  })
  token.resourceServer = new provider.ResourceServer(`${provider.issuer}/countersign`, RESOURCE)
  context.oidc.entity('AccessToken', token)
  context.body = {
    access_token: await token.save(),
    token_type: 'Bearer',
    expires_in: token.expiration,
  }
}

const client = (id: string, grants: string[]) => ({
  client_id: id,
  client_secret: developmentSecretOf(id),
  grant_types: grants,
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: 'ES256' as const,
  token_endpoint_auth_method: 'client_secret_post' as const,
})

/** The key that signs tokens, kept in a file so that they outlive a restart. */
async function signingKey(file: string): Promise<JWK> {
  if (file !== '' && existsSync(file)) return JSON.parse(readFileSync(file, 'utf8'))
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const key: JWK = {
    ...(await exportJWK(privateKey)),
    kty: 'EC',
    alg: 'ES256',
    use: 'sig',
    kid: randomBytes(8).toString('hex'),
  }
  if (file !== '') writeFileSync(file, JSON.stringify(key), { mode: 0o600 })
  return key
}

const TOKEN_SECONDS = 8 * 3600
const RESOURCE = {
  scope: '',
  audience: 'countersign',
  accessTokenFormat: 'jwt',
  accessTokenTTL: TOKEN_SECONDS,
  jwt: { sign: { alg: 'ES256' } },
}
const LIFETIME_HEADER = 'x-countersign-lifetime'

await main()
