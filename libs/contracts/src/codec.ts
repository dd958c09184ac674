import avro, { type Type } from 'avsc'
import { messageOf, Problem, sha256 } from '@countersign/kernel'
import { type AnyMessage, RELEASED, SCHEMAS } from './generated/schemas.ts'

/** The name of a message, as in the header `ce_type` without its prefix. */
export type MessageType = AnyMessage['type']
/** The message with this name. */
export type MessageOf<T extends MessageType> = Extract<AnyMessage, { type: T }>

/** The Avro bytes of a message, without its name: that stands in the headers. */
export function encode(message: AnyMessage): Buffer {
  return current(message.type).type.toBuffer(message)
}

/** The message in these bytes, written with the schema of this fingerprint. Throws `CS_MESSAGE_UNREADABLE`. */
export function decode(type: string, fingerprint: string, bytes: Uint8Array): AnyMessage {
  if (!isMessageType(type))
    throw unreadable(`there is no message ${JSON.stringify(type)} in this version`)
  const reader = current(type)
  try {
    const fields =
      fingerprint === reader.fingerprint
        ? reader.type.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
        : older(type, fingerprint, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    // The schema of this type is what the generated TypeScript type was written from.
    return { type, ...fields } as AnyMessage
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    throw unreadable(`${type}: ${messageOf(cause)}`, cause)
  }
}

/** The SHA-256 fingerprint of the schema (Avro parsing canonical form), shortened to 16 hex digits. */
export const fingerprintOf = (type: MessageType): string => current(type).fingerprint

/** The topic that a message stands in; `rejected` stands for `<service>.rejected`. */
export const topicOf = (type: MessageType): string => SCHEMAS[type].topic

export const isMessageType = (type: string): type is MessageType => Object.hasOwn(SCHEMAS, type)

/** The hash that the next event of a chain cites: it commits to name, schema and content. */
export const hashOf = (type: string, fingerprint: string, bytes: Uint8Array): string =>
  sha256(`${type}\0${fingerprint}\0`, bytes)

type Codec = { type: Type; fingerprint: string }

function current(type: MessageType): Codec {
  const known = codecs.get(type)
  if (known !== undefined) return known
  const codec = codecOf(SCHEMAS[type].schema)
  codecs.set(type, codec)
  return codec
}

function older(type: MessageType, fingerprint: string, bytes: Buffer): object {
  for (const [name, schema] of RELEASED) {
    if (name !== type) continue
    const writer = codecOf(schema)
    if (writer.fingerprint !== fingerprint) continue
    const reader = current(type).type
    return reader.fromBuffer(bytes, reader.createResolver(writer.type))
  }
  throw unreadable(
    `${type} was written with a schema (${fingerprint}) that this version does not know`,
  )
}

/** A schema as Avro sees it, with the fingerprint that stands in the headers. */
export function codecOf(schema: unknown): Codec {
  // Avsc checks the schema itself; its own type for schemas has no place for readonly arrays.
  const type = avro.Type.forSchema(structuredClone(schema) as avro.Schema, {
    omitRecordMethods: true,
  })
  return { type, fingerprint: type.fingerprint('sha256').toString('hex').slice(0, 16) }
}

function unreadable(message: string, cause?: unknown): Problem {
  return new Problem('CS_MESSAGE_UNREADABLE', message, {
    cause,
    hint: 'Upgrade this service to at least the version of the service that wrote the record.',
  })
}

const codecs = new Map<MessageType, Codec>()
