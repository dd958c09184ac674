import { toServer } from '@countersign/postgres-wire'
import { OURS } from '../core/own-passage.ts'
import { agelessPortals, forgetPortal } from '../core/statement-names.ts'
import { answers } from './answers.ts'
import { forwardRecorded } from './forward.ts'
import { type OwnRows, ownQueryAmidst } from './own-query.ts'
import type { Session } from './session-state.ts'

/**
 * Asks the backend when the named portals were made, before code runs that may give their names to others. False where the
 * backend failed: then the agent has its error.
 */
export async function portalsNoted(session: Session): Promise<boolean> {
  const ageless = agelessPortals(session.names)
  if (ageless.length === 0) return true
  const ages = agesIn(await asked(session))
  if (ages === null) return false
  for (const name of ageless) {
    const age = ages.get(keptName(name))
    // A portal that SQL does not see cannot be told from another one later on.
    if (age === undefined) forgetPortal(session.names, name)
    else session.names.portalAges.set(name, age)
  }
  return true
}

/** Asks the backend whether the portals whose names are in doubt are still the same; the others are forgotten. */
export async function portalsConfirmed(session: Session): Promise<boolean> {
  const { doubtfulPortals, portalAges } = session.names
  if (doubtfulPortals.size === 0) return true
  const ages = agesIn(await asked(session))
  if (ages === null) return false
  for (const name of doubtfulPortals) {
    const age = portalAges.get(name)
    if (age === undefined || ages.get(keptName(name)) !== age) forgetPortal(session.names, name)
  }
  doubtfulPortals.clear()
  return true
}

/**
 * Asks the target, amidst what the agent sends, for a portal that no Bind made: a cursor, or what a simple query that failed
 * has left until its transaction ends. Where there is none, or the target fails otherwise, the agent has its error.
 */
export async function hasPortal(session: Session, name: string): Promise<boolean> {
  let isThere = false
  session.exchange.steps.push({
    ...{ ...OURS, tag: 'Describe', portal: name, isForAgent: true },
    confirmed: () => (isThere = true),
  })
  session.isPipelineOpen = true
  forwardRecorded(session, [
    { runs: null, bytes: toServer.describe('portal', name) },
    { runs: null, bytes: toServer.flush() },
  ])
  await answers(session)
  return isThere
}

/** The time is in binary: how it looks as text is up to settings, which the code may have changed. */
const asked = (session: Session): Promise<OwnRows | null> =>
  ownQueryAmidst(session, 'select name, creation_time from pg_catalog.pg_cursors', [0, 1])

/** By the bytes of the names: one that is cut amidst a character is no text, and would be read as another one. */
function agesIn(rows: OwnRows | null): Map<string, string> | null {
  if (rows === null) return null
  return new Map(
    rows.map(([name, age]) => [name?.toString('latin1') ?? '', age?.toString('hex') ?? '']),
  )
}

/** The bytes of a name that the target keeps. */
const keptName = (name: string): string => Buffer.from(name).toString('latin1', 0, NAME_BYTES_MAX)

const NAME_BYTES_MAX = 63
