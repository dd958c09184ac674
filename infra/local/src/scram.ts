import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto'

/** The SCRAM-SHA-256 verifier of a password (RFC 5803), so that no log ever shows the password itself. */
export function scramVerifier(
  password: string,
  iterations = 4096,
  salt: Buffer = randomBytes(16),
): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const keyed = (label: string): Buffer => createHmac('sha256', salted).update(label).digest()
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64')
  const server = keyed('Server Key').toString('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`
}
