import { isUtf8 } from 'node:buffer'

/** The words of PostgreSQL (22021) about the first bytes of a text that are no UTF-8; null where all are. */
export function notUtf8(text: Uint8Array): string | null {
  if (isUtf8(text)) return null
  // All before `good` is UTF-8. A cut in the middle of a character moves back to its first byte.
  let good = 0
  for (let size = text.length; size > 1; size = Math.ceil(size / 2)) {
    const end = startOf(text, Math.min(text.length, good + size))
    if (end > good && isUtf8(text.subarray(good, end))) good = end
  }
  let at = good
  while (at < text.length) {
    const length = lengthOf(text[at] ?? 0)
    if (at + length > text.length || !isUtf8(text.subarray(at, at + length))) break
    at += length
  }
  const bytes = text.subarray(at, at + lengthOf(text[at] ?? 0))
  const hex = [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`)
  return `invalid byte sequence for encoding "UTF8": ${hex.join(' ')}`
}

/** The place of the first byte of the character that a place is in; at most three bytes before. */
function startOf(text: Uint8Array, place: number): number {
  let at = place
  while (at > 0 && place - at < 3 && ((text[at] ?? 0) & 0xc0) === 0x80) at--
  return at
}

/** The bytes of a character, by its first one, as PostgreSQL counts them. */
const lengthOf = (first: number): number =>
  (first & 0xe0) === 0xc0 ? 2 : (first & 0xf0) === 0xe0 ? 3 : (first & 0xf8) === 0xf0 ? 4 : 1
