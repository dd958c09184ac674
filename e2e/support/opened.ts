import { dataKeyOf, openerWith, readPrivateKey } from '@countersign/identity'
import { eventsOf } from './ledger.ts'
import type { Log } from '@countersign/log'
import type { System } from '@countersign/local'

/** Opens what stands encrypted in the log; throws where it is not of this session. */
export type Open = (sessionId: string, sealed: Uint8Array) => Buffer

/** Opens with the private key of replay, which every data key is sealed for. */
export async function openedAsReplay(system: System, log: Log): Promise<Open> {
  const key = await readPrivateKey(system.secrets.sealingKeyFileOf('replay'))
  const open = await openerWith(key, 'countersign/data-key')
  const keys = new Map(
    await Promise.all(
      (await eventsOf(log, 'keys', 'SessionKeySealed')).map(async ({ sessionId, recipients }) => {
        const sealed = recipients.find(({ reader }) => reader === 'replay')
        return [sessionId as string, dataKeyOf(await open(sealed?.jwe ?? ''))] as const
      }),
    ),
  )
  return (sessionId, sealed) => {
    const known = keys.get(sessionId)
    if (known === undefined) throw new Error(`there is no data key of ${sessionId}`)
    return known.decrypt(sealed)
  }
}
