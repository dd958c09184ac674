import { EventId, type SessionId, uuidv5 } from '@countersign/kernel'
import type { Step } from './credential.ts'

/** What a step is called within its session. Each is taken with success at most once, so the name is unique there. */
export function stepName(step: Step): string {
  switch (step.do) {
    case 'intend':
    case 'issue':
    case 'revoke':
      return step.do
    case 'describe':
    case 'raise':
    case 'refuse':
    case 'lower':
      return `${step.do}/${step.requestId}`
  }
}

/** The cause that the events of a step cite: taken again after a crash, it gives the same ids (D5). */
export const causeOf = (sessionId: SessionId, step: string): EventId =>
  EventId(uuidv5(sessionId, `credential-broker/${step}`))
