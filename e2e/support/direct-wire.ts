import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { Secret } from '@countersign/kernel'
import {
  authenticationOf,
  clientFinal,
  clientFirst,
  SCRAM_MECHANISM,
  type ServerFrame,
  toServer,
} from '@countersign/postgres-wire'
import type { System } from '@countersign/local'
import { frames, only, type Wire } from './wire.ts'

/** A client of the target itself, as its administrator, without Countersign between them: the answers of plain PostgreSQL. */
export type DirectWire = Omit<Wire, 'key' | 'parameters'>

/** Logs in at the target itself. */
export async function openDirectWire(system: System, database: string): Promise<DirectWire> {
  const url = new URL(system.postgres.adminUrl)
  const tcp = connectTcp(Number(url.port), url.hostname)
  await once(tcp, 'connect')
  tcp.write(toServer.sslRequest())
  await once(tcp, 'data')
  const socket = connectTls({ socket: tcp, rejectUnauthorized: false })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  const inbox = frames(socket)
  const user = decodeURIComponent(url.username)
  socket.write(
    toServer.startupMessage(
      new Map([
        ['user', user],
        ['database', database],
      ]),
    ),
  )
  const first = clientFirst(randomBytes(18).toString('base64'))
  await inbox.until('R')
  socket.write(toServer.saslInitialResponse(SCRAM_MECHANISM, first.message))
  const asked = authenticationOf(only(await inbox.until('R'), 'R'))
  if (!asked.ok || asked.value.tag !== 'SaslContinue') throw new Error('no SCRAM challenge')
  const password = new Secret(decodeURIComponent(url.password))
  const final = clientFinal(first, asked.value.data, password)
  if (!final.ok) throw new Error(final.error)
  socket.write(toServer.saslResponse(final.value.message))
  await inbox.until('Z')
  return {
    socket,
    send: (...bytes) => void socket.write(Buffer.concat(bytes)),
    ready: (): Promise<ServerFrame[]> => inbox.until('Z'),
    until: inbox.until,
    closed: inbox.closed,
    end: () => socket.destroy(),
  }
}
