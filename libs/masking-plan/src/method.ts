import { createHmac } from 'node:crypto'
import type { MaskingMethod } from '@countersign/contracts'

/** What stands where a value was. */
export const MASKED = '[masked]'

/** How one value is masked: the method, the reason, and the key of pseudonyms. */
export type Masking = {
  readonly method: MaskingMethod
  readonly tag: string
  readonly key: Uint8Array
}

/** A text as its method leaves it; null is SQL NULL. */
export function maskedText(masking: Masking, text: string): string | null {
  switch (masking.method) {
    case 'Null':
      return null
    case 'Redact':
      return MASKED
    case 'Partial':
      return partial(text)
    case 'Pseudonym':
      return pseudonym(masking, text)
  }
}

/** The same stand-in for the same value, tag and key; nobody without the key can guess it back. */
export function pseudonym(masking: Masking, text: string): string {
  return `p_${base32(keyed(masking, text)).slice(0, 16)}`
}

/** A valid UUID (version 8) in the place of another, as its 16 bytes. */
export function pseudonymUuid(masking: Masking, text: string): Buffer {
  const bytes = keyed(masking, text).subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes
}

// An address keeps its first letters, anything else long enough its last four characters.
function partial(text: string): string {
  const at = text.lastIndexOf('@')
  if (at > 0 && at < text.length - 1) return `${first(text)}***@${first(text.slice(at + 1))}***`
  const characters = Array.from(text.slice(-16))
  return text.length >= 8 && characters.length >= 8 ? `***${characters.slice(-4).join('')}` : MASKED
}

function first(text: string): string {
  return String.fromCodePoint(text.codePointAt(0) ?? 0x2a)
}

function keyed({ tag, key }: Masking, text: string): Buffer {
  return createHmac('sha256', key).update(tag).update('\0').update(text).digest()
}

function base32(bytes: Buffer): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET.charAt((held >> (bits - 5)) & 31)
  }
  return text
}

// RFC 4648, in lower case.
const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
