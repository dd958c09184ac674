import type { SessionKeySealed } from '@countersign/contracts'
import { type DataKey, dataKeyAbout, dataKeyOf, type Opener } from '@countersign/identity'
import { keepNewest, messageOf } from '@countersign/kernel'
import type { Logger } from '@countersign/runtime'
import type { Decrypt } from '../core/contents.ts'
import { SESSIONS_MAX } from '../core/memory.ts'

/** The data keys of the sessions, as far as they were not erased. */
export type Vault = {
  keep(sealed: SessionKeySealed): void
  /** Erases a key after its tombstone: the content of this session can never be read again. */
  erase(sessionId: string): void
  /** Null when there is no key (any more). */
  decrypterOf(sessionId: string): Promise<Decrypt | null>
}

export function vaultOf(open: Opener, logger: Logger): Vault {
  // bound: SEALED_MAX
  const sealedKeys = new Map<string, string>()
  // bound: OPENED_MAX
  const opened = new Map<string, DataKey>()
  return {
    keep({ sessionId, recipients }) {
      const jwe = recipients.find(({ reader }) => reader === READER)?.jwe
      if (jwe === undefined || sealedKeys.has(sessionId)) return
      sealedKeys.set(sessionId, jwe)
      keepNewest(sealedKeys, SEALED_MAX)
    },
    erase(sessionId) {
      sealedKeys.delete(sessionId)
      opened.delete(sessionId)
    },
    async decrypterOf(sessionId) {
      const known = opened.get(sessionId)
      if (known !== undefined) return known.decrypt
      const jwe = sealedKeys.get(sessionId)
      if (jwe === undefined) return null
      try {
        const key = dataKeyOf(await open(jwe, dataKeyAbout(sessionId)))
        // The key may have been erased while it was opened.
        if (!sealedKeys.has(sessionId)) return null
        opened.set(sessionId, key)
        keepNewest(opened, OPENED_MAX)
        return key.decrypt
      } catch (cause) {
        logger.error({ sessionId, reason: messageOf(cause) }, 'the key of a session does not open')
        return null
      }
    },
  }
}

const READER = 'replay'
/** Twice the sessions that are in memory, so that none of those can lose its key. */
const SEALED_MAX = 2 * SESSIONS_MAX
const OPENED_MAX = 500
