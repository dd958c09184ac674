import type { Identity } from '@countersign/contracts'
import { isoOf } from '@countersign/kernel'
import type { SessionMessage } from './session-record.ts'

/** What is always in memory of a session: enough to list it and to say who may see it. */
export type Overview = {
  readonly sessionId: string
  /** Null until policy admitted the session; the agent is then only claimed. */
  readonly identity: Identity | null
  readonly agent: string
  readonly behalfOf: string | null
  readonly profile: string
  readonly environment: string | null
  readonly startedAt: string | null
  readonly endedAt: string | null
  readonly endReason: string | null
  /** The requests of the agent. */
  readonly requests: number
  readonly transcriptSeen: number
  /** How many transcript events there are in all; null until the session has ended in order. */
  readonly transcriptCount: number | null
}

export const newOverview = (sessionId: string): Overview => ({
  sessionId,
  identity: null,
  agent: '',
  behalfOf: null,
  profile: '',
  environment: null,
  startedAt: null,
  endedAt: null,
  endReason: null,
  requests: 0,
  transcriptSeen: 0,
  transcriptCount: null,
})

/** Whether everything that happened in the session is known. */
export const isComplete = (session: Overview): boolean =>
  session.endedAt !== null && session.transcriptSeen >= (session.transcriptCount ?? 0)

/** The overview after one more message; the events of a topic come in order, those of two topics in any. */
export function evolved(session: Overview, message: SessionMessage): Overview {
  switch (message.type) {
    case 'SessionRequested':
      return {
        ...session,
        agent: session.identity?.agent ?? message.agent,
        profile: message.profile,
        startedAt: isoOf(message.at),
      }
    case 'SessionAdmitted': {
      const { identity, profile } = message
      const { agent, behalfOf } = identity
      const { name, environment } = profile
      return { ...session, identity, agent, behalfOf, profile: name, environment }
    }
    case 'SessionRefused':
      return { ...session, endedAt: isoOf(message.at), endReason: message.code }
    case 'SessionEnded': {
      const { at, reason, transcriptCount } = message
      return { ...session, endedAt: isoOf(at), endReason: reason, transcriptCount }
    }
    case 'CredentialRevoked':
      // Of a proxy that was killed there is no other end.
      return session.endedAt !== null
        ? session
        : { ...session, endedAt: isoOf(message.at), endReason: `CredentialRevoked` }
    case 'RequestIntercepted':
      return message.origin === 'Agent' ? { ...session, requests: session.requests + 1 } : session
    case 'RequestReleased':
      return message.origin === 'Agent' && message.content !== null
        ? { ...session, requests: session.requests + 1 }
        : session
    case 'TranscriptRecorded':
      return { ...session, transcriptSeen: session.transcriptSeen + 1 }
    default:
      return session
  }
}
