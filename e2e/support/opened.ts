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

/** Opens what stands encrypted in the log; throws where it is not of this session. */
export type Open = (sessionId: string, sealed: Uint8Array) => Buffer

/** Opens with the private key of replay, which every data key is sealed for. */
export async function openedAsReplay(system: System, log: Log): Promise<Open> {
  const key = await readPrivateKey(system.secrets.sealingKeyFileOf('replay'))
  const open = await openerWith(key, PURPOSES.dataKey)
  const keys = new Map<string, DataKey>()
  // The first of a session counts, as with the services.
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
