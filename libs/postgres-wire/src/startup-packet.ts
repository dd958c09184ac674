import { type Violation, violation } from './violation.ts'
import { isComplete, readBytes, readCstring, readerOf, readInt32, readUint32 } from './reader.ts'

/** The packets that begin a connection; they have no letter. */
export type StartupPacket =
  | { readonly tag: 'SslRequest'; readonly raw: Buffer }
  | { readonly tag: 'GssEncRequest'; readonly raw: Buffer }
  | Cancel
  | Startup

/** Asks, on a connection of its own, to cancel the statement that another session runs. */
export type Cancel = {
  readonly tag: 'Cancel'
  readonly raw: Buffer
  readonly processId: number
  /** 4 bytes up to protocol 3.1, up to 256 from 3.2 on. */
  readonly secretKey: Buffer
}

/** The start of a session: user, database and settings (`parameters`), in the order in which they were sent. */
export type Startup = {
  readonly tag: 'Startup'
  readonly raw: Buffer
  readonly major: number
  readonly minor: number
  readonly parameters: ReadonlyMap<string, string>
}

/** Reads Int32 length, Int32 code, and the fields that belong to the code. */
export function decodeStartupPacket(raw: Buffer): StartupPacket | Violation {
  switch (raw.readUInt32BE(4)) {
    case SSL_REQUEST_CODE:
      return raw.length === 8 ? { tag: 'SslRequest', raw } : violation('Malformed')
    case GSS_ENC_REQUEST_CODE:
      return raw.length === 8 ? { tag: 'GssEncRequest', raw } : violation('Malformed')
    case CANCEL_REQUEST_CODE:
      return decodeCancel(raw)
    default:
      return decodeStartup(raw)
  }
}

// Int32 process, then the key up to the end.
function decodeCancel(raw: Buffer): Cancel | Violation {
  const reader = readerOf(raw, 8)
  const processId = readInt32(reader)
  const secretKey = readBytes(reader, raw.length - 12)
  const isKey = secretKey.length >= KEY_BYTES_MIN && secretKey.length <= KEY_BYTES_MAX
  return isKey ? { tag: 'Cancel', raw, processId, secretKey } : violation('Malformed')
}

// (String name, String value)*, then a zero. A name given twice is refused: it is a guess which of the two counts.
function decodeStartup(raw: Buffer): Startup | Violation {
  const reader = readerOf(raw, 4)
  const version = readUint32(reader)
  const major = version >>> 16
  if (major !== 3) return violation('UnsupportedProtocol')
  const parameters = new Map<string, string>()
  for (let name = readCstring(reader); name !== ''; name = readCstring(reader)) {
    if (parameters.has(name)) return violation('Malformed')
    parameters.set(name, readCstring(reader))
  }
  if (!isComplete(reader)) return violation('Malformed')
  return { tag: 'Startup', raw, major, minor: version & 0xffff, parameters }
}

/** Codes that no version of the protocol has. */
export const SSL_REQUEST_CODE = 80877103
export const GSS_ENC_REQUEST_CODE = 80877104
export const CANCEL_REQUEST_CODE = 80877102

const KEY_BYTES_MIN = 4
const KEY_BYTES_MAX = 256
