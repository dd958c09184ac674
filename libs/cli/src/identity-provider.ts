import { Problem, Secret } from '@countersign/kernel'
import { type Answered, answerOf, ask } from './http.ts'
import { json } from './json.ts'

/**
 * A token of a person or an agent at a development identity provider, where a name is enough. Any other provider
 * is refused: a real password is typed nowhere but at the provider itself.
 */
export async function developmentToken(issuer: string, name: string): Promise<Secret<string>> {
  const found = await answerOf({ url: `${issuer}/.well-known/openid-configuration`, token: null })
  const endpoint = json.textOrNull(found, 'token_endpoint')
  if (endpoint === null || !json.texts(found, 'grant_types_supported').includes('password')) {
    throw new Problem('CS_AUTH_INVALID', `${issuer} does not give tokens for a name`, {
      hint: 'Get a token from it, and give it with --token or CS_TOKEN.',
    })
  }
  if (new URL(endpoint).origin !== new URL(issuer).origin) {
    throw new Problem('CS_AUTH_INVALID', `${issuer} names a token endpoint of somebody else`)
  }
  const asPerson = await granted(endpoint, PERSON_CLIENT, {
    grant_type: 'password',
    username: name,
    password: developmentSecretOf(name),
  })
  const person = tokenIn(asPerson)
  if (person !== null) return person
  const agent = tokenIn(await granted(endpoint, name, { grant_type: 'client_credentials' }))
  if (agent !== null) return agent
  const reason =
    json.textOrNull(asPerson.body, 'error_description') ?? `it answered ${asPerson.status}`
  throw new Problem('CS_AUTH_INVALID', `${issuer} gives no token for ${name}: ${reason}`, {
    hint: 'The demo knows ana, bo, maria (production), kim (staging), dev, olga (catalog), and the agent ci-deploy.',
  })
}

const granted = (
  endpoint: string,
  client: string,
  form: Readonly<Record<string, string>>,
): Promise<Answered> =>
  ask({
    url: endpoint,
    token: null,
    form: { client_id: client, client_secret: developmentSecretOf(client), ...form },
  })

function tokenIn({ status, body }: Answered): Secret<string> | null {
  const token = json.textOrNull(body, 'access_token')
  return status < 400 && token !== null ? new Secret(token) : null
}

/** The client and the secrets of the development identity provider of `infra/local`; it listens on loopback only. */
const PERSON_CLIENT = 'countersign-development'
const developmentSecretOf = (name: string): string => `${name}-development-secret`
