import type { TargetDescribed } from '@countersign/contracts'
import { sharing } from '@countersign/kernel'
import type { Described } from '../core/name-meaning.ts'
import { meansOthers } from '../core/statement-names.ts'
import { forgetOwnChanges } from './own-changes.ts'
import type { Session } from './session-state.ts'

/** Takes a new description of the target: what was decided on names of the target as it was is decided anew. */
export function takeDescription(session: Session, described: TargetDescribed): void {
  const { targetVersion, requestId } = described
  if (targetVersion !== session.targetVersion) {
    session.covers.clear()
    meansOthers(session.names)
    // They read what their names stood for: a cursor that is not known shows nothing that was computed.
    session.cursors.clear()
    forgetOwnChanges(session)
  }
  session.targetVersion = targetVersion
  session.described = shared(described)
  if (requestId !== session.undescribed) return
  session.undescribed = null
  session.isDescriptionLate = false
}

/** The descriptions of targets, so that sessions of one target share one. */
export function shared(described: Described): Described {
  const { targetVersion, relations, routines, types, eventTriggers } = described
  return SHARED.get(targetVersion, relations.length, () => ({
    targetVersion,
    relations,
    routines,
    types,
    eventTriggers,
  }))
}

/** The most relations of descriptions that no session holds. */
const RELATIONS_MAX = 20_000
const SHARED = sharing<Described>(RELATIONS_MAX)
