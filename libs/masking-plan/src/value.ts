import { isUtf8 } from 'node:buffer'
import type { Kind } from './kind.ts'
import { type Masking, MASKED, maskedText, pseudonym, pseudonymUuid } from './method.ts'
import { textOf } from './readings.ts'

/** How a value stands on the wire. */
export type Format = 'text' | 'binary'

/** A value that is masked whole; null is SQL NULL, which every type has. */
export function maskedValue(
  masking: Masking,
  shape: { readonly kind: Kind; readonly format: Format },
  value: Buffer,
): Buffer | null {
  if (masking.method === 'Null') return null
  switch (shape.kind) {
    case 'text':
      return text(masking, value)
    case 'json':
      return json(masking, value)
    case 'jsonb':
      return jsonb(masking, shape.format, value)
    case 'uuid':
      return uuid(masking, shape.format, value)
    case 'unknown':
      // An enum or citext is text in binary too; anything else would not survive a text in its place.
      return shape.format === 'text' || isPrintable(value) ? text(masking, value) : null
    case 'bytea':
    case 'number':
    case 'list':
    case 'plain':
      return null
  }
}

/** The first byte of a binary jsonb. */
export const JSONB_VERSION = 1

function text(masking: Masking, value: Buffer): Buffer | null {
  const { text, encoding } = textOf(value)
  const masked = maskedText(masking, text)
  return masked === null ? null : Buffer.from(masked, encoding)
}

// A part of a JSON text would seldom be JSON, so only a pseudonym is more than [masked].
function json(masking: Masking, value: Buffer): Buffer {
  const masked = masking.method === 'Pseudonym' ? pseudonym(masking, textOf(value).text) : MASKED
  return Buffer.from(JSON.stringify(masked))
}

function jsonb(masking: Masking, format: Format, value: Buffer): Buffer | null {
  if (format === 'text') return json(masking, value)
  if (value[0] !== JSONB_VERSION) return null
  return Buffer.concat([Buffer.of(JSONB_VERSION), json(masking, value.subarray(1))])
}

function uuid(masking: Masking, format: Format, value: Buffer): Buffer | null {
  if (masking.method !== 'Pseudonym') return null
  const hex = value.toString(format === 'text' ? 'latin1' : 'hex').replaceAll('-', '').toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) return null
  // Both formats of one value must give the same pseudonym.
  const bytes = pseudonymUuid(masking, hex)
  return format === 'binary' ? bytes : Buffer.from(dashed(bytes.toString('hex')))
}

function dashed(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

function isPrintable(value: Buffer): boolean {
  return isUtf8(value) && value.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a)
}
