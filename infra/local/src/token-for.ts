import { Problem } from '@countersign/kernel'
import { AGENTS, developmentSecretOf, PEOPLE, PERSON_CLIENT } from './people.ts'

/** A signed access token of a person or agent of the development identity provider. */
export async function tokenFor(
  name: string,
  options: { issuer: string; ttlSeconds?: number },
): Promise<string> {
  if (AGENTS[name] === undefined && PEOPLE[name] === undefined) {
    const known = [...Object.keys(AGENTS), ...Object.keys(PEOPLE)].join(', ')
    throw new Problem(
      'CS_NOT_FOUND',
      `the development identity provider knows no ${name}; it knows ${known}`,
    )
  }
  const client = AGENTS[name] === undefined ? PERSON_CLIENT : name
  const response = await fetch(`${options.issuer}/token`, {
    method: 'POST',
    headers:
      options.ttlSeconds === undefined
        ? {}
        : { 'x-countersign-lifetime': String(options.ttlSeconds) },
    body: new URLSearchParams({
      client_id: client,
      client_secret: developmentSecretOf(client),
      ...(client === name
        ? { grant_type: 'client_credentials' }
        : { grant_type: 'password', username: name, password: developmentSecretOf(name) }),
    }),
  })
  const body: unknown = await response.json()
  if (
    typeof body === 'object' &&
    body !== null &&
    'access_token' in body &&
    typeof body.access_token === 'string'
  ) {
    return body.access_token
  }
  throw new Problem(
    'CS_AUTH_INVALID',
    `the identity provider gave no token: ${JSON.stringify(body)}`,
  )
}
