import { type Features, featuresOfBytes, hasAny } from '../features.ts'
import { codeAt } from './chars.ts'
import type { Span } from './span.ts'

/**
 * Runs of base64 or hex (RFC 4648) that hide something sensitive. Method: every run of at least 12 characters
 * is decoded, at each alignment, and the bytes are looked at; a long run of digits of hex alone is taken for hex; lines of base64 as PostgreSQL and MIME
 * break them count as one run. Limits: shorter runs, more than one level, other encodings, and hex
 * with separators are not found.
 */
export function encodedRuns<N>(
  codes: Uint8Array,
  hitIn: HitIn<N>,
): (Span & { readonly name: N })[] {
  const found: (Span & { readonly name: N })[] = []
  for (let i = 0; i < codes.length; i++) {
    if (VALUE_OF[codes[i] ?? 0] === NONE) continue
    const start = i
    i = runEnd(codes, start)
    if (i - start < RUN_MIN) continue
    const name = hidden(codes, start, i, hitIn)
    if (name === null) continue
    while (codes[i] === PADDING) i++
    found.push({ start, end: i, name })
  }
  return found
}

// A line break goes on with the run when the line before it is as long as base64 lines are.
function runEnd(codes: Uint8Array, start: number): number {
  let lineStart = start
  let i = start
  for (;;) {
    while (i < codes.length && VALUE_OF[codes[i] ?? 0] !== NONE) i++
    const code = codeAt(codes, i)
    const next = code === LF ? i + 1 : code === CR && codeAt(codes, i + 1) === LF ? i + 2 : i
    if (next === i || i - lineStart < LINE_MIN || VALUE_OF[codeAt(codes, next)] === NONE) return i
    lineStart = next
    i = next
  }
}

/** Looks for a hit in decoded bytes, whose features are known already. */
export type HitIn<N> = (bytes: Buffer, features: Features) => N | null

function hidden<N>(codes: Uint8Array, start: number, end: number, hitIn: HitIn<N>): N | null {
  // A long run gets a buffer of its own, so that no large one is kept.
  const size = end - start
  const values = size <= SCRATCH_BYTES ? VALUES : new Uint8Array(size)
  const out = size <= SCRATCH_BYTES ? DECODED : Buffer.allocUnsafe(size)
  let count = 0
  let hexDigits = 0
  let longest = 0
  for (let i = start; i < end; i++) {
    const code = codes[i] ?? 0
    const value = VALUE_OF[code] ?? NONE
    if (value === NONE) continue
    values[count++] = value
    if (HEX[code] === NONE) hexDigits = 0
    else if (++hexDigits > longest) longest = hexDigits
  }
  const decode: Decode<N> = { values, count, out, hitIn }
  if (longest >= RUN_MIN) {
    const hit = inHex(decode)
    if (hit !== null) return hit
    if (longest >= HEX_ONLY_MIN && longest >= count - 1) return null
  }
  for (let shift = 0; shift < 4; shift++) {
    const hit = inBase64(decode, shift)
    if (hit !== null) return hit
  }
  return null
}

type Decode<N> = {
  /** The value of each character of the run in base64. */
  readonly values: Uint8Array
  readonly count: number
  readonly out: Buffer
  readonly hitIn: HitIn<N>
}

function inBase64<N>({ values, count, out, hitIn }: Decode<N>, shift: number): N | null {
  let size = 0
  let i = shift
  for (; i + 3 < count; i += 4) {
    const second = values[i + 1] ?? 0
    const third = values[i + 2] ?? 0
    out[size] = ((values[i] ?? 0) << 2) | (second >> 4)
    out[size + 1] = ((second & 15) << 4) | (third >> 2)
    out[size + 2] = ((third & 3) << 6) | (values[i + 3] ?? 0)
    size += 3
  }
  if (i + 1 < count) {
    const second = values[i + 1] ?? 0
    out[size++] = ((values[i] ?? 0) << 2) | (second >> 4)
    if (i + 2 < count) out[size++] = ((second & 15) << 4) | ((values[i + 2] ?? 0) >> 2)
  }
  return looked(out, size, hitIn)
}

function inHex<N>({ values, count, out, hitIn }: Decode<N>): N | null {
  for (let i = 0; i < count;) {
    if (HEX_OF_VALUE[values[i] ?? 0] === NONE) {
      i++
      continue
    }
    const start = i
    while (i < count && HEX_OF_VALUE[values[i] ?? 0] !== NONE) i++
    if (i - start < RUN_MIN) continue
    for (let shift = 0; shift < 2; shift++) {
      let size = 0
      for (let at = start + shift; at + 1 < i; at += 2) {
        const high = HEX_OF_VALUE[values[at] ?? 0] ?? 0
        out[size++] = (high << 4) | (HEX_OF_VALUE[values[at + 1] ?? 0] ?? 0)
      }
      const hit = looked(out, size, hitIn)
      if (hit !== null) return hit
    }
  }
  return null
}

function looked<N>(out: Buffer, size: number, hitIn: HitIn<N>): N | null {
  const features = featuresOfBytes(out, 0, size)
  return hasAny(features) ? hitIn(out.subarray(0, size), features) : null
}

const NONE = 255
const RUN_MIN = 12
/** So many digits of hex in a row, of which base64 has 22 among 64 characters, are no base64. The x of a bytea may stand before them. */
const HEX_ONLY_MIN = 32
const LINE_MIN = 60
const LF = 0x0a
const CR = 0x0d
const PADDING = 0x3d
const SCRATCH_BYTES = 65_536
const VALUES = new Uint8Array(SCRATCH_BYTES)
const DECODED = Buffer.alloc(SCRATCH_BYTES)
const CHARS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const VALUE_OF = new Uint8Array(256).fill(NONE)
for (let value = 0; value < 64; value++) VALUE_OF[CHARS.charCodeAt(value)] = value
VALUE_OF['-'.charCodeAt(0)] = 62
VALUE_OF['_'.charCodeAt(0)] = 63
const HEX = new Uint8Array(256).fill(NONE)
const HEX_OF_VALUE = new Uint8Array(64).fill(NONE)
for (const digit of '0123456789abcdefABCDEF') {
  HEX[digit.charCodeAt(0)] = Number.parseInt(digit, 16)
  HEX_OF_VALUE[CHARS.indexOf(digit)] = Number.parseInt(digit, 16)
}
