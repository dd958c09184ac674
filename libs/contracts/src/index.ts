export type { Caller } from './caller.ts'
export {
  codecOf,
  decode,
  encode,
  fingerprintOf,
  hashOf,
  isMessageType,
  isSchemaOf,
  type MessageOf,
  type MessageType,
  topicOf,
  type WrittenWith,
} from './codec.ts'
export { expiryOf } from './expiry.ts'
export { mayChangeSchema } from './keeps-schema.ts'
export { oneOf } from './one-of.ts'
export { decodeSubject, digestOf, encodeSubject } from './subject.ts'
export { type AnyMessage, RELEASED, SCHEMAS } from './generated/registry.ts'
export type * from './generated/common.ts'
export type * from './generated/approvals.ts'
export type * from './generated/catalog.ts'
export type * from './generated/credentials.ts'
export type * from './generated/decisions.ts'
export type * from './generated/keys.ts'
export type * from './generated/leases.ts'
export type * from './generated/masking.ts'
export type * from './generated/rejected.ts'
export type * from './generated/reviews.ts'
export type * from './generated/schemas.ts'
export type * from './generated/sessions.ts'
export type * from './generated/transcript.ts'
