import { createCipheriv, createDecipheriv, createSecretKey, generateKeySync } from 'node:crypto'
import { messageOf, Problem, randomBytes } from '@countersign/kernel'

/** The key that everything of one session is encrypted with (AES-256-GCM). */
export type DataKey = {
  /** 12 bytes nonce, ciphertext, 16 bytes tag. */
  encrypt(plain: Uint8Array): Buffer
  /** Throws `CS_MESSAGE_UNREADABLE` where the bytes were changed or belong to another session. */
  decrypt(sealed: Uint8Array): Buffer
  /** The 32 bytes themselves, to seal them for the readers. */
  bytes(): Buffer
}

/** A new data key. */
export const newDataKey = (): DataKey =>
  dataKeyOf(generateKeySync('aes', { length: KEY_BYTES * 8 }).export())

/** The data key with these 32 bytes. */
export function dataKeyOf(key: Buffer): DataKey {
  if (key.length !== KEY_BYTES)
    throw new Problem('CS_MESSAGE_UNREADABLE', 'a data key has 32 bytes')
  // Made once, since Node needs longer to import the bytes of a key than to encrypt a statement.
  const secret = createSecretKey(key)
  return {
    bytes: () => key,
    encrypt(plain) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', secret, nonce)
      return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
    },
    decrypt(sealed) {
      try {
        const end = sealed.length - TAG_BYTES
        const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, NONCE_BYTES))
        decipher.setAuthTag(sealed.subarray(end))
        const plain = decipher.update(sealed.subarray(NONCE_BYTES, end))
        // GCM holds nothing back: the end only checks the tag.
        decipher.final()
        return plain
      } catch (cause) {
        throw new Problem(
          'CS_MESSAGE_UNREADABLE',
          `encrypted content cannot be opened: ${messageOf(cause)}`,
          {
            cause,
          },
        )
      }
    },
  }
}

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
