import type { MaskingMethod } from '@countersign/contracts'
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { email } from './detectors/email.ts'

/** The text that stands for a value that is masked whole. */
export const MASKED = '[masked]'

/** The masked form of a text; null for no value at all. */
export function maskedText(
  method: MaskingMethod,
  tag: string,
  text: string,
  key: Uint8Array,
): string | null {
  switch (method) {
    case 'Redact':
      return MASKED
    case 'Partial':
      return partial(text)
    case 'Pseudonym':
      return pseudonym(key, tag, text)
    case 'Null':
      return null
  }
}

/**
 * A part of a text that a person can recognise and no one can complete. E-mail address: the first
 * letter and the domain. Numbers with 8 digits or more: the last 4 characters. Else: the first
 * letter. Never the whole: short and long texts are masked whole. Limit: the last 4 of a social
 * security number are widely used as a proof; redact those.
 */
export function partial(text: string): string {
  const value = text.trim()
  if (value.length > PARTIAL_LENGTH_MAX) return MASKED
  const [address] = email(value)
  if (address !== undefined && address.start === 0 && address.end === value.length) {
    const local = [...value.slice(0, value.indexOf('@'))]
    const first = local.length > 1 ? (local[0] ?? '') : ''
    return `${first}…${value.slice(value.indexOf('@'))}`
  }
  if (value.replace(/\D/g, '').length >= 8)
    return `…${value.replace(/[^A-Za-z0-9]/g, '').slice(-4)}`
  const chars = [...value]
  return chars.length < 4 ? MASKED : `${chars[0] ?? ''}…`
}

/**
 * A token that is the same for the same value under the same tag, so that joins keep working.
 * Limit: a reader of many tokens sees which values are equal.
 */
export function pseudonym(key: Uint8Array, tag: string, value: string | Uint8Array): string {
  if (key.length < KEY_BYTES_MIN) return MASKED
  return `p_${base32(digestOf(key, tag, value).subarray(0, 10))}`
}

/** A pseudonym with the form of a UUID (version 8); null without a usable key. */
export function pseudonymUuid(key: Uint8Array, tag: string, value: Uint8Array): Buffer | null {
  if (key.length < KEY_BYTES_MIN) return null
  const id = Buffer.from(digestOf(key, tag, value).subarray(0, 16))
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x80, 6)
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8)
  return id
}

// The zero keeps a tag from running into the value.
function digestOf(key: Uint8Array, tag: string, value: string | Uint8Array): Buffer {
  return createHmac('sha256', keyObjectOf(key)).update(tag).update('\0').update(value).digest()
}

// Made once: from bytes each digest takes five times as long.
function keyObjectOf(key: Uint8Array): KeyObject {
  const known = KEY_OBJECTS.get(key) ?? createSecretKey(key)
  KEY_OBJECTS.set(key, known)
  return known
}

// bound: one per key that is in use
const KEY_OBJECTS = new WeakMap<Uint8Array, KeyObject>()

// RFC 4648 in lower case: 80 bits are 16 characters.
function base32(bytes: Uint8Array): string {
  let bits = 0n
  for (const byte of bytes) bits = (bits << 8n) | BigInt(byte)
  let text = ''
  for (let shift = 75n; shift >= 0n; shift -= 5n)
    text += ALPHABET.charAt(Number((bits >> shift) & 31n))
  return text
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const PARTIAL_LENGTH_MAX = 320
// A shorter key can be tried out; without one the value is masked whole.
const KEY_BYTES_MIN = 16
