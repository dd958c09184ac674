import type { Identity } from '@countersign/contracts'
import { isoOf } from '@countersign/kernel'
import type { SessionMessage } from './session-record.ts'

/** The facts about a session that are always in memory: enough to list it and to decide who may see it. */
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
  /** The service that told its end: the proxy or, if the proxy was killed, the broker. Null until one of them did. */
  readonly endedBy: 'Proxy' | 'Broker' | null
  /** The number of requests of the agent. */
  readonly requests: number
  readonly transcriptSeen: number
  /** The number of transcript events, as far as the session said it. */
  readonly transcriptCount: number
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
  endedBy: null,
  requests: 0,
  transcriptSeen: 0,
  transcriptCount: 0,
})

/** True if everything that the session said is known, up to its end. */
export const isComplete = (session: Overview): boolean =>
  session.endedBy !== null && session.transcriptSeen >= session.transcriptCount

/** True if its proxy was killed: the last moments of what the agent saw may not be in the log. */
export const isCutShort = (session: Overview): boolean => session.endedBy === 'Broker'

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
      return { ...session, endedAt: isoOf(message.at), endReason: message.code, endedBy: 'Proxy' }
    case 'SessionEnded': {
      const { at, reason, transcriptCount } = message
      return {
        ...session,
        endedAt: isoOf(at),
        endReason: reason,
        endedBy: 'Proxy',
        transcriptCount,
      }
    }
    case 'CredentialRevoked':
      if (session.endedBy === 'Proxy') return session
      return {
        ...session,
        endedAt: isoOf(message.at),
        endReason: 'CredentialRevoked',
        // The broker saw an end that has not come here yet, so the proxy was not killed.
        endedBy: message.reason === 'SessionOver' ? null : 'Broker',
      }
    case 'RequestCompleted':
      return {
        ...session,
        transcriptCount: Math.max(session.transcriptCount, message.transcriptCount),
      }
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
