import { z } from 'zod'
import {
  type CatalogDefinition,
  definedBy,
  definitionsOf,
  parseCatalog,
  writtenCatalog,
  writtenDefinition,
} from '@countersign/catalog'
import type { Caller } from '@countersign/contracts'
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
import { CATALOG, CATALOG_PARTITION } from '../../topology.ts'
import type { Projection } from '../projection.ts'
import type { Call, Route } from '../route.ts'
import type { Answer } from '@countersign/runtime'

export type CatalogParts = { log: Log; projection: Projection; clock: Clock }

/** Reads and changes the catalog. Definitions that are not sent stay in force and are listed; `prune` removes them. */
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
      method: 'get',
      path: '/v1/catalog/definitions',
      answer: ({ identity }) => {
        onlyAdministrators(identity, 'read the definitions')
        const definitions = definitionsOf(parts.projection.catalog()).map((definition) => ({
          kind: definition.type,
          name: definition.name,
          version: definition.version,
          text: writtenDefinition(definition),
        }))
        return { status: 200, body: { definitions } }
      },
    },
    {
      method: 'get',
      path: '/v1/catalog/export',
      answer: ({ identity }) => {
        onlyAdministrators(identity, 'read the definitions')
        return { status: 200, body: { files: writtenCatalog(parts.projection.catalog()) } }
      },
    },
    {
      method: 'put',
      path: '/v1/catalog',
      answer: (call) => {
        // Applied one after the other, so that each is compared with the catalog that the one before it left.
        const next = last.then(() => apply(parts, call))
        last = next.catch(() => undefined)
        return next
      },
    },
  ]
}

/**
 * Applies to the catalog as the log has it. Two consoles may still write at the same time: one that finds records of
 * another between the offset that it compared with and its own records applies again, so that the last apply is whole.
 */
async function apply(parts: CatalogParts, call: Call): Promise<Answer> {
  const first = await appliedOnce(parts, call, 1)
  if (first.isAlone) return first.answer
  for (let round = 2; round <= ROUNDS_MAX; round++) {
    const again = await appliedOnce(parts, call, round).catch(() => null)
    if (again === null || again.answer.status !== 200) return metAnother()
    if (!again.isAlone) continue
    const { catalogOffset }: Record<string, unknown> = Object(again.answer.body)
    return { ...first.answer, body: { ...Object(first.answer.body), catalogOffset } }
  }
  return metAnother()
}

/**
 * The answer when the first round is in the log, but no round could be written without records of another in between.
 */
const metAnother = (): Answer =>
  problemDetails(
    'CS_BAD_REQUEST',
    'What was sent is written, but another apply met it: of both, some may be in force.',
    { status: 409, hint: 'Look at what is in force now, and apply again.' },
  )

/** An answer, and whether no record of another console came between the catalog that was compared with and its own. */
type AppliedOnce = { readonly answer: Answer; readonly isAlone: boolean }

async function appliedOnce(parts: CatalogParts, call: Call, round: number): Promise<AppliedOnce> {
  const { log, projection, clock } = parts
  onlyAdministrators(call.identity, 'change the catalog')
  const sent = BODY.safeParse(call.body)
  if (!sent.success) {
    return unwritten(
      problemDetails(
        'CS_BAD_REQUEST',
        'The body is {"files": [{"name", "text"}], "variables": {}, "prune": false, "dryRun": false}.',
      ),
    )
  }
  const end = await readToEnd(parts)
  const catalog = projection.catalog()
  const { files, variables, dryRun, expectedOffset } = sent.data
  // The caller did not see the definitions that another console added meanwhile, so later rounds do not remove them.
  const prune = sent.data.prune && (round === 1 || expectedOffset === undefined)
  if (
    round === 1 &&
    expectedOffset !== undefined &&
    expectedOffset !== projection.catalogOffset()
  ) {
    return unwritten(
      problemDetails('CS_BAD_REQUEST', 'The catalog changed meanwhile, so nothing was applied.', {
        status: 409,
        hint: 'Look at what would change now, and apply again.',
      }),
    )
  }
  const { definitions, problems, warnings } = parseCatalog(
    files,
    // With `prune` the files may not refer to definitions in force, since those that are not sent are removed.
    prune ? { variables } : { catalog, variables },
  )
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
    return unwritten(
      problemDetails('CS_CATALOG_INVALID', `The files have ${count}; nothing was applied.`, {
        problems,
      }),
    )
  }
  if (prune && definitions.length === 0) {
    return unwritten(
      problemDetails('CS_BAD_REQUEST', 'The files define nothing, so nothing was removed.'),
    )
  }
  const ordered = APPLY_ORDER.flatMap((type) =>
    definitions.filter((definition) => definition.type === type),
  )
  const changes = ordered.map((definition) => changeOf(catalog, definition))
  const left = unmentioned(catalog, definitions)
  const removed = left.map((each) => ({ ...each, change: 'removed' as const }))
  if (dryRun) {
    const texts = (some: readonly CatalogDefinition[]): Map<string, string> =>
      new Map(some.map((each) => [`${each.type}/${each.name}`, writtenDefinition(each)]))
    const [before, after] = [texts(definitionsOf(catalog)), texts(definitions)]
    const shown = [...changes, ...(prune ? removed : [])].map((change) => ({
      ...change,
      before: before.get(`${change.kind}/${change.name}`) ?? '',
      after: change.change === 'removed' ? '' : (after.get(`${change.kind}/${change.name}`) ?? ''),
    }))
    const profiles = definitions.flatMap((each) =>
      each.type === 'ConnectionProfileDefined' ? [each.profile] : [],
    )
    return unwritten({
      status: 200,
      body: {
        changes: shown,
        warnings,
        unmentioned: prune ? [] : left,
        profiles,
        catalogOffset: projection.catalogOffset(),
      },
    })
  }
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
  // Removals come last, so that no rule of the old catalog is missing before the new one is whole.
  const removals = (prune ? left : []).map((each) =>
    draftOf(removalOf(each, call.identity.subject, at), {
      id: EventId(uuidv7(at / 1000)),
      key: `${each.kind}/${each.name}`,
      partition: CATALOG_PARTITION,
    }),
  )
  const recorded = await log.append([...drafts, ...removals])
  const written = recorded.map(({ position }) => position.offset + 1)
  // If nothing is written, a reader knows the rules in force once it has read as far as this console has.
  const catalogOffset = Math.max(projection.catalogOffset(), ...written)
  const isRead = (): true | null => (projection.catalogOffset() >= catalogOffset ? true : null)
  await whenKnown({ projection, clock, limitMs: READ_LIMIT_MS }, isRead)
  const isAlone = written.every((offset, index) => offset === end + index + 1)
  return {
    isAlone,
    answer: {
      status: 200,
      body: {
        changes: prune ? [...changes, ...removed] : changes,
        warnings,
        unmentioned: prune ? [] : left,
        catalogOffset: Math.max(catalogOffset, projection.catalogOffset()),
      },
    },
  }
}

/** The result of an apply that wrote nothing, and so cannot have met another one. */
const unwritten = (answer: Answer): AppliedOnce => ({ answer, isAlone: true })

/**
 * Waits until the catalog is read to its end, with what this console wrote a moment ago, and returns the next offset.
 */
async function readToEnd({ log, projection, clock }: CatalogParts): Promise<number> {
  const end = (await log.endOffsets(CATALOG)).get(CATALOG_PARTITION) ?? 0
  const offset = (): number | null =>
    projection.catalogOffset() >= end ? projection.catalogOffset() : null
  const read = await whenKnown({ projection, clock, limitMs: READ_LIMIT_MS }, offset)
  if (read !== null) return read
  throw new Problem('CS_LOG_UNAVAILABLE', 'the console has not read the whole catalog yet', {
    retriable: true,
    hint: 'Nothing was applied. Apply again.',
  })
}

function onlyAdministrators(caller: Caller, what: string): void {
  if (mayApply(caller)) return
  throw new Problem('CS_AUTH_FORBIDDEN', `only people in the group ${ADMINISTRATORS} may ${what}`)
}

const BODY = z.strictObject({
  files: z
    .array(z.strictObject({ name: z.string().min(1).max(300), text: z.string() }))
    .min(1)
    .max(500),
  variables: z.record(z.string(), z.string()).default({}),
  prune: z.boolean().default(false),
  /** Changes nothing: says what would change, with the texts before and after. */
  dryRun: z.boolean().default(false),
  /** The offset of the catalog that the caller saw; when the catalog has another one by now, nothing is applied. */
  expectedOffset: z.number().int().min(0).optional(),
})
const READ_LIMIT_MS = 2_000
/** An apply that meets others is tried at most this many times. */
const ROUNDS_MAX = 5
