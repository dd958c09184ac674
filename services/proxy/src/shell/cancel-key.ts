import { randomBytes, randomInt, timingSafeEqual } from 'node:crypto'
import type { BackendKey, Cancel } from '@countersign/postgres-wire'
import type { SessionTable } from './proxy-context.ts'

/**
 * The key by which an agent cancels: the process of the target that serves it, as notifications name it, and a secret of
 * ours, which is as long as the protocol of the agent allows. Several targets may have the same process.
 */
export function newCancelKey(
  processId: number | null,
  minor: number,
  sessions: SessionTable,
): BackendKey {
  const size = minor >= 2 ? LONG_BYTES : SHORT_BYTES
  for (;;) {
    const key = {
      processId: processId ?? randomInt(1, 0x7fffffff),
      secretKey: randomBytes(size),
    }
    if (![...sessions.values()].some(({ cancelKey }) => isKeyOf(cancelKey, key))) return key
  }
}

/** True if a key is that of a session; how long that takes says nothing about the secret. */
export function isKeyOf(
  key: BackendKey | null,
  asked: Pick<Cancel, 'processId' | 'secretKey'>,
): boolean {
  if (key === null || key.processId !== asked.processId) return false
  const { secretKey } = key
  return secretKey.length === asked.secretKey.length && timingSafeEqual(secretKey, asked.secretKey)
}

/** Up to protocol 3.1 a secret has 4 bytes; from 3.2 on PostgreSQL's has 32. */
const SHORT_BYTES = 4
const LONG_BYTES = 32
