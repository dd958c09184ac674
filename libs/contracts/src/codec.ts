import avro, { type Type } from 'avsc'
import { messageOf, Problem, sha256 } from '@countersign/kernel'
import { boundArrays } from './array-bounds.ts'
import { type AnyMessage, RELEASED, SCHEMAS } from './generated/registry.ts'
import { SharedArray } from './shared-arrays.ts'

boundArrays()

/** The name of a message, as in the header `ce_type` without its prefix. */
export type MessageType = AnyMessage['type']
/** The message with this name. */
export type MessageOf<T extends MessageType> = Extract<AnyMessage, { type: T }>

/** The Avro bytes of a message, without its name: that stands in the headers. */
export function encode(message: AnyMessage): Buffer {
  return current(message.type).type.toBuffer(message)
}

/** Gives the schema of a fingerprint that this version itself does not have; undefined where none was published. */
export type WrittenWith = (fingerprint: string) => unknown

/** The message in these bytes, written with the schema of this fingerprint. Throws `CS_MESSAGE_UNREADABLE`. */
export function decode(
  type: string,
  fingerprint: string,
  bytes: Uint8Array,
  writtenWith: WrittenWith = () => undefined,
): AnyMessage {
  if (!isMessageType(type))
    throw unreadable(`there is no message ${JSON.stringify(type)} in this version`)
  const reader = current(type)
  try {
    const fields =
      fingerprint === reader.fingerprint
        ? reader.type.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
        : reader.type.fromBuffer(
            Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
            resolverOf(type, fingerprint, writtenWith),
          )
    // The TypeScript type is generated from the schema of this type.
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
type Resolver = ReturnType<Type['createResolver']>

function current(type: MessageType): Codec {
  const known = codecs.get(type)
  if (known !== undefined) return known
  const codec = codecOf(SCHEMAS[type].schema)
  codecs.set(type, codec)
  return codec
}

/** Reads what another version wrote: an earlier release, or a later one whose schema is compatible with ours. */
function resolverOf(type: MessageType, fingerprint: string, writtenWith: WrittenWith): Resolver {
  const known = resolvers.get(fingerprint)
  if (known !== undefined) return known
  const writer = released(type, fingerprint) ?? foreign(type, fingerprint, writtenWith)
  if (writer === null) {
    throw unreadable(
      `${type} was written with a schema (${fingerprint}) that this version does not know`,
    )
  }
  const resolver = current(type).type.createResolver(writer)
  resolvers.set(fingerprint, resolver)
  return resolver
}

function released(type: MessageType, fingerprint: string): Type | null {
  for (const [name, schema] of RELEASED) {
    const codec = name === type ? codecOf(schema) : null
    if (codec?.fingerprint === fingerprint) return codec.type
  }
  return null
}

function foreign(type: MessageType, fingerprint: string, writtenWith: WrittenWith): Type | null {
  const schema = writtenWith(fingerprint)
  return schema !== undefined && isSchemaOf(type, fingerprint, schema) ? codecOf(schema).type : null
}

/** True if this is a schema of that message with that fingerprint, whoever published it. */
export function isSchemaOf(type: MessageType, fingerprint: string, schema: unknown): boolean {
  if (typeof schema !== 'object' || schema === null || !('name' in schema)) return false
  try {
    return schema.name === type && codecOf(schema).fingerprint === fingerprint
  } catch {
    return false
  }
}

/** A schema as Avro sees it, with the fingerprint that stands in the headers. */
export function codecOf(schema: unknown): Codec {
  // Avsc checks the schema itself; its own type for schemas has no place for readonly arrays.
  const type = avro.Type.forSchema(structuredClone(schema) as avro.Schema, {
    omitRecordMethods: true,
    logicalTypes: { shared: SharedArray },
    assertLogicalTypes: true,
  })
  return { type, fingerprint: type.fingerprint('sha256').toString('hex').slice(0, 16) }
}

function unreadable(message: string, cause?: unknown): Problem {
  return new Problem('CS_MESSAGE_UNREADABLE', message, {
    cause,
    hint: 'Upgrade this service to at least the version of the service that wrote the record.',
  })
}

// bound: one per type of message
const codecs = new Map<MessageType, Codec>()
/** Resolvers by fingerprint; each fingerprint is of one schema of one message. */
// bound: one per schema that is published
const resolvers = new Map<string, Resolver>()
