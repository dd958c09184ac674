import type { Caller } from '@countersign/contracts'
import type { Catalog } from '@countersign/catalog'
import type { Overview } from './overview.ts'

/** Says of sessions whether somebody may see them: their own people and agents, reviewers of their environment, administrators. */
export function readableBy(reader: Caller, catalog: Catalog): (session: Overview) => boolean {
  if (reader.isAgent) return (session) => isOwn(reader, session)
  if (reader.groups.includes(ADMINISTRATORS)) return () => true
  const groups = new Set(reader.groups)
  const reviewed = new Set(
    [...catalog.reviewers.values()]
      .filter((reviewers) => reviewers.groups.some((group) => groups.has(group)))
      .map(({ environment }) => environment),
  )
  return (session) => {
    const environment = session.environment ?? catalog.profiles.get(session.profile)?.environment
    return isOwn(reader, session) || (environment !== undefined && reviewed.has(environment))
  }
}

/** A person is their own agent; an agent of theirs sees only the sessions that it has part in itself. */
function isOwn({ agent: reader }: Caller, { identity, agent }: Overview): boolean {
  // Before policy admitted it, nobody has proven who asks; only the name that was claimed is known.
  const own = identity === null ? [agent] : [identity.subject, identity.agent, ...identity.actors]
  return reader !== '' && own.includes(reader)
}

/** The group whose members may see every session. */
const ADMINISTRATORS = 'countersign-admins'
