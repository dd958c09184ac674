import { randomFillSync } from 'node:crypto'

/** Random bytes, never given out twice. Asking the system for a few costs as much as for many, so a pool is kept. */
export function randomBytes(size: number): Buffer {
  if (size > POOL_BYTES) return randomFillSync(Buffer.allocUnsafe(size))
  if (used + size > POOL_BYTES) {
    pool = randomFillSync(Buffer.allocUnsafe(POOL_BYTES))
    used = 0
  }
  used += size
  return pool.subarray(used - size, used)
}

const POOL_BYTES = 4_096
let pool = Buffer.alloc(0)
let used = POOL_BYTES
