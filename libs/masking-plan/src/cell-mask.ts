import type { MaskingMethod } from '@countersign/contracts'
import { isCardLike } from './card-like.ts'
import { mayHoldHit } from './detect.ts'
import { maskedJson } from './json-text.ts'
import { MASKED, maskedText, pseudonym, pseudonymUuid } from './method.ts'
import { numberText } from './number-text.ts'
import type { Scanner } from './scanner.ts'
import { type TypeClass, typeClassOf } from './type-class.ts'

/** Masks one value; the same buffer when nothing of it is masked, null for NULL. Never throws. */
export type CellMask = (cell: Buffer) => Buffer | null

/** The form of a value on the wire. */
export type CellForm = { readonly typeOid: number; readonly format: 'text' | 'binary' }

/** Masks values whole. A type that no masked form fits (numbers, dates, arrays, …) becomes NULL. */
export function wholeMask(
  form: CellForm,
  rule: { readonly method: MaskingMethod; readonly tag: string },
  key: Uint8Array,
): CellMask {
  const type = typeClassOf(form.typeOid)
  const isBinary = form.format === 'binary'
  const { method, tag } = rule
  if (method === 'Null') return () => null
  return failingClosed(
    () => null,
    (cell) => {
      switch (type) {
        case 'text':
          return encoded(maskedText(method, tag, cell.toString('utf8'), key))
        case 'padded':
          return encoded(maskedText(method, tag, cell.toString('utf8').replace(/ +$/, ''), key))
        case 'json':
        case 'jsonb': {
          const prefix = type === 'jsonb' && isBinary ? cell.subarray(0, 1) : EMPTY
          const text = cell.toString('utf8', prefix.length)
          const shown = method === 'Pseudonym' ? pseudonym(key, tag, text) : MASKED
          return Buffer.concat([prefix, Buffer.from(JSON.stringify(shown))])
        }
        case 'bytea': {
          const shown =
            method === 'Pseudonym' ? pseudonym(key, tag, byteaOf(cell, isBinary)) : MASKED
          return byteaFrom(shown, isBinary)
        }
        case 'uuid': {
          if (method !== 'Pseudonym') return null
          const bytes = isBinary
            ? cell
            : Buffer.from(cell.toString('latin1').replace(/[{}-]/g, ''), 'hex')
          const id = bytes.length === 16 ? pseudonymUuid(key, tag, bytes) : null
          return id === null || isBinary ? id : Buffer.from(dashed(id.toString('hex')))
        }
        case 'int8':
        case 'numeric':
        case 'float8':
        case 'harmless':
        case 'numbers':
        case 'opaque':
          return null
      }
    },
  )
}

/** Masks what detectors find in values; null when there is nothing to look for in the type. */
export function scanMask(form: CellForm, scanner: Scanner, name = ''): CellMask | null {
  const type = typeClassOf(form.typeOid)
  if (scanner.names.length === 0 || type === 'harmless' || type === 'uuid') return null
  // Only its name tells a card among numbers.
  if (NUMBERS.has(type) && !isCardLike(name)) return null
  const isBinary = form.format === 'binary'
  const scan = SCANS[type]
  return failingClosed(
    () => (type === 'text' || type === 'padded' ? Buffer.from(MASKED) : null),
    (cell) => scan(cell, isBinary, scanner, name),
  )
}

const NUMBERS: ReadonlySet<TypeClass> = new Set(['int8', 'numeric', 'float8', 'numbers'])

/** True if bytes show that `scanMask` would leave the value as it is, so that no value must be made of them. */
export type Gate = (bytes: Buffer, start: number, end: number) => boolean

/** The gate of a column that is scanned; null where only the value itself tells. */
export function scanGate(form: CellForm): Gate | null {
  if (form.format === 'binary') return null
  return PLAIN.has(typeClassOf(form.typeOid)) ? isPlain : null
}

/** True if the bytes can hold no hit, and hold no zero, which PostgreSQL has in no text. */
const isPlain: Gate = (bytes, start, end) => {
  if (mayHoldHit(bytes, start, end)) return false
  const zero = bytes.indexOf(0, start)
  return zero < 0 || zero >= end
}

const PLAIN: ReadonlySet<TypeClass> = new Set(['text', 'padded', 'int8', 'numeric', 'float8'])

type Scan = (cell: Buffer, isBinary: boolean, scanner: Scanner, name: string) => Buffer | null

const scanText: Scan = (cell, _isBinary, scanner) => {
  // PostgreSQL has no zero in text, so these bytes may be something else.
  if (cell.includes(0) && scanner.hits(cell)) return Buffer.from(MASKED)
  if (!mayHoldHit(cell)) return cell
  const text = cell.toString('utf8')
  const masked = scanner.mask(text)
  return masked === text ? cell : encoded(masked)
}

const scanJson =
  (versionBytes: number): Scan =>
  (cell, isBinary, scanner, name) => {
    const prefix = isBinary ? versionBytes : 0
    // A document with escapes may hide what the bytes do not show.
    if (!cell.includes(BACKSLASH) && !mayHoldHit(cell)) return cell
    const text = cell.toString('utf8', prefix)
    const masked = maskedJson(text, {
      text: scanner.mask,
      number: (number, key) => (isCardLike(key || name) ? scanner.mask(number) : number),
      keyed: scanner.maskKeyed,
    })
    if (masked === text) return cell
    return masked === null ? null : Buffer.concat([cell.subarray(0, prefix), Buffer.from(masked)])
  }

const scanNumber =
  (type: 'int8' | 'numeric' | 'float8'): Scan =>
  (cell, isBinary, scanner) => {
    const text = numberText(type, cell, isBinary)
    return text.length > DIGITS_MAX || scanner.mask(text) === text ? cell : null
  }

// The text form of arrays and composites escapes with backslashes, which would cut values in two.
const scanOpaque: Scan = (cell, isBinary, scanner, name) => {
  const seen =
    !isBinary && cell[0] === PARENTHESIS && !isCardLike(name) ? withoutNumbers(cell) : cell
  if (scanner.hits(seen)) return null
  if (isBinary || !seen.includes(BACKSLASH)) return cell
  return scanner.hits(Buffer.from(seen.toString('latin1').replaceAll('\\', ''), 'latin1'))
    ? null
    : cell
}

/** A composite without its fields that are numbers, among which only a name tells a card. Limit: text may be a number too. */
function withoutNumbers(cell: Buffer): Buffer {
  const text = cell.toString('latin1')
  const kept: string[] = []
  let start = 0
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    if (char === '\\') i++
    else if (char === '"') isQuoted = !isQuoted
    else if (!isQuoted && (char === ',' || char === '(' || char === ')')) {
      const field = text.slice(start, i)
      kept.push(NUMBER.test(field) ? '' : field, char)
      start = i + 1
    }
  }
  return Buffer.from([...kept, text.slice(start)].join(''), 'latin1')
}

const NUMBER = /^-?[0-9]+(?:\.[0-9]+)?$/

const SCANS: Readonly<Record<Exclude<TypeClass, 'harmless' | 'uuid'>, Scan>> = {
  text: scanText,
  padded: scanText,
  json: scanJson(0),
  jsonb: scanJson(1),
  bytea: (cell, isBinary, scanner) =>
    scanner.hits(byteaOf(cell, isBinary)) ? byteaFrom(MASKED, isBinary) : cell,
  int8: scanNumber('int8'),
  numeric: scanNumber('numeric'),
  float8: scanNumber('float8'),
  numbers: scanOpaque,
  opaque: scanOpaque,
}

const failingClosed =
  (fallback: () => Buffer | null, mask: CellMask): CellMask =>
  (cell) => {
    try {
      return mask(cell)
    } catch {
      return fallback()
    }
  }

const encoded = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))

// bytea_output is hex, or escape: printable bytes as they are, others as three octal digits.
function byteaOf(cell: Buffer, isBinary: boolean): Buffer {
  if (isBinary) return cell
  const text = cell.toString('latin1')
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  const plain = text.replace(/\\(\\|[0-3][0-7]{2})/g, (_all, code: string) =>
    code === '\\' ? code : String.fromCharCode(Number.parseInt(code, 8)),
  )
  return Buffer.from(plain, 'latin1')
}

const byteaFrom = (text: string, isBinary: boolean): Buffer =>
  isBinary ? Buffer.from(text) : Buffer.from(`\\x${Buffer.from(text).toString('hex')}`)

const dashed = (hex: string): string =>
  hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')

const EMPTY = Buffer.alloc(0)
const BACKSLASH = 0x5c
const PARENTHESIS = 0x28
// A number of more digits is no card, and looking into it takes long.
const DIGITS_MAX = 4_096
