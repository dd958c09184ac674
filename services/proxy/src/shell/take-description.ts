import type { TargetDescribed } from '@countersign/contracts'
import { meansOthers } from '../core/statement-names.ts'
import type { Session } from './session-state.ts'

/** Takes a new description of the target: what was decided on names of the target as it was is decided anew. */
export function takeDescription(session: Session, described: TargetDescribed): void {
  const { targetVersion, requestId } = described
  if (targetVersion !== session.targetVersion) {
    session.covers.clear()
    meansOthers(session.names)
    // They read what their names stood for: a cursor that is not known shows nothing that was computed.
    session.cursors.clear()
  }
  session.targetVersion = targetVersion
  if (requestId === session.undescribed) session.undescribed = null
}
