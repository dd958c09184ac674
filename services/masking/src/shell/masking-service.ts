import type { AnyMessage, MessageOf, TargetDescribed } from '@countersign/contracts'
import {
  applied,
  type Catalog,
  emptyCatalog,
  isCatalogMessage,
  maskingRulesFor,
  maskingRulesVersion,
} from '@countersign/catalog'
import { type Clock, SessionId } from '@countersign/kernel'
import type { DeciderService, Decision } from '@countersign/runtime'
import { oneOf } from '@countersign/contracts'
import { planner } from '../core/planner.ts'
import { fold, noSessions, outdatedBy, type Session, type Sessions } from '../core/sessions.ts'
import { CATALOG, SESSIONS, topology } from '../topology.ts'

export type MaskingOptions = { clock: Clock }

/** The masking service, with what is needed to plan sessions anew after the rules have changed. */
export type MaskingService = DeciderService<Sessions> & {
  /** The next offset of the catalog after the newest rules. */
  rulesOffset(): number
  /** The sessions whose plan was made under other rules than those in force. */
  outdated(sessions: Sessions): SessionId[]
  plannedAnew(sessions: Sessions, sessionId: SessionId): Decision
}

/**
 * The service that plans what is masked: once before a session opens, and again after its target or its rules have
 * changed.
 */
export function maskingService({ clock }: MaskingOptions): MaskingService {
  const plan = planner()
  let catalog: Catalog = emptyCatalog
  let rulesOffset = 0

  return {
    topology,
    globals: [CATALOG],
    unhurried: [SESSIONS],
    newState: noSessions,
    applyGlobal: ({ message, position }) => {
      if (isCatalogMessage(message)) catalog = applied(catalog, message)
      if (changesRules(message)) rulesOffset = position.offset + 1
    },
    rulesOffset: () => rulesOffset,
    outdated: ({ live }) =>
      [...live].filter(([, session]) => outdatedTarget(session)).map(([id]) => SessionId(id)),
    plannedAnew: ({ live }, sessionId) => {
      const session = live.get(sessionId)
      const target = session === undefined ? null : outdatedTarget(session)
      if (session === undefined || target === null || session.environment === null) return []
      return [planned(sessionId, session.environment, target)]
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
    if (session?.planned?.targetVersion === issued.targetVersion) return []
    const target = session?.described.get(issued.targetVersion)
    if (session === undefined || session.environment === null || target === undefined) return 'wait'
    return [planned(issued.sessionId, session.environment, target)]
  }

  /** Plans again for a new description. Until there is a first plan, CredentialIssued says which description counts. */
  function planAgain(sessions: Sessions, described: TargetDescribed): Decision {
    const session = sessions.live.get(described.sessionId)
    if (session === undefined || session.planned === null) return []
    if (session.planned.targetVersion === described.targetVersion) return []
    if (session.environment === null) return 'wait'
    return [planned(described.sessionId, session.environment, described)]
  }

  function outdatedTarget(session: Session): TargetDescribed | null {
    if (session.environment === null) return null
    return outdatedBy(session, maskingRulesVersion(catalog, session.environment))
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
const changesRules = oneOf('MaskingRulesDefined', 'DefinitionRemoved')
