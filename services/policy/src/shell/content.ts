import {
  decodeSubject,
  digestOf,
  type RequestContent,
  type RequestSubject,
} from '@countersign/contracts'
import { type DataKey, dataKeyAbout, dataKeyOf, type Opener } from '@countersign/identity'
import { failed, keepNewest, messageOf, ok, type Result, type SessionId } from '@countersign/kernel'

/** Opens the content of requests. */
export type ContentReader = (
  sealed: { sessionId: SessionId; sealedKey: string },
  content: RequestContent,
  parts: readonly Buffer[],
) => Promise<Result<RequestSubject>>

/** Decrypts with the data key of the session, and checks that the digest is that of the decrypted bytes. */
export function contentReader(open: Opener): ContentReader {
  // bound: KEYS_MAX
  const keys = new Map<string, DataKey>()
  const keyOf = async ({
    sessionId,
    sealedKey,
  }: Parameters<ContentReader>[0]): Promise<DataKey> => {
    const name = `${sessionId} ${sealedKey}`
    const known = keys.get(name)
    if (known !== undefined) return known
    const key = dataKeyOf(await open(sealedKey, dataKeyAbout(sessionId)))
    keys.set(name, key)
    keepNewest(keys, KEYS_MAX)
    return key
  }
  return async (sealed, content, parts) => {
    try {
      const key = await keyOf(sealed)
      const pieces = content.partCount === 0 ? [content.ciphertext] : parts
      const bytes = key.decrypt(Buffer.concat(pieces))
      if (digestOf(bytes) !== content.digest) return failed('the digest is not of the content')
      return ok(decodeSubject(bytes))
    } catch (cause) {
      return failed(messageOf(cause))
    }
  }
}

const KEYS_MAX = 2_000
