import type { AnyMessage, MessageOf, TargetDescribed } from '@countersign/contracts'
import {
  applied,
  type Catalog,
  emptyCatalog,
  isCatalogMessage,
  maskingRulesFor,
} from '@countersign/catalog'
import type { Clock, SessionId } from '@countersign/kernel'
import type { DeciderService, Decision } from '@countersign/runtime'
import { oneOf } from '@countersign/contracts'
import { planner } from '../core/planner.ts'
import { fold, noSessions, type Sessions } from '../core/sessions.ts'
import { CATALOG, SESSIONS, topology } from '../topology.ts'

/** The service that plans what is masked: once before a session opens, and again after its target has changed. */
export function maskingService({ clock }: { clock: Clock }): DeciderService<Sessions> {
  const plan = planner()
  let catalog: Catalog = emptyCatalog

  return {
    topology,
    globals: [CATALOG],
    unhurried: [SESSIONS],
    newState: noSessions,
    applyGlobal: ({ message }) => {
      if (isCatalogMessage(message)) catalog = applied(catalog, message)
    },
    apply: (sessions, record) => {
      if (record.status === 'understood') fold(sessions, record.message)
    },
    decide: (sessions, { message }) => {
      if (!isReasonToPlan(message) || sessions.over.has(message.sessionId)) return []
      return message.type === 'CredentialIssued'
        ? planFirst(sessions, message)
        : planAgain(sessions, message)
    },
  }

  function planFirst(sessions: Sessions, issued: MessageOf<'CredentialIssued'>): Decision {
    const session = sessions.live.get(issued.sessionId)
    if (session?.plannedFor === issued.targetVersion) return []
    const target = session?.described.get(issued.targetVersion)
    if (session === undefined || session.environment === null || target === undefined) return 'wait'
    return [planned(issued.sessionId, session.environment, target)]
  }

  /** Until there is a first plan, CredentialIssued says which description counts. */
  function planAgain(sessions: Sessions, described: TargetDescribed): Decision {
    const session = sessions.live.get(described.sessionId)
    if (session === undefined || session.plannedFor === null) return []
    if (session.plannedFor === described.targetVersion) return []
    if (session.environment === null) return 'wait'
    return [planned(described.sessionId, session.environment, described)]
  }

  function planned(sessionId: SessionId, environment: string, target: TargetDescribed) {
    const rules = maskingRulesFor(catalog, environment)
    const message: AnyMessage = {
      type: 'MaskingPlanned',
      sessionId,
      at: clock.now(),
      ...plan(rules, target),
    }
    return { message }
  }
}

const isReasonToPlan = oneOf('CredentialIssued', 'TargetDescribed')
