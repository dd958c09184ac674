import { z } from 'zod'
import { definedBy, parseCatalog } from '@countersign/catalog'
import { type Clock, EventId, Problem, uuidv7 } from '@countersign/kernel'
import { draftOf, type Log } from '@countersign/log'
import { ADMINISTRATORS, mayApply } from '../../core/audience.ts'
import {
  allInForce,
  APPLY_ORDER,
  changeOf,
  removalOf,
  unmentioned,
} from '../../core/catalog-change.ts'
import { whenKnown } from '../patience.ts'
import { problemDetails } from '@countersign/runtime'
import { CATALOG_PARTITION } from '../../topology.ts'
import type { Projection } from '../projection.ts'
import type { Call, Route } from '../route.ts'
import type { Answer } from '@countersign/runtime'

export type CatalogParts = { log: Log; projection: Projection; clock: Clock }

/** Reads the catalog, and changes it. What is not sent stays in force and is named, or is removed where that is asked for. */
export function catalogRoutes(parts: CatalogParts): readonly Route[] {
  let last: Promise<unknown> = Promise.resolve()
  return [
    {
      method: 'get',
      path: '/v1/catalog',
      answer: () => ({
        status: 200,
        body: { definitions: allInForce(parts.projection.catalog()) },
      }),
    },
    {
      method: 'put',
      path: '/v1/catalog',
      answer: (call) => {
        // One after the other, so that each is compared with what the one before it changed.
        const next = last.then(() => apply(parts, call))
        last = next.catch(() => undefined)
        return next
      },
    },
  ]
}

async function apply({ log, projection, clock }: CatalogParts, call: Call): Promise<Answer> {
  if (!mayApply(call.identity)) {
    throw new Problem(
      'CS_AUTH_FORBIDDEN',
      `only people in the group ${ADMINISTRATORS} may change the catalog`,
    )
  }
  const sent = BODY.safeParse(call.body)
  if (!sent.success) {
    return problemDetails(
      'CS_BAD_REQUEST',
      'The body is {"files": [{"name", "text"}], "variables": {}, "prune": false}.',
    )
  }
  const catalog = projection.catalog()
  const { files, variables, prune } = sent.data
  const { definitions, problems, warnings } = parseCatalog(
    files,
    // What is removed cannot be referred to.
    prune ? { variables } : { catalog, variables },
  )
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
    return problemDetails('CS_CATALOG_INVALID', `The files have ${count}; nothing was applied.`, {
      problems,
    })
  }
  if (prune && definitions.length === 0) {
    return problemDetails('CS_BAD_REQUEST', 'The files define nothing, so nothing was removed.')
  }
  const ordered = APPLY_ORDER.flatMap((type) =>
    definitions.filter((definition) => definition.type === type),
  )
  const changes = ordered.map((definition) => changeOf(catalog, definition))
  const left = unmentioned(catalog, definitions)
  const at = clock.now()
  const drafts = ordered
    .filter((_, index) => changes[index]?.change !== 'unchanged')
    .map((definition) =>
      draftOf(definedBy(definition, call.identity.subject, at), {
        id: EventId(uuidv7(at / 1000)),
        key: `${definition.type}/${definition.name}`,
        partition: CATALOG_PARTITION,
      }),
    )
  // Last, so that no rule of the old catalog is missing before the new one is whole.
  const removals = (prune ? left : []).map((each) =>
    draftOf(removalOf(each, call.identity.subject, at), {
      id: EventId(uuidv7(at / 1000)),
      key: `${each.kind}/${each.name}`,
      partition: CATALOG_PARTITION,
    }),
  )
  const recorded = await log.append([...drafts, ...removals])
  const written = recorded.map(({ position }) => position.offset + 1)
  // Where nothing changed, what is in force already says how far one must have read to know it.
  const catalogOffset = Math.max(projection.catalogOffset(), ...written)
  const isRead = (): true | null => (projection.catalogOffset() >= catalogOffset ? true : null)
  await whenKnown({ projection, clock, limitMs: READ_LIMIT_MS }, isRead)
  const removed = left.map((each) => ({ ...each, change: 'removed' as const }))
  return {
    status: 200,
    body: {
      changes: prune ? [...changes, ...removed] : changes,
      warnings,
      unmentioned: prune ? [] : left,
      catalogOffset,
    },
  }
}

const BODY = z.strictObject({
  files: z
    .array(z.strictObject({ name: z.string().min(1).max(300), text: z.string() }))
    .min(1)
    .max(500),
  variables: z.record(z.string(), z.string()).default({}),
  prune: z.boolean().default(false),
})
const READ_LIMIT_MS = 2_000
