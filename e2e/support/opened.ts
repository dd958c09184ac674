import {
  PURPOSES,
  type DataKey,
  dataKeyAbout,
  dataKeyOf,
  openerWith,
  readPrivateKey,
} from '@countersign/identity'
import { eventsOf } from './ledger.ts'
import type { Log } from '@countersign/log'
import type { System } from '@countersign/local'

/** Decrypts a sealed value from the log; throws if it does not belong to this session. */
export type Open = (sessionId: string, sealed: Uint8Array) => Buffer

/** Decrypts with the private key of replay: every data key is sealed for replay too. */
export async function openedAsReplay(system: System, log: Log): Promise<Open> {
  const key = await readPrivateKey(system.secrets.sealingKeyFileOf('replay'))
  const open = await openerWith(key, PURPOSES.dataKey)
  const keys = new Map<string, DataKey>()
  // Only the first key of a session counts, as in the services.
  for (const { sessionId, recipients } of await eventsOf(log, 'keys', 'SessionKeySealed')) {
    const sealed = recipients.find(({ reader }) => reader === 'replay')
    if (!keys.has(sessionId))
      keys.set(sessionId, dataKeyOf(await open(sealed?.jwe ?? '', dataKeyAbout(sessionId))))
  }
  return (sessionId, sealed) => {
    const known = keys.get(sessionId)
    if (known === undefined) throw new Error(`there is no data key of ${sessionId}`)
    return known.decrypt(sealed)
  }
}
