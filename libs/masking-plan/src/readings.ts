import { isUtf8 } from 'node:buffer'

/** The bytes as text, in every encoding that they may be in. */
export function* readings(bytes: Buffer): Iterable<string> {
  yield textOf(bytes).text
  // UTF-16 of Latin letters has a zero in every other byte. The second reading, one byte later, is
  // for the other byte order and for text that starts at an odd place.
  if (!bytes.includes(0)) return
  yield bytes.toString('utf16le')
  yield bytes.subarray(1).toString('utf16le')
}

/** A text and the encoding that turns it back into the very same bytes. */
export type Text = { readonly text: string; readonly encoding: 'utf8' | 'latin1' }

/** The bytes as UTF-8 when they are, else byte by byte. */
export function textOf(bytes: Buffer): Text {
  const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
  return { text: bytes.toString(encoding), encoding }
}
