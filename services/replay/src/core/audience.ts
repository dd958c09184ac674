import type { Identity } from '@countersign/contracts'
import type { Catalog } from '@countersign/catalog'
import type { Overview } from './overview.ts'

/** Whether somebody may see a session: its own people and agents, reviewers of its environment, administrators. */
export const mayRead = (reader: Identity, session: Overview, catalog: Catalog): boolean =>
  reader.groups.includes(ADMINISTRATORS) ||
  isOwn(reader, session) ||
  isReviewer(reader, session, catalog)

function isOwn(reader: Identity, { identity, agent }: Overview): boolean {
  // Before policy admitted it, nobody has proven who asks; only the name that was claimed is known.
  const own = identity === null ? [agent] : [identity.subject, identity.agent, ...identity.actors]
  return own.some((name) => name !== '' && (name === reader.subject || name === reader.agent))
}

function isReviewer(reader: Identity, session: Overview, catalog: Catalog): boolean {
  const environment = session.environment ?? catalog.profiles.get(session.profile)?.environment
  return [...catalog.reviewers.values()]
    .filter((reviewers) => reviewers.environment === environment)
    .some(({ groups }) => groups.some((group) => reader.groups.includes(group)))
}

/** The group whose members may see every session. */
const ADMINISTRATORS = 'countersign-admins'
