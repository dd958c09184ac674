import type { Caller } from '@countersign/contracts'
import type { Catalog } from '@countersign/catalog'
import type { Overview } from './overview.ts'

/** Whether somebody may see a session: its own people and agents, reviewers of its environment, administrators. */
export const mayRead = (reader: Caller, session: Overview, catalog: Catalog): boolean =>
  isOwn(reader, session) ||
  (!reader.isAgent &&
    (reader.groups.includes(ADMINISTRATORS) || isReviewer(reader, session, catalog)))

/** A person is their own agent; an agent of theirs sees only the sessions that it has part in itself. */
function isOwn({ agent: reader }: Caller, { identity, agent }: Overview): boolean {
  // Before policy admitted it, nobody has proven who asks; only the name that was claimed is known.
  const own = identity === null ? [agent] : [identity.subject, identity.agent, ...identity.actors]
  return reader !== '' && own.includes(reader)
}

function isReviewer(reader: Caller, session: Overview, catalog: Catalog): boolean {
  const environment = session.environment ?? catalog.profiles.get(session.profile)?.environment
  return [...catalog.reviewers.values()]
    .filter((reviewers) => reviewers.environment === environment)
    .some(({ groups }) => groups.some((group) => reader.groups.includes(group)))
}

/** The group whose members may see every session. */
const ADMINISTRATORS = 'countersign-admins'
