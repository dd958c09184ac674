import { createHash, hash as hashOnce } from 'node:crypto'

/** SHA-256 of the parts one after the other, as 64 lower-case hex digits. */
export function sha256(...parts: readonly (string | Uint8Array)[]): string {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return hashOnce('sha256', only, 'hex')
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}
