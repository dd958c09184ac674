import { Secret } from '@countersign/kernel'
import { SCRAM_MECHANISM, scramVerifier } from '@countersign/postgres-wire'

/**
 * The password of this verifier at the target if it stands in these bytes, else null. Only the proxy knows the password, so
 * every run of characters that could be one is tried: a password of the broker is 32 bytes in base64url. The bytes are
 * searched as they are, and decoded from base64 and hex. Known limit: only one level of encoding is decoded.
 */
export function passwordIn(bytes: Buffer, verifier: string): string | null {
  const [, iterations = '', salt = ''] = VERIFIER.exec(verifier) ?? []
  const isIt = (password: string): boolean =>
    scramVerifier(new Secret(password), Buffer.from(salt, 'base64'), Number(iterations)) ===
    verifier
  const text = bytes.toString('latin1')
  const candidates = new Set<string>()
  for (const [run] of [text, ...decodedIn(text)].flatMap((each) => [...each.matchAll(RUN)]))
    for (let at = 0; at + PASSWORD_CHARACTERS <= run.length; at++)
      candidates.add(run.slice(at, at + PASSWORD_CHARACTERS))
  return [...candidates].find(isIt) ?? null
}

/** The decoded bytes of long runs of base64 or hex, at each possible start. */
const decodedIn = (text: string): string[] => [
  ...[...text.matchAll(/[\w+/=-]{57,}/g)].flatMap(([run]) =>
    [0, 1, 2, 3].map((shift) => Buffer.from(run.slice(shift), 'base64').toString('latin1')),
  ),
  ...[...text.matchAll(/[0-9a-f]{86,}/gi)].flatMap(([run]) =>
    [0, 1].map((shift) => Buffer.from(run.slice(shift), 'hex').toString('latin1')),
  ),
]

const PASSWORD_CHARACTERS = 43
const RUN = /[\w-]{43,}/g
const VERIFIER = new RegExp(`^${SCRAM_MECHANISM}\\$(\\d+):([^$]+)\\$`)
