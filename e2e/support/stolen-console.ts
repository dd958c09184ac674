import { join } from 'node:path'
import type { System } from '@countersign/local'
import { PURPOSES, readSealingKeys, sealerTo, voteAbout } from '@countersign/identity'
import { EventId, systemClock, uuidv7 } from '@countersign/kernel'
import { draftOf } from '@countersign/log'
import { connectAs, eventsOf } from './ledger.ts'
import { type Answer, outcomeOf } from './reviewer.ts'

/**
 * Countersigns with the Kafka user of the console, past the console: the person's token is real, but nobody checked whether
 * the person may see the request.
 */
export async function countersignedPastTheConsole(
  system: System,
  as: string,
  requestId: string,
): Promise<Answer> {
  await using log = await connectAs(system, 'console')
  const asked = await eventsOf(log, 'approvals', 'ApprovalRequested')
  const held = asked.find((event) => event.requestId === requestId)
  if (held === undefined) throw new Error(`${requestId} is not held`)
  const keys = await readSealingKeys(join(system.instance.dir, 'secrets', 'sealing-keys.jwks'))
  const key = keys.get('approval')
  if (key === undefined) throw new Error('approval has no sealing key')
  const seal = await sealerTo(key, PURPOSES.reviewToken)
  const at = systemClock.now()
  const reviewId = uuidv7(at / 1000)
  const token = await system.tokenFor(as)
  const vote = {
    type: 'Countersign',
    sessionId: held.sessionId,
    at,
    requestId: held.requestId,
    reviewId,
    by: as,
    signature: null,
    digest: held.digest,
  } as const
  const proof = await seal(JSON.stringify({ token }), voteAbout(vote))
  await log.append([draftOf({ ...vote, proof }, { id: EventId(reviewId), key: held.sessionId })])
  return outcomeOf(system, reviewId)
}
