import type { RequestReleased } from '@countersign/contracts'
import { EventId, RequestId, uuidv5, uuidv7 } from '@countersign/kernel'
import { rendering } from '@countersign/statements'
import type { Unlinked } from '../core/chain.ts'
import { subjectOf } from '../core/request-subject.ts'
import type { Session } from './session-state.ts'

export type OwnOptions = {
  /** The decision that it follows from. */
  readonly decisionId: EventId | null
  readonly resultFormats?: readonly number[]
  /** `Prepare` where it is only parsed. */
  readonly kind?: 'Query' | 'Prepare'
}

/** The release of a text of Countersign itself, which is a request too, and is recorded before it is sent (D8). */
export function ownRequest(
  session: Session,
  sql: string,
  { decisionId, resultFormats = [], kind = 'Query' }: OwnOptions,
): Unlinked<RequestReleased> {
  const text = Buffer.from(sql)
  const subject = subjectOf(
    {
      kind,
      text,
      parameterTypes: [],
      valueTypes: [],
      executes: [],
      copyData: null,
      bind: { formats: [], values: [], resultFormats },
      rowsMax: 0,
    },
    {
      sessionId: session.id,
      agent: session.agent,
      target: session.profile.name,
      baseRoles: session.profile.baseRoles,
      stateVersion: session.stateVersion,
      policyVersion: session.policyVersion,
      salt: session.salt,
      // Our own texts mean the same under every setting.
      settings: [],
    },
  )
  return {
    type: 'RequestReleased',
    at: session.proxy.clock.now(),
    requestId: RequestId(uuidv7(Date.now())),
    digest: subject.digest,
    content: {
      kind,
      digest: subject.digest,
      ciphertext: session.dataKey.encrypt(subject.bytes),
      partCount: 0,
      rendering: rendering(text),
      sizeBytes: text.length,
    },
    origin: 'Countersign',
    coverage: 'None',
    decisionId: decisionId ?? EventId(uuidv5(session.id, 'own')),
    decisionHash: '',
    approvalId: null,
    raiseId: null,
    policyVersion: session.policyVersion,
    stateVersion: session.stateVersion,
    maskingPlanVersion: session.plan.planVersion,
    targetVersion: session.targetVersion,
  }
}
