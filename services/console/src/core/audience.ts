import type { Identity } from '@countersign/contracts'
import type { Catalog } from '@countersign/catalog'
import type { HeldRequest } from './held-request.ts'

/** Whether somebody may read a request: reviewers of its environment, and those who asked. */
export const mayRead = (identity: Identity, request: HeldRequest, catalog: Catalog): boolean =>
  isRequester(identity, request) || isReviewer(identity, request, catalog)

/** Whether somebody may change the catalog. An agent may not, whoever it acts for. */
export const mayApply = (identity: Identity): boolean =>
  identity.groups.includes(ADMINISTRATORS) && identity.behalfOf === null

/** The group whose members may change the catalog. */
export const ADMINISTRATORS = 'countersign-admins'

function isRequester(identity: Identity, { requested }: HeldRequest): boolean {
  const { subject, agent, actors } = requested.requester
  return [subject, agent, ...actors].some(
    (name) => name === identity.subject || name === identity.agent,
  )
}

function isReviewer(identity: Identity, { requested }: HeldRequest, catalog: Catalog): boolean {
  const stages = requested.chains.flatMap((chain) => chain.stages)
  const reviewers = [...catalog.reviewers.values(), ...stages]
  return reviewers
    .filter(({ environment }) => environment === requested.environment)
    .some(({ groups }) => groups.some((group) => identity.groups.includes(group)))
}
