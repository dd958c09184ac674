import assert from 'node:assert/strict'
import { Secret } from '@countersign/kernel'
import {
  authenticated,
  frontend,
  receive,
  type Request,
  toServer,
} from '@countersign/postgres-wire'

/** The messages of an agent that has logged in, from their bytes; for tests. */
export function requests(...frames: readonly Uint8Array[]): Request[] {
  const startup = toServer.startupMessage(new Map([['user', 'agent']]))
  const [asking] = receive(frontend(undefined, 'secured'), startup)
  const [proven] = receive(asking, toServer.passwordMessage(new Secret('a.token')))
  const [, received] = receive(authenticated(proven), Buffer.concat(frames))
  return received.map((message) => {
    assert.ok('raw' in message && message.tag !== 'Startup', `${message.tag} is no request`)
    return message as Request
  })
}
