import { detect, type DetectorName } from './detectors.ts'

/**
 * Whether these bytes hide what the detectors look for in another encoding: UTF-16 in both orders, or base64 or hex of a
 * text, one level deep. Known limit: base64 of base64, and anything compressed or encrypted, is not looked into.
 */
export function hidesHit(bytes: Buffer, names: readonly DetectorName[]): boolean {
  const latin = bytes.toString('latin1')
  if (detect(latin, names).length > 0) return true
  if (
    latin.includes('\0') &&
    UTF16.some((order) => detect(decoded16(bytes, order), names).length > 0)
  )
    return true
  return unwrapped(latin).some(
    (inner) =>
      detect(inner.toString('utf8'), names).length > 0 ||
      UTF16.some((order) => inner.includes(0) && detect(decoded16(inner, order), names).length > 0),
  )
}

/** The same for a text. */
export function textHidesHit(text: string, names: readonly DetectorName[]): boolean {
  return unwrapped(text).some((inner) => hidesPlain(inner, names))
}

const hidesPlain = (inner: Buffer, names: readonly DetectorName[]): boolean =>
  detect(inner.toString('utf8'), names).length > 0 ||
  (inner.includes(0) && UTF16.some((order) => detect(decoded16(inner, order), names).length > 0))

const UTF16 = ['le', 'be'] as const

/** The text in both alignments: it may begin at an odd byte. */
function decoded16(bytes: Buffer, order: 'le' | 'be'): string {
  const even = order === 'le' ? bytes : swapped(bytes)
  const odd = order === 'le' ? bytes.subarray(1) : swapped(bytes.subarray(1))
  return `${even.toString('utf16le')}\n${odd.toString('utf16le')}`
}

const swapped = (bytes: Buffer): Buffer =>
  Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16()

function unwrapped(text: string): Buffer[] {
  const inner: Buffer[] = []
  for (const [run] of text.matchAll(HEX))
    inner.push(Buffer.from(run.startsWith('\\x') ? run.slice(2) : run, 'hex'))
  for (const [run] of text.matchAll(BASE64)) {
    // Where the run begins is not known to the letter, so all four alignments are read.
    for (let skip = 0; skip < 4; skip++) inner.push(Buffer.from(run.slice(skip), 'base64'))
  }
  return inner
}

const HEX = /(?:\\x)?(?:[0-9a-fA-F]{2}){9,}/g
const BASE64 = /[A-Za-z0-9+/_-]{12,}={0,2}/g
