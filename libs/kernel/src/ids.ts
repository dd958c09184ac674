import { hash } from 'node:crypto'
import type { Brand } from './brand.ts'
import type { Instant } from './instant.ts'
import { randomBytes } from './random.ts'

/** One authenticated connection of one agent to one target. UUIDv7. */
export type SessionId = Brand<string, 'SessionId'>
/** One thing that an agent asks of a target. UUIDv7. */
export type RequestId = Brand<string, 'RequestId'>
/** One record of the log. UUIDv5 of its cause, so that a repeat has the same id. */
export type EventId = Brand<string, 'EventId'>
/** One proxy process, from start to end. UUIDv7. */
export type InstanceId = Brand<string, 'InstanceId'>

export const SessionId = (text: string): SessionId => parsedUuid(text) as SessionId
export const RequestId = (text: string): RequestId => parsedUuid(text) as RequestId
export const EventId = (text: string): EventId => parsedUuid(text) as EventId
export const InstanceId = (text: string): InstanceId => parsedUuid(text) as InstanceId

export const isUuid = (text: string): boolean => UUID.test(text)

/** A UUID version 7 (RFC 9562 section 5.7) from a time in milliseconds and 10 random bytes. */
export function uuidv7(unixMs: number, random: Uint8Array = randomBytes(10)): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUIntBE(Math.floor(unixMs), 0, 6)
  bytes.set(random.subarray(0, 10), 6)
  return formatted(bytes, 0x70)
}

/** The time in milliseconds with which a UUID version 7 begins. */
export const idTimeMs = (uuid: string): number =>
  Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16)

/** True if the time in an id lies in the future, further ahead than the clock of any machine can be. */
export const isFromTheFuture = (uuid: string, at: Instant): boolean =>
  idTimeMs(uuid) > at / 1_000 + AHEAD_MS_MAX

/** A UUID version 5 (RFC 9562 section 5.5): the same namespace and name give the same id. */
export function uuidv5(namespace: string, name: string): string {
  const named = Buffer.concat([
    Buffer.from(namespace.replaceAll('-', ''), 'hex'),
    Buffer.from(name),
  ])
  return formatted(hash('sha1', named, 'buffer').subarray(0, 16), 0x50)
}

function formatted(bytes: Buffer, version: number): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | version, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function parsedUuid(text: string): string {
  if (!UUID.test(text)) throw new TypeError(`not a UUID: ${JSON.stringify(text.slice(0, 80))}`)
  return text
}

/** The most that the clock of another machine may be ahead. */
const AHEAD_MS_MAX = 300_000
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
