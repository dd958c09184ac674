import { sha256 } from '@countersign/kernel'
import { codecOf } from './codec.ts'
import type { RequestSubject } from './generated/common.ts'
import { REQUEST_SUBJECT } from './generated/registry.ts'

/** The Avro bytes of the subject of a request. They are encrypted, and the digest is over them. */
export const encodeSubject = (subject: RequestSubject): Buffer => type.toBuffer(subject)

/** The subject of a request, from its Avro bytes. Throws where they are not such bytes. */
export function decodeSubject(bytes: Uint8Array): RequestSubject {
  // Not a copy: what is decoded is copied from it.
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  // The schema is what the generated TypeScript type was written from.
  try {
    return { ...type.fromBuffer(buffer) } as RequestSubject
  } catch (thrown) {
    for (const { type: earlier, added } of EARLIER) {
      try {
        return { ...earlier.fromBuffer(buffer), ...added } as RequestSubject
      } catch {
        // Bytes of another version: each added field makes them longer, and no byte may be left over.
      }
    }
    throw thrown
  }
}

/** The digest that an approval binds: SHA-256 over the domain and the Avro bytes, in hex. */
export const digestOf = (subjectBytes: Uint8Array): string => sha256(DOMAIN, subjectBytes)

const DOMAIN = 'countersign/request/1'
const { type } = codecOf(REQUEST_SUBJECT)

/** The versions from before fields were added at the end, newest first, and what these fields hold there. */
const EARLIER = [
  { executes: [] },
  { executes: [], copyData: null },
  { executes: [], copyData: null, valueTypes: [] },
  { executes: [], copyData: null, valueTypes: [], settings: [] },
].map((added) => ({
  added,
  ...codecOf({
    ...REQUEST_SUBJECT,
    fields: REQUEST_SUBJECT.fields.filter(({ name }) => !(name in added)),
  }),
}))
