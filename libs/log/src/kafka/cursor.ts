/** Bytes, and the place up to which they are read or written. */
export type Cursor = { readonly bytes: Buffer; at: number }

export function readInt16(from: Cursor): number {
  from.at += 2
  return from.bytes.readInt16BE(from.at - 2)
}

export function writeInt16(to: Cursor, value: number): void {
  to.at = to.bytes.writeInt16BE(value, to.at)
}

export function readInt32(from: Cursor): number {
  from.at += 4
  return from.bytes.readInt32BE(from.at - 4)
}

export function writeInt32(to: Cursor, value: number): void {
  to.at = to.bytes.writeInt32BE(value, to.at)
}

/** INT64 as a number, which is exact up to 2^53; offsets and times never come near. */
export function readInt64(from: Cursor): number {
  from.at += 8
  return from.bytes.readInt32BE(from.at - 8) * 2 ** 32 + from.bytes.readUInt32BE(from.at - 4)
}

export function writeInt64(to: Cursor, value: number): void {
  to.at = to.bytes.writeBigInt64BE(BigInt(value), to.at)
}

/** STRING: INT16 bytes. */
export function readString(from: Cursor): string {
  const size = Math.max(0, readInt16(from))
  from.at += size
  return from.bytes.toString('utf8', from.at - size, from.at)
}

export function writeString(to: Cursor, text: string): void {
  writeInt16(to, Buffer.byteLength(text))
  to.at += to.bytes.write(text, to.at)
}

/** VARINT and VARLONG, as far as a number is exact: zigzag, seven bits a byte, the lowest first. */
export function readVarint(from: Cursor): number {
  let result = 0
  let scale = 1
  for (;;) {
    const byte = from.bytes[from.at++] ?? 0
    result += (byte & 0x7f) * scale
    if (byte < 0x80) break
    scale *= 128
  }
  return result % 2 === 0 ? result / 2 : -(result + 1) / 2
}

export function writeVarint(to: Cursor, value: number): void {
  let rest = zigzag(value)
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) to.bytes[to.at++] = (rest % 128) | 0x80
  to.bytes[to.at++] = rest
}

export function varintSize(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest > 0x7f; rest = Math.floor(rest / 128)) size++
  return size
}

const zigzag = (value: number): number => (value >= 0 ? value * 2 : -value * 2 - 1)
