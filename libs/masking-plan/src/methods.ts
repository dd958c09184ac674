import { createHmac } from 'node:crypto'
import type { MaskingMethod } from '@countersign/contracts'

/** A value masked as text; null is SQL NULL. The key makes pseudonyms: the same value under the same tag has the same one. */
export function maskedText(
  text: string,
  method: MaskingMethod,
  tag: string,
  key: Uint8Array,
): string | null {
  switch (method) {
    case 'Redact':
      return REDACTED
    case 'Partial':
      return partial(text)
    case 'Pseudonym':
      return `p_${base32(hmac(key, tag, text)).slice(0, PSEUDONYM_CHARACTERS)}`
    case 'Null':
      return null
  }
}

/** A UUID in the place of a UUID (RFC 9562 version 8), so that joins still work. */
export function pseudonymousUuid(bytes: Buffer, tag: string, key: Uint8Array): Buffer {
  const uuid = Buffer.from(hmac(key, tag, bytes).subarray(0, 16))
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x80, 6)
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8)
  return uuid
}

export const REDACTED = '[masked]'

/** Of an address the first letter, of anything else the last four characters; a short value is not shown at all. */
function partial(text: string): string {
  const at = text.lastIndexOf('@')
  if (at > 1) return `${text.charAt(0)}***@***`
  return text.length < PARTIAL_CHARACTERS_MIN ? REDACTED : `***${text.slice(-4)}`
}

const hmac = (key: Uint8Array, tag: string, value: string | Buffer): Buffer =>
  createHmac('sha256', key).update(`${tag}\0`).update(value).digest()

/** RFC 4648 section 6, in lower case. */
function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET.charAt((value >> bits) & 31)
    }
  }
  return text
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const PSEUDONYM_CHARACTERS = 16
const PARTIAL_CHARACTERS_MIN = 8
