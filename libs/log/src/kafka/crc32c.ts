/**
 * The checksum of a record batch: CRC-32C (Castagnoli, RFC 3720 appendix B.4), eight bytes at a time with eight tables
 * ("slicing by 8", Intel 2006).
 */
export function crc32c(bytes: Uint8Array, begin: number, end: number): number {
  let crc = -1
  let at = begin
  for (const last = end - 7; at < last; at += 8) {
    const low = crc ^ word(bytes, at)
    const high = word(bytes, at + 4)
    crc =
      entry(7, low) ^
      entry(6, low >>> 8) ^
      entry(5, low >>> 16) ^
      entry(4, low >>> 24) ^
      entry(3, high) ^
      entry(2, high >>> 8) ^
      entry(1, high >>> 16) ^
      entry(0, high >>> 24)
  }
  for (; at < end; at++) crc = entry(0, crc ^ (bytes[at] ?? 0)) ^ (crc >>> 8)
  return ~crc >>> 0
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) |
  ((bytes[at + 1] ?? 0) << 8) |
  ((bytes[at + 2] ?? 0) << 16) |
  ((bytes[at + 3] ?? 0) << 24)

const entry = (table: number, byte: number): number => TABLES[(table << 8) | (byte & 0xff)] ?? 0

const POLYNOMIAL = 0x82f63b78

/** Table n says what a byte does to the checksum when n more bytes follow it. */
const TABLES = tables()

function tables(): Int32Array {
  const all = new Int32Array(8 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0)
    all[byte] = crc
  }
  for (let at = 256; at < all.length; at++) {
    const before = all[at - 256] ?? 0
    all[at] = (before >>> 8) ^ (all[before & 0xff] ?? 0)
  }
  return all
}
