import type { Caller } from '@countersign/contracts'
import type { Catalog } from '@countersign/catalog'
import type { HeldRequest } from './held-request.ts'

/** True if somebody may read a request: reviewers of its environment, and those who asked. */
export const mayRead = (caller: Caller, request: HeldRequest, catalog: Catalog): boolean =>
  isRequester(caller, request) || (!caller.isAgent && isReviewer(caller, request, catalog))

/** The environments in which somebody may countersign. */
export const reviews = ({ groups, isAgent }: Caller, catalog: Catalog): readonly string[] =>
  isAgent
    ? []
    : [
        ...new Set(
          [...catalog.reviewers.values()]
            .filter((each) => each.groups.some((group) => groups.includes(group)))
            .map(({ environment }) => environment),
        ),
      ].sort()

/** True if somebody may change the catalog. An agent may not, whoever it acts for. */
export const mayApply = ({ groups, isAgent }: Caller): boolean =>
  groups.includes(ADMINISTRATORS) && !isAgent

/** The group whose members may change the catalog. */
export const ADMINISTRATORS = 'countersign-admins'

/** A person is their own agent; an agent of theirs sees only what it asked itself. */
function isRequester(caller: Caller, { requested }: HeldRequest): boolean {
  const { subject, agent, actors } = requested.requester
  return [subject, agent, ...actors].includes(caller.agent)
}

function isReviewer(caller: Caller, { requested }: HeldRequest, catalog: Catalog): boolean {
  const stages = requested.chains.flatMap((chain) => chain.stages)
  const reviewers = [...catalog.reviewers.values(), ...stages]
  return reviewers
    .filter(({ environment }) => environment === requested.environment)
    .some(({ groups }) => groups.some((group) => caller.groups.includes(group)))
}
