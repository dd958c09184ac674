import { EventId, type SessionId, uuidv5 } from '@countersign/kernel'
import type { Step } from './credential.ts'

/** The name of a step within its session. Each step succeeds at most once, so the name is unique there. */
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

/** The cause that the events of a step cite: a step that is taken again after a crash gives them the same ids (D5). */
export const causeOf = (sessionId: SessionId, step: string): EventId =>
  EventId(uuidv5(sessionId, `credential-broker/${step}`))
