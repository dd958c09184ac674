/**
 * The partition of a key: FNV-1a (32 bits) over the UTF-8 bytes of the key, modulo the number of partitions.
 * It is our own and given with every record, so that the place of a session never depends on a client library.
 */
export function partitionOf(key: string, partitionCount: number): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(key, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0) % partitionCount
}
