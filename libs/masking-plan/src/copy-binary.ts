/** The parts of a binary COPY. */
export type BinaryPart =
  | { readonly type: 'header'; readonly bytes: Buffer }
  | { readonly type: 'row'; readonly cells: readonly (Buffer | null)[] }
  | { readonly type: 'trailer' }
  | { readonly type: 'malformed' }

type Sized = { readonly part: BinaryPart; readonly size: number }

/** The next part and its size, or the number of bytes that are needed at least to go on. */
export function binaryPart(bytes: Buffer, isFirst: boolean): Sized | number {
  if (isFirst) return header(bytes)
  if (bytes.length < 2) return 2
  const count = bytes.readInt16BE(0)
  if (count === -1) return { part: { type: 'trailer' }, size: 2 }
  if (count < 0) return MALFORMED
  const cells: (Buffer | null)[] = []
  let at = 2
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) return at + 4
    const length = bytes.readInt32BE(at)
    at += 4
    if (length < -1) return MALFORMED
    if (at + Math.max(length, 0) > bytes.length) return at + length
    cells.push(length === -1 ? null : bytes.subarray(at, at + length))
    at += Math.max(length, 0)
  }
  return { part: { type: 'row', cells }, size: at }
}

/** A row in its binary form. */
export function binaryRow(cells: readonly (Buffer | null)[]): Buffer {
  const count = Buffer.alloc(2)
  count.writeInt16BE(cells.length)
  const parts: Buffer[] = [count]
  for (const cell of cells) {
    const length = Buffer.alloc(4)
    length.writeInt32BE(cell?.length ?? -1)
    parts.push(length)
    if (cell !== null) parts.push(cell)
  }
  return Buffer.concat(parts)
}

/** The end of a binary COPY: a row of -1 fields. */
export const BINARY_TRAILER = Buffer.from([0xff, 0xff])

// Signature, Int32 flags, Int32 length of an extension that no server writes yet.
function header(bytes: Buffer): Sized | number {
  const known = Math.min(bytes.length, SIGNATURE.length)
  if (!bytes.subarray(0, known).equals(SIGNATURE.subarray(0, known))) return MALFORMED
  if (bytes.length < HEADER_BYTES) return HEADER_BYTES
  // Data in the extension of the header cannot be masked, so a header with one is refused.
  if (bytes.readUInt32BE(15) !== 0) return MALFORMED
  return { part: { type: 'header', bytes: bytes.subarray(0, HEADER_BYTES) }, size: HEADER_BYTES }
}

const MALFORMED: Sized = { part: { type: 'malformed' }, size: 0 }
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = 19
