import { isUtf8 } from 'node:buffer'
import { isCard } from './detectors/card.ts'
import { detect, detectInBytes } from './detect.ts'
import type { Kind } from './kind.ts'
import { MASKED } from './method.ts'
import { integerOf } from './number.ts'
import { textOf } from './readings.ts'
import { type Detection, withHitsMasked } from './span-masking.ts'
import { type Format, JSONB_VERSION } from './value.ts'

/** A value with what the detectors find in it masked; the very same buffer when they find nothing. */
export function withContentMasked(
  detection: Detection,
  shape: { readonly kind: Kind; readonly format: Format },
  value: Buffer,
): Buffer | null {
  switch (shape.kind) {
    case 'text':
      return text(detection, value)
    case 'json':
      return json(detection, value)
    case 'jsonb':
      return shape.format === 'text' ? json(detection, value) : jsonb(detection, value)
    case 'bytea':
      return shape.format === 'text' ? escapedBytes(detection, value) : bytes(detection, value)
    case 'number':
      return number(detection, shape.format, value)
    case 'list':
      return bytes(detection, value)
    case 'unknown':
      return shape.format === 'text' || isText(value) ? text(detection, value) : bytes(detection, value)
    case 'uuid':
    case 'plain':
      return value
  }
}

function text(detection: Detection, value: Buffer): Buffer | null {
  const { text, encoding } = textOf(value)
  const masked = withHitsMasked(detection, text)
  if (masked === text) return hasWideText(detection, value) ? Buffer.from(MASKED) : value
  return masked === null ? null : Buffer.from(masked, encoding)
}

// A text of PostgreSQL has no zero bytes; where there are some it is no text, and may be UTF-16.
function hasWideText(detection: Detection, value: Buffer): boolean {
  return value.includes(0) && detectInBytes(value, detection.names) !== null
}

// What comes out must still be JSON: a masked number, or a hit with a backslash in it, is not.
function json(detection: Detection, value: Buffer): Buffer | null {
  const { text, encoding } = textOf(value)
  if (hidesInEscapes(detection, text)) return MASKED_JSON
  const masked = withHitsMasked(detection, text)
  if (masked === text) return value
  if (masked === null) return null
  return isJson(masked) ? Buffer.from(masked, encoding) : MASKED_JSON
}

function jsonb(detection: Detection, value: Buffer): Buffer | null {
  if (value[0] !== JSONB_VERSION) return bytes(detection, value)
  const content = value.subarray(1)
  const masked = json(detection, content)
  if (masked === content) return value
  return masked === null ? null : Buffer.concat([Buffer.of(JSONB_VERSION), masked])
}

// \u0040 is an @ to whoever parses the JSON.
function hidesInEscapes(detection: Detection, text: string): boolean {
  if (!text.includes('\\')) return false
  const unescaped = text.replace(/\\u([0-9A-Fa-f]{4})|\\\//g, (_, code: string | undefined) =>
    code === undefined ? '/' : String.fromCharCode(Number.parseInt(code, 16)),
  )
  if (unescaped === text) return false
  return detect(unescaped, detection.names).length > detect(text, detection.names).length
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

// A part of binary data cannot be replaced without breaking the rest of it.
function bytes(detection: Detection, value: Buffer): Buffer | null {
  return detectInBytes(value, detection.names) !== null || hasEncodedHit(detection, value)
    ? null
    : value
}

function hasEncodedHit(detection: Detection, value: Buffer): boolean {
  return detect(textOf(value).text, detection.names).length > 0
}

// bytea_output is hex (\x…), or the escape format, which shows printable bytes as they are.
function escapedBytes(detection: Detection, value: Buffer): Buffer | null {
  const text = value.toString('latin1')
  const content = text.startsWith('\\x')
    ? Buffer.from(text.slice(2), 'hex')
    : Buffer.from(text.replace(/\\(\d{3}|\\)/g, unescaped), 'latin1')
  return bytes(detection, content) === null ? null : value
}

function unescaped(_: string, code: string): string {
  return code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8) & 0xff)
}

function number(detection: Detection, format: Format, value: Buffer): Buffer | null {
  if (!detection.methods.has('card')) return value
  const digits = format === 'text' ? value.toString('latin1') : integerOf(value)
  const integer = /^-?(\d{13,19})(?:\.0*)?$/.exec(digits)?.[1]
  return integer !== undefined && isCard(integer) ? null : value
}

function isText(value: Buffer): boolean {
  return isUtf8(value) && !value.includes(0)
}

const MASKED_JSON = Buffer.from(JSON.stringify(MASKED))
