import type { Brand, Secret } from '@countersign/kernel'
import { cstring, frame, int16, int32, lengthAndBytes, list, untaggedFrame } from './bytes.ts'
import type { BackendKey } from './server-messages.ts'
import { CANCEL_REQUEST_CODE, SSL_REQUEST_CODE } from './startup-packet.ts'

/**
 * Bytes that carry no words and no values of a client, and run nothing at a target. Only the messages below that have this
 * type do so: everything else needs the proof that it is on record.
 */
export type RunsNothing = Brand<Buffer, 'RunsNothing'>

/** Asks for TLS. */
export const sslRequest = (): Buffer => untaggedFrame(int32(SSL_REQUEST_CODE))

/** Asks, on a connection of its own, to cancel the statement that the session with this key runs. */
export const cancelRequest = (key: BackendKey): Buffer =>
  untaggedFrame(int32(CANCEL_REQUEST_CODE), int32(key.processId), key.secretKey)

/** Begins a session with protocol 3.0. The parameters never pass through a connection string. */
export const startupMessage = (parameters: ReadonlyMap<string, string>): Buffer =>
  untaggedFrame(
    int32(3 << 16),
    ...[...parameters].flatMap(([name, value]) => [cstring(name), cstring(value)]),
    Buffer.alloc(1),
  )

export const passwordMessage = (password: Secret<string>): Buffer =>
  frame('p', cstring(password.expose()))

/** The first message of a SASL mechanism. */
export function saslInitialResponse(mechanism: string, message: string): Buffer {
  return frame('p', cstring(mechanism), lengthAndBytes(Buffer.from(message, 'utf8')))
}

export const saslResponse = (message: string): Buffer => frame('p', Buffer.from(message, 'utf8'))

export const query = (sql: string): Buffer => frame('Q', cstring(sql))

export const parse = (name: string, sql: string, parameterTypes: readonly number[] = []): Buffer =>
  frame('P', cstring(name), cstring(sql), list(parameterTypes, int32))

/** Values for a statement. No formats = everything is text. */
export type Binding = {
  readonly portal?: string
  readonly statement?: string
  readonly formats?: readonly number[]
  readonly values?: readonly (Buffer | null)[]
  readonly resultFormats?: readonly number[]
}

export const bind = (binding: Binding = {}): Buffer =>
  frame(
    'B',
    cstring(binding.portal ?? ''),
    cstring(binding.statement ?? ''),
    list(binding.formats ?? [], int16),
    list(binding.values ?? [], lengthAndBytes),
    list(binding.resultFormats ?? [], int16),
  )

export const describe = (kind: 'statement' | 'portal', name = ''): RunsNothing =>
  runsNothing(frame('D', cstring(LETTER_OF[kind] + name)))

/** At most `maxRows` rows; 0 = all. */
export const execute = (portal = '', maxRows = 0): Buffer =>
  frame('E', cstring(portal), int32(maxRows))

export const close = (kind: 'statement' | 'portal', name = ''): RunsNothing =>
  runsNothing(frame('C', cstring(LETTER_OF[kind] + name)))

export const sync = (): RunsNothing => runsNothing(frame('S'))
export const flush = (): RunsNothing => runsNothing(frame('H'))
export const terminate = (): RunsNothing => runsNothing(frame('X'))
export const copyData = (data: Buffer): Buffer => frame('d', data)
export const copyDone = (): RunsNothing => runsNothing(frame('c'))
export const copyFail = (reason: string): Buffer => frame('f', cstring(reason))
/**
 * A CopyFail in words of our own: the reason that a client gives is in the client's words. Where these cannot be read, neither
 * can ours, so that the target says that.
 */
export const copyGivenUp = (fault: '08P01' | '22021' | null = null): RunsNothing =>
  runsNothing(frame('f', GIVEN_UP[fault ?? 'readable']()))

const GIVEN_UP = {
  readable: () => cstring('the client failed it'),
  '08P01': () => Buffer.alloc(0),
  '22021': () => Buffer.from([0xff, 0]),
} as const

const runsNothing = (bytes: Buffer): RunsNothing => bytes as RunsNothing

const LETTER_OF = { statement: 'S', portal: 'P' } as const
