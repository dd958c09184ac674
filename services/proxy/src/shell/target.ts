import { randomBytes } from 'node:crypto'
import { connect as connectTcp, type Socket } from 'node:net'
import {
  connect as connectTls,
  type ConnectionOptions,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls'
import type { Profile, RequestPart, RequestReleased } from '@countersign/contracts'
import { messageOf, Problem, type Secret } from '@countersign/kernel'
import type { Recorded } from '@countersign/log'
import { NAMED_ALIKE_IN, READ_UNDER } from '@countersign/statements'
import {
  authenticationOf,
  type BackendKey,
  backendKeyOf,
  clientFinal,
  clientFirst,
  errorFieldsOf,
  frameUnderWay,
  parameterStatusOf,
  receiveServer,
  type RunsNothing,
  SCRAM_MECHANISM,
  type ScramFinal,
  type ServerFrame,
  serverSide,
  serverSslAnswer,
  toServer,
  type Violation,
  verifyServer,
} from '@countersign/postgres-wire'
import { deadline } from './deadline.ts'
import type { Net } from '@countersign/runtime'
import { drained } from './drained.ts'
import { KEEP_ALIVE } from './keep-alive.ts'

/** A connection to a target. Requests go out only with the proof that they were recorded. */
export type Target = {
  /** The parameters that the target reported while it connected, for the agent. */
  readonly parameters: ReadonlyMap<string, string>
  /** The process that serves the session there, as notifications and `pg_stat_activity` name it. */
  readonly processId: number | null
  /** Sends what is on record, and what runs nothing, in this order. */
  forward(outgoing: readonly Outgoing[]): void
  /** Resolves when the target has taken what was sent, as far as memory is concerned. */
  drained(): Promise<void>
  isCongested(): boolean
  /** Sets the listener that gets the frames from now on. */
  onFrames(listener: (frames: readonly (ServerFrame | Violation)[]) => void): void
  /** Resolves when the target closed the connection. */
  readonly closed: Promise<void>
  /** Takes nothing from the target until everyone who paused it has resumed it. */
  pause(): void
  resume(): void
  /** The size in bytes of the message that is arriving; 0 while its header is not there. */
  frameUnderWay(): number
  /** The number of bytes that have arrived since the login began. */
  receivedBytes(): number
  /** Cancels what runs, on a connection of its own (RFC-less: PostgreSQL protocol, "Canceling Requests in Progress"). */
  cancel(): Promise<void>
  close(): void
}

/** Bytes for a target: they run nothing, or come with the proof that what they run, or the data that they carry, is on record. */
export type Outgoing =
  | { readonly runs: null; readonly bytes: RunsNothing }
  | { readonly runs: Recorded<RequestReleased | RequestPart>; readonly bytes: Uint8Array }

export type TargetAddress = Pick<Profile, 'host' | 'port' | 'database' | 'tls'>

export type TargetLogin = {
  address: TargetAddress
  role: string
  password: Secret<string>
  settings: ReadonlyMap<string, string>
  certificateAuthorities: string | undefined
  limitMs: number
  net: Net
  /** The largest message of the target. */
  rowBytesMax: number
}

/** Connects, over TLS, and logs in with SCRAM-SHA-256. Throws `CS_TARGET_…`. */
export async function connectTarget(login: TargetLogin): Promise<Target> {
  using limit = deadline(login.limitMs)
  const socket = await secured(login.address, login.certificateAuthorities, limit.signal)
  // bound: PARAMETERS_MAX
  const parameters = new Map<string, string>()
  let key: BackendKey | null = null
  let side = serverSide(login.rowBytesMax)
  let pauses = 0
  let receivedBytes = 0
  let listener: (frames: readonly (ServerFrame | Violation)[]) => void = () => undefined
  // bound: as long as one chunk is behind the login
  const early: (ServerFrame | Violation)[] = []
  const closed = Promise.withResolvers<void>()
  const loggedIn = Promise.withResolvers<void>()
  loggedIn.promise.catch(() => undefined)
  const authenticate = scramLogin(socket, login.password)
  let isIn = false

  const { net } = login
  const read = (chunk: Buffer): void => {
    receivedBytes += chunk.length
    const [next, frames] = receiveServer(side, chunk)
    side = next
    if (isIn) return listener(frames)
    for (const [index, frame] of frames.entries()) {
      const problem = frame.tag === 'Violation' ? unexpected(frame.detail) : greet(frame)
      if (problem !== null) return loggedIn.reject(problem)
      if (!isIn) continue
      early.push(...frames.slice(index + 1))
      // Further bytes wait in the socket for the listener.
      socket.pause()
      return loggedIn.resolve()
    }
  }
  socket.on(
    'data',
    net.guarded('bytes of a target', read, () => socket.destroy()),
  )
  const gone = (): void => {
    loggedIn.reject(unexpected('it closed the connection while it was asked to log in'))
    closed.resolve()
  }
  socket.on('close', net.guarded('end of a target', gone))
  socket.on('error', () => undefined)
  limit.signal.addEventListener('abort', () =>
    loggedIn.reject(unexpected('it did not answer in time')),
  )

  function greet(frame: ServerFrame): Problem | null {
    switch (frame.tag) {
      case 'R':
        return authenticate(frame)
      case 'S': {
        const status = parameterStatusOf(frame)
        if (status.ok) parameters.set(status.value.name, status.value.value)
        if (parameters.size > PARAMETERS_MAX) return unexpected('it reports too many parameters')
        return null
      }
      case 'K': {
        const read = backendKeyOf(frame)
        if (read.ok) key = read.value
        return null
      }
      case 'E': {
        const fields = errorFieldsOf(frame)
        const words = fields.ok ? (fields.value.get('M') ?? '') : ''
        const sqlState = fields.ok ? (fields.value.get('C') ?? '') : ''
        if (refusesSetting(sqlState, words)) return settingRefused(sqlState, words)
        return unexpected(`it refused the login: ${words}`)
      }
      case 'Z':
        isIn = true
        return readOtherwise(parameters)
      default:
        return null
    }
  }

  socket.write(
    toServer.startupMessage(
      new Map([
        ['user', login.role],
        ['database', login.address.database],
        ...login.settings,
        ...READ_UNDER,
        // Not reported; it says only whether \' is an error, which in UTF8 it need not be.
        ['backslash_quote', 'safe_encoding'],
      ]),
    ),
  )
  try {
    await loggedIn.promise
  } catch (cause) {
    socket.destroy()
    throw cause
  }
  const send = (outgoing: readonly Outgoing[]): void => {
    socket.cork()
    for (const { bytes } of outgoing) socket.write(bytes)
    socket.uncork()
  }
  return {
    parameters,
    processId: processIdOf(key),
    closed: closed.promise,
    forward: (outgoing) => send(outgoing),
    drained: () => drained(socket),
    isCongested: () => socket.writableNeedDrain,
    onFrames(next) {
      listener = next
      if (early.length > 0) next(early.splice(0))
      socket.resume()
    },
    pause() {
      if (pauses++ === 0) socket.pause()
    },
    resume() {
      if (--pauses === 0) socket.resume()
    },
    frameUnderWay: () => frameUnderWay(side),
    receivedBytes: () => receivedBytes,
    async cancel() {
      if (key === null) return
      using cancelLimit = deadline(login.limitMs)
      const { address, certificateAuthorities } = login
      const other = await secured(address, certificateAuthorities, cancelLimit.signal)
      other.end(toServer.cancelRequest(key))
      other.on('error', () => undefined)
    },
    close() {
      if (socket.destroyed) return
      socket.end(toServer.terminate())
      const linger = net.after('goodbye', LINGER_MS, () => socket.destroy())
      socket.once('close', () => linger[Symbol.dispose]())
    },
  }
}

/** SCRAM (RFC 5802) as far as the target's questions lead; any other way in is refused. */
function scramLogin(
  socket: Socket,
  password: Secret<string>,
): (frame: ServerFrame) => Problem | null {
  const first = clientFirst(randomBytes(18).toString('base64'))
  let final: ScramFinal | null = null
  let isVerified = false
  return (frame) => {
    const asked = authenticationOf(frame)
    if (!asked.ok) return unexpected(asked.error.detail)
    switch (asked.value.tag) {
      case 'Sasl':
        if (!asked.value.mechanisms.includes(SCRAM_MECHANISM))
          return unexpected('it does not offer SCRAM-SHA-256')
        socket.write(toServer.saslInitialResponse(SCRAM_MECHANISM, first.message))
        return null
      case 'SaslContinue': {
        const answer = clientFinal(first, asked.value.data, password)
        if (!answer.ok) return unexpected(`its SCRAM challenge is wrong (${answer.error})`)
        final = answer.value
        socket.write(toServer.saslResponse(final.message))
        return null
      }
      case 'SaslFinal': {
        const verified = final === null ? null : verifyServer(final, asked.value.data)
        if (verified?.ok !== true)
          return unexpected('it could not prove that it knows the credential')
        isVerified = true
        return null
      }
      case 'Ok':
        return isVerified
          ? null
          : unexpected('it let us in without SCRAM, which is not a target that we trust')
      case 'CleartextPassword':
      case 'Md5Password':
      case 'Unsupported':
        return unexpected('it asks for a way to log in that is not used here; SCRAM-SHA-256 is')
    }
  }
}

/** A TLS connection as the profile demands. A target that offers none is an error, never a downgrade. */
async function secured(
  address: TargetAddress,
  ca: string | undefined,
  limit: AbortSignal,
): Promise<TLSSocket> {
  // The limit must not become the signal of the socket: it would destroy a connection that has long been made.
  const { host, port } = address
  const plain = connectTcp({ host, port, noDelay: true, ...KEEP_ALIVE })
  try {
    await happened(plain, 'connect', limit)
    plain.write(toServer.sslRequest())
    const answer = await firstChunk(plain, limit)
    const offered = serverSslAnswer(answer)
    if (offered !== 'S') {
      throw new Problem(
        'CS_TARGET_TLS_UNAVAILABLE',
        `the target ${address.host}:${address.port} does not offer TLS`,
        {
          hint: 'Switch TLS on at the target; Countersign never sends a credential in clear.',
        },
      )
    }
    const tls = connectTls({ socket: plain, ...tlsOptions(address, ca) })
    await happened(tls, 'secureConnect', limit)
    return tls
  } catch (cause) {
    plain.destroy()
    if (cause instanceof Problem) throw cause
    throw new Problem(
      'CS_TARGET_UNREACHABLE',
      `the target ${address.host}:${address.port} could not be reached: ${messageOf(cause)}`,
      {
        cause,
        retriable: true,
        hint: 'Check that the target runs and that the profile names its address.',
      },
    )
  }
}

function tlsOptions(address: TargetAddress, ca: string | undefined): ConnectionOptions {
  const anchors = { secureContext: trusting(ca) }
  switch (address.tls) {
    case 'VerifyFull':
      return { ...anchors, host: address.host, ...serverName(address.host) }
    case 'VerifyCa':
      return { ...anchors, checkServerIdentity: () => undefined }
    case 'Require':
      return { rejectUnauthorized: false }
  }
}

/** Made once: reading certificates takes longer than the rest of a handshake. */
function trusting(ca: string | undefined): SecureContext {
  const known = contexts.get(ca)
  if (known !== undefined) return known
  const context = createSecureContext(ca === undefined ? {} : { ca })
  contexts.set(ca, context)
  return context
}

// bound: one per certificate authority in the settings
const contexts = new Map<string | undefined, SecureContext>()

/** Server Name Indication takes names only (RFC 6066 section 3). */
const serverName = (host: string): ConnectionOptions =>
  /^[\d.:]+$/.test(host) ? {} : { servername: host }

function happened(socket: Socket, event: string, limit: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve)
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    limit.addEventListener('abort', () => reject(new Error('no answer in time')))
  })
}

function firstChunk(socket: Socket, limit: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the connection was closed')))
    limit.addEventListener('abort', () => reject(new Error('no answer in time')))
  })
}

const LINGER_MS = 1_000

const processIdOf = (key: BackendKey | null): number | null => key?.processId ?? null

/** Checked before the first request: a login trigger or a pooler may have changed what the StartupMessage said. */
function readOtherwise(parameters: ReadonlyMap<string, string>): Problem | null {
  for (const [name, expected] of READ_UNDER) {
    const found = parameters.get(name)
    if (found === expected) continue
    return new Problem(
      'CS_TARGET_FAILED',
      `the target reads statements in another way than they are decided on: ${name} is ${found ?? 'not reported'}, not ${expected}`,
      { hint: 'Find what changes the setting there: a login trigger, or a pooler in between.' },
    )
  }
  const encoding = parameters.get('server_encoding') ?? 'not reported'
  if (NAMED_ALIKE_IN.has(encoding)) return null
  return new Problem('CS_TARGET_FAILED', `the encoding of the target's database is ${encoding}`, {
    hint: 'Only databases in UTF8 can be targets: restore it into one, with createdb --encoding=UTF8.',
  })
}

/** True if an error of PostgreSQL says that it does not take a setting. */
const refusesSetting = (sqlState: string, words: string): boolean =>
  SETTING_REFUSED.has(sqlState) && /parameter|setting/i.test(words)

/** PostgreSQL reports about fifteen. */
const PARAMETERS_MAX = 1_000
const SETTING_REFUSED: ReadonlySet<string> = new Set(['22023', '42501', '42704', '55P02'])

/** The agent asked for it, so it gets the words and the SQLSTATE of the target. */
const settingRefused = (sqlState: string, words: string): Problem =>
  new Problem('CS_STARTUP_PARAMETER_REFUSED', words, {
    hint: 'Leave the setting out, or give it another value.',
    cause: { sqlState },
  })

const unexpected = (what: string): Problem =>
  new Problem('CS_TARGET_FAILED', `the target could not be used: ${what}`, { retriable: true })
